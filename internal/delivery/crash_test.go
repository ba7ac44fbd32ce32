package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
)

// crashes is how often the writer of history files dies in a test: a few times, and a
// hundred where tests may take a minute.
func crashes() int {
	if os.Getenv("PLUMB_TEST_REAL") != "" {
		return 100
	}
	return 8
}

// A crasher has the writer die at a random one of the points that it comes by: before,
// while and after it puts a file, and in and after the transaction that tells of it.
type crasher struct {
	random *rand.Rand
	left   int // points until it dies; negative: it does not
	died   map[string]int
}

func (c *crasher) reached(point string) {
	c.left--
	if c.left == 0 {
		c.died[point]++
		panic("killed " + point)
	}
}

func (c *crasher) tell(_ context.Context, tx *db.Tx, _ config.Place, _ string) error {
	c.reached("before a file is told of")
	tx.AfterCommit(func() { c.reached("after a file was told of") })
	return nil
}

// However often the writer dies, each item of a period is in one file, and no other is.
func TestEachItemIsInOneHistoryFileHoweverOftenTheWriterDies(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		c := &crasher{random: rand.New(rand.NewPCG(10, 100)), died: map[string]int{}}
		b := newBench(t, d, func(_ *bench, o *delivery.Options) { o.Tell = c.tell })
		b.delivery.SetHistoryPart(3)
		b.out.reached = c.reached
		b.channel(aChannel())
		want := map[string]int{}
		for period := 0; total(c.died) < crashes(); period++ {
			for range 4 {
				var items []config.Item
				for kind := range 3 {
					for range c.random.IntN(3) {
						it := b.group(fmt.Sprintf("%d-%d", period, len(want)), config.StatusDiscovered, nil)
						it.Type = []string{"AWS::EC2::SecurityGroup", "AWS::EC2::VPC", "AWS::S3::Bucket"}[kind]
						want[it.Type+" "+it.ID]++
						items = append(items, it)
					}
				}
				if len(items) > 0 {
					b.record(items...)
				}
				b.advance(time.Hour)
			}
			for range 12 { // some of which end at what is left, some begin again
				c.left = 1 + c.random.IntN(20)
				b.advance(31 * time.Minute)
			}
			c.left = -1
			b.advance(2 * time.Hour)
		}
		b.advance(12 * time.Hour)
		got := map[string]int{}
		for name := range b.out.objects {
			if !strings.Contains(name, "/ConfigHistory/") {
				continue
			}
			var file struct {
				Items []struct{ ResourceType, ResourceID string } `json:"configurationItems"`
			}
			if err := json.Unmarshal([]byte(b.out.file(t, name)), &file); err != nil {
				t.Fatal(err)
			}
			if len(file.Items) == 0 || len(file.Items) > 3 {
				t.Errorf("%s has %d items", name, len(file.Items))
			}
			for _, it := range file.Items {
				got[it.ResourceType+" "+it.ResourceID]++
			}
		}
		for key, n := range got {
			if n != 1 || want[key] != 1 {
				t.Errorf("%s is in %d files", key, n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d items are in files, %d were recorded", len(got), len(want))
		}
		if crashes() == 100 && len(c.died) != 5 {
			t.Errorf("it died %v", c.died)
		}
		t.Logf("%d items, died %v", len(want), c.died)
	})
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
