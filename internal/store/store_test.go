package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

var (
	place = config.Place{Account: "123456789012", Region: "eu-west-1"}
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// run runs a suite in one transaction on each database.
func run(t *testing.T, suite func(s suite)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			suite(newSuite(t, tx))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

type suite struct {
	*testing.T
	tx *db.Tx
}

func newSuite(t *testing.T, tx *db.Tx) suite { return suite{t, tx} }

func (s suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s suite) equal(got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("got  %v\nwant %v", got, want)
	}
}

func key(resourceType, id string) config.ResourceKey {
	return config.ResourceKey{Place: place, Type: resourceType, ID: id}
}

// add appends an item that was captured some minutes after noon.
func (s suite) add(k config.ResourceKey, minute int, change ...func(*store.NewItem)) config.Item {
	s.Helper()
	at := noon.Add(time.Duration(minute) * time.Minute)
	it := store.NewItem{
		Item: config.Item{
			ResourceKey: k, Status: config.StatusOK, CaptureTime: at, StateID: at.UnixMilli(), AWSRegion: place.Region,
			Tags: map[string]string{}, Supplementary: map[string]any{}, Configuration: map[string]any{"minute": int64(minute), "nul": "a\x00b"},
		},
		Digest: []byte{byte(minute)},
	}
	for _, f := range change {
		f(&it)
	}
	var err error
	it.Body, err = it.KeptForm()
	s.must(err)
	s.must(store.AppendItems(s.Context(), s.tx, []store.NewItem{it}))
	return it.Item
}

func gone(it *store.NewItem) { it.Status, it.Configuration = config.StatusDeleted, nil }

func TestNewestItemIsCurrentAndTheOthersAreHistory(t *testing.T) {
	run(t, func(s suite) {
		k := key("A::B::C", "x")
		first, second := s.add(k, 1), s.add(k, 2)
		it, err := store.CurrentItem(s.Context(), s.tx, k)
		s.must(err)
		if !reflect.DeepEqual(it, second) {
			s.Fatalf("got  %+v\nwant %+v", it, second)
		}
		before, err := store.ItemBefore(s.Context(), s.tx, second.Version())
		s.must(err)
		s.equal(before.StateID, first.StateID)
		if _, err := store.ItemBefore(s.Context(), s.tx, first.Version()); !errors.Is(err, store.ErrNotFound) {
			s.Fatalf("before the first: %v", err)
		}
		heads, err := store.Heads(s.Context(), s.tx, place, []config.ResourceKey{k, key("A::B::C", "never")})
		s.must(err)
		s.equal(len(heads), 1)
		s.equal(heads[k].Digest, []byte{2})
		items, err := store.History(s.Context(), s.tx, store.HistoryQuery{Key: k, From: noon, To: noon.Add(90 * time.Second), Limit: 10})
		s.must(err)
		s.equal(len(items), 1)
	})
}

func TestListsLeaveOutWhatIsGoneUnlessAskedFor(t *testing.T) {
	run(t, func(s suite) {
		s.add(key("A::B::C", "a"), 1)
		s.add(key("A::B::C", "b"), 1)
		s.add(key("A::B::C", "b"), 2, gone)
		s.add(key("A::B::D", "c"), 1, func(it *store.NewItem) { it.Pushed = true })
		list := func(all bool) (ids []string) {
			found, err := store.Resources(s.Context(), s.tx, store.ResourceQuery{Place: place, Type: "A::B::C", IncludeDeleted: all, Limit: 10})
			s.must(err)
			for _, r := range found {
				ids = append(ids, r.ID)
			}
			return ids
		}
		s.equal(list(false), "[a]")
		s.equal(list(true), "[a b]")
		counts, err := store.Counts(s.Context(), s.tx, place, nil)
		s.must(err)
		s.equal(counts, "[{A::B::C 1} {A::B::D 1}]")
		keys, err := store.LiveKeys(s.Context(), s.tx, place, nil, key("A::B::C", "a"), 10)
		s.must(err)
		s.equal(keys, []config.ResourceKey{key("A::B::D", "c")})
		collected, err := store.CollectedKeys(s.Context(), s.tx, place, "A::B::D", "", 10)
		s.must(err)
		s.equal(len(collected), 0)
	})
}

func TestPlacesAreWalls(t *testing.T) {
	run(t, func(s suite) {
		s.add(key("A::B::C", "a"), 1)
		other := config.Place{Account: place.Account, Region: "us-east-1"}
		s.add(config.ResourceKey{Place: other, Type: "A::B::C", ID: "b"}, 1)
		counts, err := store.Counts(s.Context(), s.tx, other, nil)
		s.must(err)
		s.equal(counts, "[{A::B::C 1}]")
		if _, err := store.CurrentItem(s.Context(), s.tx, config.ResourceKey{Place: other, Type: "A::B::C", ID: "a"}); !errors.Is(err, store.ErrNotFound) {
			s.Fatalf("got %v", err)
		}
	})
}

func TestRulesAreInByteOrderAndTheirChangesAreCounted(t *testing.T) {
	run(t, func(s suite) {
		for _, name := range []string{"b", "a", "B", "é"} {
			s.must(store.PutRule(s.Context(), s.tx, config.Rule{Place: place, Name: name, ID: "id-" + name, State: config.RuleActive}))
		}
		rules, err := store.Rules(s.Context(), s.tx, place, "", 0)
		s.must(err)
		var names []string
		for _, r := range rules {
			names = append(names, r.Name)
		}
		s.equal(names, "[B a b é]")
		before, err := store.RuleSetVersion(s.Context(), s.tx, place)
		s.must(err)
		s.must(store.SetRuleState(s.Context(), s.tx, rules[0], config.RuleEvaluating))
		same, err := store.RuleSetVersion(s.Context(), s.tx, place)
		s.must(err)
		s.must(store.DeleteRule(s.Context(), s.tx, rules[0]))
		after, err := store.RuleSetVersion(s.Context(), s.tx, place)
		s.must(err)
		if same != before || after == before {
			s.Fatalf("versions %d, %d, %d", before, same, after)
		}
	})
}

func TestTalliesRollUp(t *testing.T) {
	run(t, func(s suite) {
		r1, r2 := config.Rule{Place: place, Name: "r1", ID: "1"}, config.Rule{Place: place, Name: "r2", ID: "2"}
		for r, say := range map[string][3]config.Compliance{
			"1": {config.Compliant, config.NonCompliant, config.NotApplicable},
			"2": {config.Compliant, config.NonCompliant, config.Compliant},
		} {
			rule := map[string]config.Rule{"1": r1, "2": r2}[r]
			s.must(store.PutRule(s.Context(), s.tx, rule))
			var verdicts []store.NewVerdict
			for i, c := range say {
				verdicts = append(verdicts, store.NewVerdict{RuleID: rule.ID, Verdict: config.Verdict{Evaluation: config.Evaluation{
					ResourceType: "A::B::C", ResourceID: fmt.Sprint("x", i), Compliance: c, Ordering: noon}}})
			}
			s.must(store.PutVerdicts(s.Context(), s.tx, place, verdicts))
		}
		rules, err := store.TallyRules(s.Context(), s.tx, []string{"1", "2", "3"})
		s.must(err)
		s.equal(rules, "map[1:{1 1} 2:{2 1}]")
		all, err := store.TallyType(s.Context(), s.tx, place, "")
		s.must(err)
		s.equal(all, "{2 1}")
		bad, err := store.TallyResources(s.Context(), s.tx, place, store.TallyQuery{Compliance: []config.Compliance{config.NonCompliant}})
		s.must(err)
		s.equal(bad, "[{A::B::C x1 {0 2}}]")
		shown, err := store.VerdictsByRule(s.Context(), s.tx, r1, store.VerdictPage{Limit: 10})
		s.must(err)
		s.equal(len(shown), 2)
		forgotten, err := store.DeleteVerdicts(s.Context(), s.tx, r1, 2)
		s.must(err)
		s.equal(len(forgotten), 2)
	})
}

func TestAnyTimeCanBeAnOrderingTime(t *testing.T) {
	run(t, func(s suite) {
		r := config.Rule{Place: place, Name: "r", ID: "1"}
		s.must(store.PutRule(s.Context(), s.tx, r))
		times := []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(1754, 8, 30, 22, 43, 41, 0, time.UTC)}
		var verdicts []store.NewVerdict
		for i, at := range times {
			verdicts = append(verdicts, store.NewVerdict{RuleID: r.ID, Verdict: config.Verdict{Evaluation: config.Evaluation{
				ResourceType: "A::B::C", ResourceID: fmt.Sprint("x", i), Compliance: config.Compliant, Ordering: at}}})
		}
		s.must(store.PutVerdicts(s.Context(), s.tx, place, verdicts))
		kept, err := store.VerdictsByRule(s.Context(), s.tx, r, store.VerdictPage{Limit: 10})
		s.must(err)
		var got []time.Time
		for _, v := range kept {
			got = append(got, v.Ordering)
		}
		s.equal(got, fmt.Sprint(times))
	})
}

func TestSecretIsMadeOnce(t *testing.T) {
	run(t, func(s suite) {
		a, err := store.Secret(s.Context(), s.tx, "x")
		s.must(err)
		b, err := store.Secret(s.Context(), s.tx, "x")
		s.must(err)
		s.equal(a, b)
		s.equal(len(a), 32)
	})
}
