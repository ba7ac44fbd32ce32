package store_test

import (
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/store"
)

func TestChangesAreListedNewestFirstOverMonths(t *testing.T) {
	run(t, func(s suite) {
		a, b := key("A::B::C", "a"), key("A::B::D", "b")
		const month = 31 * 24 * 60
		for _, it := range []struct {
			key    config.ResourceKey
			minute int
		}{{a, 1}, {b, 2}, {a, 3}, {a, month}, {b, month + 1}} {
			s.add(it.key, it.minute)
		}
		q := store.ChangeQuery{From: noon, To: noon.AddDate(0, 2, 0), Limit: 2, Look: 100}
		var minutes []int
		for {
			got, err := store.ListChanges(s.Context(), s.tx, q)
			s.must(err)
			for _, c := range got.Found {
				minutes = append(minutes, int(c.At().Sub(noon)/time.Minute))
			}
			if q.Before = got.Last; !got.More {
				break
			}
		}
		s.equal(minutes, []int{month + 1, month, 3, 2, 1})

		q = store.ChangeQuery{From: noon.Add(2 * time.Minute), To: noon.Add(3 * time.Minute), Limit: 9, Look: 100}
		got, err := store.ListChanges(s.Context(), s.tx, q)
		s.must(err)
		s.equal(len(got.Found), 2)
		s.equal(got.Found[0].Previous, noon.Add(time.Minute).UnixMilli())

		q.Keep = func(c store.Change) bool { return c.Type == "A::B::C" }
		got, err = store.ListChanges(s.Context(), s.tx, q)
		s.must(err)
		s.equal(len(got.Found), 1)
		newest, err := store.NewestChange(s.Context(), s.tx)
		s.must(err)
		s.equal(newest, noon.Add((month+1)*time.Minute).UnixMilli())
	})
}

func TestSearchForFewChangesEndsAfterSome(t *testing.T) {
	run(t, func(s suite) {
		for i := range 10 {
			s.add(key("A::B::C", "a"), i)
		}
		q := store.ChangeQuery{From: noon, To: noon.AddDate(0, 0, 1), Keep: func(store.Change) bool { return false }, Limit: 5, Look: 4}
		got, err := store.ListChanges(s.Context(), s.tx, q)
		s.must(err)
		s.equal(got.More, true)
		s.equal(got.Last.StateID, noon.Add(6*time.Minute).UnixMilli())
	})
}

func TestVerdictKeepsSinceWhenItIsWhatItIs(t *testing.T) {
	run(t, func(s suite) {
		r := config.Rule{Place: place, Name: "r", ID: "config-rule-r", State: config.RuleActive}
		s.must(store.PutRule(s.Context(), s.tx, r))
		var old config.Compliance
		say := func(c config.Compliance, minute int, id string) {
			s.must(store.HoldAll(s.Context(), s.tx, place, []config.ResourceKey{key("A::B::C", id)}))
			at := noon.Add(time.Duration(minute) * time.Minute)
			s.must(store.PutVerdicts(s.Context(), s.tx, place, []store.NewVerdict{{RuleID: r.ID, Old: old, Verdict: config.Verdict{
				Evaluation: config.Evaluation{ResourceType: "A::B::C", ResourceID: id, Compliance: c, Ordering: at}, Invoked: at, Recorded: at}}}))
			old = c
		}
		turned := func() int {
			got, err := store.JudgmentsOn(s.Context(), s.tx, key("A::B::C", "x"), 10)
			s.must(err)
			s.equal(len(got), 1)
			return int(got[0].Turned.Sub(noon) / time.Minute)
		}
		say(config.NonCompliant, 1, "x")
		s.equal(turned(), 1)
		say(config.NonCompliant, 2, "x")
		s.equal(turned(), 1)
		say(config.Compliant, 3, "x")
		s.equal(turned(), 3)
		say(config.NonCompliant, 4, "x")
		old = ""
		say(config.NonCompliant, 5, "y")

		failing, last, err := store.FailuresOf(s.Context(), s.tx, r, store.FailurePosition{}, 1)
		s.must(err)
		s.equal(failing[0].Key.ID, "y")
		failing, _, err = store.FailuresOf(s.Context(), s.tx, r, last, 5)
		s.must(err)
		s.equal(len(failing), 1)
		s.equal(failing[0].Key.ID, "x")
		times, err := store.FailingTimes(s.Context(), s.tx, []string{r.ID, "another"}, noon.Add(5*time.Minute), 10)
		s.must(err)
		s.equal(len(times), 1)
		got := times[r.ID]
		s.equal([]any{got.Oldest.Sub(noon), got.Newest.Sub(noon), got.Fresh}, []any{4 * time.Minute, 5 * time.Minute, 1})
		groups, err := store.FailingRules(s.Context(), s.tx, "")
		s.must(err)
		s.equal(len(groups), 1)
		s.equal(groups[0].NonCompliant, 2)
		listed, err := store.ListRules(s.Context(), s.tx, "", store.RulePosition{}, 10)
		s.must(err)
		s.equal(len(listed), 1)
		s.equal(listed[0].NonCompliant, 2)
		s.add(key("A::B::C", "z"), 9)
		left, _, err := store.UnjudgedBy(s.Context(), s.tx, r, "A::B::C", "", 10, 100)
		s.must(err)
		s.equal(left, []string{"z"})
		tallies, err := store.RollUps(s.Context(), s.tx, place, []config.ResourceKey{key("A::B::C", "x"), key("A::B::C", "never")})
		s.must(err)
		s.equal(tallies[key("A::B::C", "x")].NonCompliant, 1)
	})
}
