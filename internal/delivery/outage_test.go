package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/store"
)

var errAway = errors.New("503 Service Unavailable")

// change records the next item of a group.
func (b *bench) change(id string, n int) {
	b.t.Helper()
	b.clock.Advance(time.Second)
	b.record(b.group(id, config.StatusOK, map[string]any{"n": n}))
}

// orders returns the numbers that were told of each group, in their order.
func (b *bench) orders() map[string][]string {
	out := map[string][]string{}
	for _, m := range b.out.took() {
		_, id, _ := strings.Cut(m.subject, "SecurityGroup ")
		id, _, _ = strings.Cut(id, " ")
		_, n, _ := strings.Cut(m.body, `"configuration":{"n":`)
		n, _, _ = strings.Cut(n, "}")
		out[id] = append(out[id], n)
	}
	return out
}

func (b *bench) counts() (waiting, held, undelivered int64) {
	b.t.Helper()
	b.write(func(ctx context.Context, tx *db.Tx) error {
		all, err := store.CountOutgoing(ctx, tx)
		for _, c := range all {
			switch c.State {
			case config.OutgoingWaits:
				waiting += c.N
			case config.OutgoingHeld:
				held += c.N
			default:
				undelivered += c.N
			}
		}
		return err
	})
	return waiting, held, undelivered
}

// A topic that is away for an hour gets everything in the order of each resource, at
// once after its return, and was hardly called meanwhile.
func TestAfterAnOutageTheOrderOfAResourceHolds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(errAway, "sg-")
		want := map[string][]string{}
		for n := range 12 {
			for g := range 5 {
				id := fmt.Sprintf("sg-%d", g)
				b.change(id, n)
				want[id] = append(want[id], fmt.Sprint(n))
			}
			b.advance(5 * time.Minute)
		}
		if waiting, held, _ := b.counts(); waiting != 60 || held != 0 || b.out.tries > 120 {
			t.Errorf("%d wait, %d are held, after %d tries", waiting, held, b.out.tries)
		}
		if s := b.status().Stream; s.Status != config.StatusFailure || s.ErrorCode != "InternalError" {
			t.Errorf("stream status: %+v", s)
		}
		b.out.failing(nil)
		b.advance(6 * time.Minute) // the longest wait between tries
		for id, got := range b.orders() {
			if !slices.Equal(got, want[id]) {
				t.Errorf("%s: %v", id, got)
			}
		}
		if n := len(b.out.took()); n != 60 {
			t.Errorf("%d messages", n)
		}
		if s := b.status().Stream; s.Status != config.StatusSuccess {
			t.Errorf("stream status: %+v", s)
		}
	})
}

// While a topic is away, what is recorded costs no call.
func TestATopicThatIsAwayIsCalledAtItsTimesOnly(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.out.failing(delivery.ErrNoSuchTopic, "sg-")
	b.change("sg-1", 0)
	b.drain()
	before := b.out.tries
	for n := range 20 {
		b.record(b.group(fmt.Sprintf("sg-%d", n+2), config.StatusOK, nil))
		b.drain()
	}
	if before != 1 || b.out.tries != 1 {
		t.Errorf("%d tries, then %d", before, b.out.tries)
	}
}

func TestAMessageThatIsNeverTakenHoldsUpOnlyItsResource(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(fmt.Errorf("publish: %w", delivery.ErrInvalid), "sg-0")
		b.change("sg-0", 0)
		b.change("sg-1", 0)
		b.drain()
		b.change("sg-0", 1)
		b.change("sg-1", 1)
		b.drain()
		if got := b.orders(); !slices.Equal(got["sg-1"], []string{"0", "1"}) || got["sg-0"] != nil {
			t.Fatalf("told: %v", got)
		}
		if waiting, held, _ := b.counts(); waiting != 0 || held != 2 {
			t.Errorf("%d wait, %d are held", waiting, held)
		}
		b.out.failing(nil)
		b.advance(5 * time.Minute)
		if got := b.orders(); !slices.Equal(got["sg-0"], []string{"0", "1"}) {
			t.Errorf("told: %v", got)
		}
		if waiting, held, undelivered := b.counts(); waiting+held+undelivered != 0 {
			t.Errorf("left: %d, %d, %d", waiting, held, undelivered)
		}
	})
}

// Messages at the head that the service answers with an error of its own do not
// pass for a service that is away.
func TestSeveralMessagesThatAreNeverTakenHoldUpNoOther(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.out.failing(errAway, "sg-bad")
	for n := range 4 {
		b.change(fmt.Sprintf("sg-bad-%d", n), 0)
	}
	b.change("sg-good", 0)
	for range 10 {
		b.advance(time.Minute)
	}
	if got := b.orders(); got["sg-good"] == nil {
		t.Errorf("told: %v", got)
	}
}

