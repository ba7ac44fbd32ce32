package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/store"
)

func (p *past) count(query string, args ...any) (n int) {
	p.Helper()
	p.must(p.tx.QueryRow(p.Context(), query, args...).Scan(&n))
	return n
}

func (p *past) keep(days int) {
	p.Helper()
	p.must(store.PutRetention(p.Context(), p.tx, config.RetentionConfiguration{Place: place, Name: config.RetentionName, Days: days}))
}

// expire deletes what is too old, in small pages. Whole months only if asked for.
func (p *past) expire(now time.Time, months bool) {
	p.Helper()
	all, err := store.AllKept(p.Context(), p.tx, config.Place{}, 10)
	p.must(err)
	for _, k := range all {
		for n := 2; n == 2; {
			n, err = store.ExpireResources(p.Context(), p.tx, k, now, 2)
			p.must(err)
		}
		for after, first := (config.ResourceKey{}), true; first || after.ID != ""; first = false {
			after, err = store.ExpireHistory(p.Context(), p.tx, k, now, after, 2)
			p.must(err)
		}
	}
	for resource, more := int64(0), months; more; {
		resource, more, err = store.ExpireMonth(p.Context(), p.tx, now, resource, 2)
		p.must(err)
	}
}

// forget drops from what was recorded the resources that are gone since before a
// time.
func (p *past) forget(before time.Time) {
	for id, all := range p.items {
		if it := all[len(all)-1]; it.Status.Gone() && it.CaptureTime.Before(before) {
			delete(p.items, id)
			if _, err := store.CurrentItem(p.Context(), p.tx, it.ResourceKey); !errors.Is(err, store.ErrNotFound) {
				p.Fatalf("%s is gone since %s and still there: %v", id, it.CaptureTime, err)
			}
		}
	}
}

func TestOldHistoryGoesAndWhatWasTrueAtTheBoundaryStays(t *testing.T) {
	for _, months := range []bool{false, true} {
		t.Run(fmt.Sprint("months dropped ", months), func(t *testing.T) {
			run(t, func(s suite) {
				p, r := &past{s, map[string][]config.Item{}}, rand.New(rand.NewPCG(3, 4))
				p.live(r, noon, 3, true)
				p.keep(100)
				now := noon.AddDate(0, 3, 0)
				for range 6 { // it lives on, and every other month what is old goes
					now = p.live(r, now.AddDate(0, 0, 3), 2, true)
					p.carry(now)
					p.expire(now, months)
					boundary := now.AddDate(0, 0, -100)
					p.forget(boundary)
					p.check(r, boundary, now)
				}
				p.equal(p.count(`SELECT count(*) FROM resource`), len(p.items))
				unused := p.count(`SELECT count(*) FROM body b WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = b.resource)`)
				p.equal(unused, 0)
				if kept := p.count(`SELECT count(*) FROM item_month`); (kept <= 6) != months {
					p.Fatalf("%d months are kept", kept)
				}
			})
		})
	}
}

func TestMonthsGoOnlyWhenNoPlaceNeedsThem(t *testing.T) {
	run(t, func(s suite) {
		p := &past{s, map[string][]config.Item{}}
		p.record("x", noon, config.StatusOK, 1)
		other := key(pastType, "y")
		other.Region = "us-east-1"
		s.add(other, 1)
		p.keep(30)
		for i := range 4 {
			p.record("x", noon.AddDate(0, i+1, 0), config.StatusOK, i)
		}
		now := noon.AddDate(0, 5, 0)
		p.carry(now)
		p.expire(now, true)
		p.equal(p.count(`SELECT count(*) FROM item_month`), 6)
		p.check(rand.New(rand.NewPCG(1, 2)), now.AddDate(0, 0, -30), now)
		p.carry(noon.AddDate(8, 0, 0))
		p.expire(noon.AddDate(8, 0, 0), true)
		p.equal(p.count(`SELECT count(*) FROM item_month`), 1)
		it, err := store.CurrentItem(s.Context(), s.tx, other)
		s.must(err)
		s.equal(it.StateID, noon.Add(time.Minute).UnixMilli())
		items, err := store.History(s.Context(), s.tx, store.HistoryQuery{Key: other, To: noon.AddDate(8, 0, 0), Limit: 10})
		s.must(err)
		s.equal(len(items), 1)
	})
}

func TestRetentionIsKeptByPlace(t *testing.T) {
	run(t, func(s suite) {
		if _, err := store.Retention(s.Context(), s.tx, place); !errors.Is(err, store.ErrNotFound) {
			s.Fatalf("before it was put: %v", err)
		}
		for _, days := range []int{30, 60} {
			s.must(store.PutRetention(s.Context(), s.tx, config.RetentionConfiguration{Place: place, Name: config.RetentionName, Days: days}))
			r, err := store.Retention(s.Context(), s.tx, place)
			s.must(err)
			s.equal(r.Days, days)
		}
		s.must(store.DeleteRetention(s.Context(), s.tx, place))
		if err := store.DeleteRetention(s.Context(), s.tx, place); !errors.Is(err, store.ErrNotFound) {
			s.Fatalf("deleted twice: %v", err)
		}
		all, err := store.AllKept(s.Context(), s.tx, config.Place{}, 10)
		s.must(err)
		s.equal(all[0].Days, config.DefaultRetention)
	})
}
