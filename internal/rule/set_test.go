package rule

import (
	"fmt"
	"slices"
	"testing"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// counting is an evaluator that counts.
type counting struct{ n *int }

func (c counting) Evaluate(config.Item, view.View) (config.Compliance, string, error) {
	*c.n++
	return config.Compliant, "", nil
}

// many returns a set of rules each of which looks at a type of its own, but for
// the last two: one that names two types twice, and one that looks at all.
func many(n int) (*set, *int) {
	asked := new(int)
	s := &set{}
	for i := range n {
		r := config.Rule{Name: fmt.Sprint("r", i), ID: fmt.Sprint("r", i)}
		c := Compiled{Evaluator: counting{asked}, OnChange: true, Types: []string{fmt.Sprint("T", i)}}
		switch i {
		case n - 2:
			r.Scope = &config.Scope{Types: []string{"T1", "T2", "T1"}}
		case n - 1:
			c.Types = nil
		}
		s.addInProcess(r, c)
	}
	return s, asked
}

func TestItemIsEvaluatedOnceByEachRuleThatAppliesInTheirOrder(t *testing.T) {
	s, _ := many(5)
	var got []string
	for _, r := range s.evaluate([]config.Item{item("T1"), item("T1"), item("T9")}, view.Fixed{}) {
		got = append(got, fmt.Sprint(r.batch.Rule.Name, " ", len(r.batch.Evaluations)))
	}
	if want := []string{"r1 2", "r3 2", "r4 3"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func item(resourceType string) config.Item {
	return config.Item{ResourceKey: config.ResourceKey{Type: resourceType, ID: "x"}, Status: config.StatusOK}
}

func TestCacheForgetsWhatWasUsedLongestAgo(t *testing.T) {
	c := newCache[string](3, func(n int) int { return n })
	c.put("a", 1)
	c.put("b", 1)
	c.put("c", 1)
	c.get("a")
	c.put("d", 2)
	for k, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true} {
		if _, ok := c.get(k); ok != want {
			t.Errorf("%s is there: %v", k, ok)
		}
	}
	c.put("a", 9) // heavier than all
	if _, ok := c.get("a"); !ok || c.weight != 9 || len(c.entries) != 1 {
		t.Errorf("weight %d, %d entries", c.weight, len(c.entries))
	}
	c.drop("a")
	if c.weight != 0 || c.order.Len() != 0 {
		t.Errorf("weight %d, %d entries", c.weight, c.order.Len())
	}
}

// The cost follows the rules that apply, not those that there are.
func BenchmarkSet(b *testing.B) {
	for _, n := range []int{56, 800} {
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			s := &set{}
			asked := 0
			for i := range n {
				types := []string{"AWS::S3::Bucket"}
				if i >= 56 {
					types = []string{"AWS::EC2::VPC"}
				}
				s.addInProcess(config.Rule{Name: fmt.Sprint("r", i)}, Compiled{Evaluator: counting{&asked}, OnChange: true, Types: types})
			}
			items := slices.Repeat([]config.Item{item("AWS::S3::Bucket")}, 100)
			for b.Loop() {
				s.evaluate(items, view.Fixed{})
			}
		})
	}
}