func TestAMessageThatIsTooOldIsUndelivered(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(fmt.Errorf("publish: %w", delivery.ErrInvalid), "sg-")
		b.change("sg-0", 0)
		b.drain()
		b.advance(48 * time.Hour)
		b.change("sg-0", 1)
		b.advance(25 * time.Hour)
		if waiting, held, undelivered := b.counts(); waiting != 0 || held != 1 || undelivered != 1 {
			t.Fatalf("%d wait, %d are held, %d are undelivered", waiting, held, undelivered)
		}
		b.out.failing(nil)
		b.advance(6 * time.Minute)
		if got := b.orders(); !slices.Equal(got["sg-0"], []string{"1"}) {
			t.Fatalf("told: %v", got)
		}
		if n, err := b.delivery.Retry(t.Context(), delivery.Selection{Account: here.Account}); n != 1 || err != nil {
			t.Errorf("%d are tried again, %v", n, err)
		}
		b.drain()
		if got := b.orders(); !slices.Equal(got["sg-0"], []string{"1", "0"}) {
			t.Errorf("told: %v", got)
		}
		if waiting, held, undelivered := b.counts(); waiting+held+undelivered != 0 {
			t.Errorf("left: %d, %d, %d", waiting, held, undelivered)
		}
	})
}

func TestUndeliveredMessagesAreDroppedOnDemandOrWhenTheyAreOld(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.out.failing(errAway, "AWS")
	b.change("sg-0", 0)
	b.change("sg-1", 0)
	b.drain()
	b.advance(80 * time.Hour)
	all, err := b.delivery.Undelivered(t.Context(), delivery.Selection{})
	if err != nil || len(all) != 2 || all[0].Of[0] != "AWS::EC2::SecurityGroup sg-0" || all[0].Error != "503 Service Unavailable" || all[0].Messages != 1 {
		t.Fatalf("undelivered: %+v", all)
	}
	if n, err := b.delivery.Drop(t.Context(), delivery.Selection{ID: all[0].ID}); n != 1 || err != nil {
		t.Errorf("%d dropped, %v", n, err)
	}
	b.clock.Advance(31 * 24 * time.Hour)
	b.write(func(ctx context.Context, tx *db.Tx) error {
		more, err := b.delivery.Sweep(ctx, tx, 10)
		if more {
			t.Error("there are more")
		}
		return err
	})
	if _, _, undelivered := b.counts(); undelivered != 0 {
		t.Errorf("%d are left", undelivered)
	}
}

// Two channels: what one's topic does is nothing to the other.
func TestATopicThatHangsDelaysNoOtherAccount(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	other := config.Place{Account: "210987654321", Region: "us-east-2"}
	b.channel(aChannel())
	b.write(func(ctx context.Context, tx *db.Tx) error {
		c := aChannel()
		c.Place = other
		r := config.Recorder{Place: other, Name: "default"}
		return errors.Join(store.PutRecorder(ctx, tx, r), b.delivery.Put(ctx, tx, c))
	})
	free, hangs := make(chan bool), make(chan bool, 10)
	b.out.hang = func(p config.Place) {
		if p == here {
			hangs <- true
			<-free
		}
	}
	b.change("sg-0", 0)
	<-hangs
	it := b.group("sg-9", config.StatusOK, map[string]any{"n": 0})
	it.Place = other
	b.record(it)
	for until := time.Now().Add(10 * time.Second); len(b.out.took()) == 0 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	if got := b.orders(); got["sg-9"] == nil || got["sg-0"] != nil {
		t.Errorf("told: %v", got)
	}
	close(free)
	b.drain()
}

// A server that dies between sending and recording sends again what it sent, in
// order; nothing is lost.
func TestAServerThatIsKilledLosesNoMessageAndKeepsTheOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		double := 0
		for n := range 10 {
			b.out.failing(errAway, "sg-0", "sg-1")
			b.change("sg-0", 2*n)
			b.change("sg-1", 2*n)
			b.drain()
			b.out.failing(nil)
			b.change("sg-0", 2*n+1)
			b.out.crash = true
			b.advance(10 * time.Minute)
			b.advance(10 * time.Minute)
		}
		for id, got := range b.orders() {
			whole := slices.Compact(slices.Clone(got))
			want := 20
			if id == "sg-1" {
				want = 10
			}
			double += len(got) - len(whole)
			if seen := map[string]bool{}; true {
				var first []string
				for _, n := range got {
					if !seen[n] {
						first = append(first, n)
					}
					seen[n] = true
				}
				if len(first) != want || !slices.IsSortedFunc(first, byNumber) {
					t.Errorf("%s: %v", id, got)
				}
			}
		}
		t.Logf("%d messages came twice", double)
	})
}

func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
