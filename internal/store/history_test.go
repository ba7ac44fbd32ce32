package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

// A past is what a test recorded: the items of each resource, the oldest first.
type past struct {
	suite
	items map[string][]config.Item
}

const pastType = "A::B::C"

func (p *past) record(id string, at time.Time, status config.ItemStatus, n int) {
	p.Helper()
	it := config.Item{
		ResourceKey: key(pastType, id), Status: status, CaptureTime: at, StateID: at.UnixMilli(), AWSRegion: place.Region,
		Tags: map[string]string{}, Supplementary: map[string]any{}, Name: "name of " + id,
	}
	if !status.Gone() {
		it.Configuration = map[string]any{"text": "what rarely changes, and is long enough to be worth a dictionary", "n": int64(n), "nul": "a\x00b"}
	}
	body, err := json.Marshal(it)
	p.must(err)
	p.must(store.AppendItems(p.Context(), p.tx, []store.NewItem{{Item: it, Body: body, Digest: []byte{1}}}))
	p.items[id] = append(p.items[id], it)
}

// carry writes all reference rows that are due, in small pages.
func (p *past) carry(now time.Time) {
	p.Helper()
	for more := true; more; {
		var err error
		more, err = store.CarryForward(p.Context(), p.tx, now, 3)
		p.must(err)
	}
}

// then returns the item that was the newest at a time.
func (p *past) then(id string, t time.Time) (config.Item, bool) {
	for _, it := range slices.Backward(p.items[id]) {
		if !it.CaptureTime.After(t) {
			return it, !it.Status.Gone()
		}
	}
	return config.Item{}, false
}

func (p *past) history(id string, from, to time.Time, forward bool, page int) (states []int64) {
	p.Helper()
	q := store.HistoryQuery{Key: key(pastType, id), From: from, To: to, Forward: forward, Limit: page}
	for {
		items, err := store.History(p.Context(), p.tx, q)
		p.must(err)
		for _, it := range items {
			states = append(states, it.StateID)
		}
		if len(items) < page {
			return states
		}
		q.After = states[len(states)-1]
	}
}

// check compares every read of the history with what was recorded since.
func (p *past) check(r *rand.Rand, since, until time.Time) {
	p.Helper()
	for id, all := range p.items {
		var states []int64
		for i, it := range all {
			boundary := i+1 == len(all) || all[i+1].CaptureTime.After(since)
			if it.CaptureTime.Before(since) && (!boundary || it.Status.Gone()) {
				continue
			}
			states = append(states, it.StateID)
			got, err := store.ItemVersion(p.Context(), p.tx, it.Version())
			p.must(err)
			p.equal(got, it)
			before, err := store.ItemBefore(p.Context(), p.tx, it.Version())
			if len(states) > 1 {
				p.must(err)
				p.equal(before, all[i-1])
			} else if !errors.Is(err, store.ErrNotFound) {
				p.Fatalf("before the first: %v, %v", before, err)
			}
		}
		for page := 1; page < 8; page += 3 {
			p.equal(p.history(id, time.Time{}, until, true, page), states)
			backward := p.history(id, time.Time{}, until, false, page)
			slices.Reverse(backward)
			p.equal(backward, states)
		}
		from, to := since.Add(time.Duration(r.Int64N(int64(until.Sub(since))))), since.Add(time.Duration(r.Int64N(int64(until.Sub(since)))))
		part := slices.DeleteFunc(slices.Clone(states), func(s int64) bool { return s < from.UnixMilli() || s > to.UnixMilli() })
		p.equal(p.history(id, from, to, true, 2), part)
		slices.Reverse(part)
		p.equal(p.history(id, from, to, false, 2), part)
		newest, err := store.CurrentItem(p.Context(), p.tx, key(pastType, id))
		p.must(err)
		p.equal(newest, all[len(all)-1])
	}
	for range 20 {
		p.checkAsOf(since.Add(time.Duration(r.Int64N(int64(until.Sub(since))))))
	}
}

