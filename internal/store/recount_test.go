package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"plumb/internal/config"
	"plumb/internal/store"
)

// Whatever happens to resources and verdicts, the tallies are what counting gives.
func TestTalliesAreWhatCountingGives(t *testing.T) {
	run(t, func(s suite) {
		random := rand.New(rand.NewPCG(1, 2))
		var rules []config.Rule
		for i := range 3 {
			r := config.Rule{Place: place, Name: fmt.Sprint("r", i), ID: fmt.Sprint("id", i), State: config.RuleActive}
			s.must(store.PutRule(s.Context(), s.tx, r))
			rules = append(rules, r)
		}
		for minute := range 150 {
			k := key([]string{"A::B::C", "A::B::D"}[random.IntN(2)], fmt.Sprint("x", random.IntN(4)))
			switch random.IntN(6) {
			case 0:
				s.add(k, minute)
			case 1:
				s.add(k, minute, gone)
			case 2:
				s.add(k, minute, func(it *store.NewItem) { it.Status, it.Configuration = config.StatusNotRecorded, nil })
			case 3:
				_, err := store.DeleteVerdicts(s.Context(), s.tx, rules[random.IntN(3)], 1+random.IntN(3))
				s.must(err)
			default:
				s.judge(rules[random.IntN(3)], k, []config.Compliance{config.Compliant, config.NonCompliant, config.NotApplicable}[random.IntN(3)])
			}
			if random.IntN(10) == 0 {
				s.wantTallies(0)
			}
		}
		s.wantTallies(0)
	})
}

func (s suite) judge(r config.Rule, k config.ResourceKey, c config.Compliance) {
	s.Helper()
	old, err := store.RuleVerdicts(s.Context(), s.tx, r, []config.ResourceKey{k})
	s.must(err)
	s.must(store.PutVerdicts(s.Context(), s.tx, place, []store.NewVerdict{{RuleID: r.ID, Old: old[k].Compliance, Verdict: config.Verdict{
		Evaluation: config.Evaluation{ResourceType: k.Type, ResourceID: k.ID, Compliance: c, Ordering: noon}}}}))
}

func (s suite) wantTallies(n int) []store.Difference {
	s.Helper()
	_, err := store.Counts(s.Context(), s.tx, place, nil) // writes what is pending
	s.must(err)
	found, err := store.Recount(s.Context(), s.tx)
	s.must(err)
	if len(found) != n {
		s.Fatalf("differences: %+v, want %d", found, n)
	}
	return found
}

func TestWrongTalliesAreFoundAndCorrected(t *testing.T) {
	run(t, func(s suite) {
		r := config.Rule{Place: place, Name: "r", ID: "id", State: config.RuleActive}
		s.must(store.PutRule(s.Context(), s.tx, r))
		s.add(key("A::B::C", "x"), 1)
		s.judge(r, key("A::B::C", "x"), config.NonCompliant)
		s.wantTallies(0)
		for _, spoil := range []string{
			`UPDATE resource SET compliant = 7, non_compliant = 0, rollup = 1`, `DELETE FROM rule_tally`, `UPDATE type_tally SET live = 5, non_compliant = -1`,
		} {
			_, err := s.tx.Exec(s.Context(), spoil)
			s.must(err)
		}
		found := s.wantTallies(3)
		s.equal([]string{found[0].Of, found[1].Of, found[2].Of}, "[resource A::B::C/x rule r type A::B::C in 123456789012/eu-west-1]")
		s.must(store.Correct(s.Context(), s.tx, found))
		s.wantTallies(0)
		bad, err := store.TallyResources(s.Context(), s.tx, place, store.TallyQuery{Compliance: []config.Compliance{config.NonCompliant}})
		s.must(err)
		s.equal(bad, "[{A::B::C x {0 1}}]")
	})
}
