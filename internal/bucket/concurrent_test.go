package bucket

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/model"
)

func TestManyWritersOfOneObjectLeaveOneLatestVersion(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := open(t, d)
		b, err := k.Find(t.Context(), "kept")
		must(t, err)
		must(t, k.SetVersioning(t.Context(), b, VersioningEnabled))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					if _, err := k.Put(t.Context(), account, "kept", "k", strings.NewReader("x"), Meta{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		l, err := k.ListVersions(t.Context(), b, ListRequest{Limit: 1000})
		must(t, err)
		latest := 0
		for _, o := range l.Objects {
			if o.Latest {
				latest++
			}
		}
		if len(l.Objects) != 40 || latest != 1 || !l.Objects[0].Latest {
			t.Errorf("%d versions, %d of them the latest", len(l.Objects), latest)
		}
	})
}

func TestABucketIsNotDeletedUnderAnObject(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := open(t, d)
		for i := range 20 {
			b := Bucket{Place: config.Place{Account: account, Region: "us-east-1"}, Name: fmt.Sprintf("brief-%d", i)}
			must(t, k.Create(t.Context(), b, nil))
			var put, del error
			var both sync.WaitGroup
			both.Go(func() { _, put = k.Put(t.Context(), account, b.Name, "k", strings.NewReader("x"), Meta{}) })
			both.Go(func() { del = k.Delete(t.Context(), b) })
			both.Wait()
			kept := put == nil && model.IsCode(del, "BucketNotEmpty")
			gone := del == nil && model.IsCode(put, "NoSuchBucket")
			if !kept && !gone {
				t.Errorf("put: %v, delete: %v", put, del)
			}
		}
	})
}