func (p *past) checkAsOf(t time.Time) {
	p.Helper()
	var got, want []string
	var after config.ResourceKey
	for {
		items, next, err := store.AsOf(p.Context(), p.tx, place, t, nil, after, 2)
		p.must(err)
		for _, it := range items {
			got = append(got, fmt.Sprint(it.ID, " ", it.StateID))
		}
		if after = next; next.ID == "" {
			break
		}
	}
	for id := range p.items {
		it, ok := p.then(id, t)
		one, err := store.AsOfOne(p.Context(), p.tx, key(pastType, id), t)
		if ok {
			want = append(want, fmt.Sprint(it.ID, " ", it.StateID))
			p.must(err)
			p.equal(one, it)
		} else if !errors.Is(err, store.ErrNotFound) {
			p.Fatalf("%s did not exist at %s: %v, %v", id, t, one, err)
		}
	}
	slices.Sort(want)
	p.equal(got, want)
}

// live records random changes of some resources through a number of months.
func (p *past) live(r *rand.Rand, from time.Time, months int, carry bool) time.Time {
	now := from
	for now.Before(from.AddDate(0, months, 0)) {
		id := fmt.Sprint("r", r.IntN(9))
		all := p.items[id]
		status, n := config.StatusOK, r.IntN(3)
		switch {
		case len(all) == 0 || all[len(all)-1].Status.Gone():
			status = config.StatusDiscovered
		case r.IntN(4) == 0:
			status = config.StatusDeleted
		}
		p.record(id, now, status, n)
		later := now.Add(time.Duration(r.Int64N(int64(20 * 24 * time.Hour)))).Truncate(time.Millisecond)
		if later.Month() != now.Month() && r.IntN(2) == 0 {
			later = time.Date(later.Year(), later.Month(), 1, 0, 0, 0, 0, time.UTC)
		}
		if now = later; carry && r.IntN(3) == 0 {
			p.carry(now)
		}
	}
	return now
}

func TestHistoryOverMonthsIsReadAsItWasRecorded(t *testing.T) {
	for _, carry := range []bool{false, true} {
		t.Run(fmt.Sprint("carried ", carry), func(t *testing.T) {
			run(t, func(s suite) {
				p, r := &past{s, map[string][]config.Item{}}, rand.New(rand.NewPCG(1, 2))
				until := p.live(r, noon, 15, carry)
				p.check(r, noon.Add(-time.Hour), until)
				p.carry(until)
				p.check(r, noon.Add(-time.Hour), until)
			})
		})
	}
}

func TestABodyIsKeptOnceForItemsThatSayTheSame(t *testing.T) {
	run(t, func(s suite) {
		p := &past{s, map[string][]config.Item{}}
		for i, n := range []int{1, 1, 2, 2, 1} {
			p.record("x", noon.AddDate(0, i, 0), config.StatusOK, n)
		}
		p.carry(noon.AddDate(0, 9, 0))
		var kept int
		s.must(s.tx.QueryRow(s.Context(), `SELECT count(*) FROM body`).Scan(&kept))
		s.equal(kept, 3)
		p.check(rand.New(rand.NewPCG(1, 2)), noon.Add(-time.Hour), noon.AddDate(0, 9, 0))
	})
}

// What is packed is unpacked also by a server that packed none of it, and after
// newer dictionaries took over.
func TestBodiesAreReadWithTheDictionariesThatPackedThem(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		p := &past{items: map[string][]config.Item{}}
		in := func(f func()) {
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				p.suite = newSuite(t, tx)
				f()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 4 { // one by one, and again after a year
			in(func() { p.record(fmt.Sprint("a", i), noon.AddDate(i/2, 0, i), config.StatusOK, i) })
		}
		in(func() { // more at once
			var batch []store.NewItem
			for i := range 20 {
				it := p.items["a1"][0]
				it.ID, it.CaptureTime = fmt.Sprint("b", i), noon.AddDate(1, 2, i)
				it.StateID = it.CaptureTime.UnixMilli()
				body, err := json.Marshal(it)
				p.must(err)
				batch = append(batch, store.NewItem{Item: it, Body: body, Digest: []byte{1}})
				p.items[it.ID] = []config.Item{it}
			}
			p.must(store.Pack(p.Context(), p.tx, batch[:10]))
			p.must(store.AppendItems(p.Context(), p.tx, batch))
		})
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			p.suite = newSuite(t, tx)
			var versions, packed int
			p.must(tx.QueryRow(t.Context(), `SELECT count(*) FROM dictionary`).Scan(&versions))
			p.must(tx.QueryRow(t.Context(), `SELECT count(*) FROM body WHERE coding = 1`).Scan(&packed))
			p.equal(fmt.Sprint(versions, packed), "3 24")
			p.check(rand.New(rand.NewPCG(1, 2)), noon.Add(-time.Hour), noon.AddDate(2, 0, 0))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
