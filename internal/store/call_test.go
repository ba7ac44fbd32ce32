package store_test

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/store"
)

func TestAResourceIsFoundByEachOfItsNamesAndOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			s := newSuite(t, tx)
			for _, id := range []string{"r-1", "r-2", "r-3"} {
				s.add(key("A::B::C", id), 1, func(it *store.NewItem) { it.Name, it.ARN = "name of "+id, "arn:"+id })
			}
			s.add(key("A::B::C", "r-4"), 1, func(it *store.NewItem) { it.Status = config.StatusDeleted })
			s.add(key("A::B::D", "r-1"), 1, func(it *store.NewItem) { it.ARN = "arn:r-2" })
			named := func(limit int, names ...string) (ids []string) {
				found, err := store.Named(t.Context(), tx, place, []string{"A::B::C"}, names, limit)
				s.must(err)
				for _, k := range found {
					ids = append(ids, k.ID)
				}
				return ids
			}
			s.equal(named(9, "arn:r-1", "r-2", "name of r-2", "arn:r-2", "name of r-3", "r-4", ""), []string{"r-1", "r-2", "r-3"})
			s.equal(len(named(2, "r-1", "arn:r-1", "name of r-1", "r-2", "arn:r-3")), 2)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
