package recorder_test

import (
	"context"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/recorder"
	"plumb/internal/store"
)

func TestBatchThatAlwaysLosesHoldsItsResourcesAndWins(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		w.start()
		record := func(ctx context.Context, n int) error {
			it := item(instance, "i-1", map[string]any{"version": int64(n)})
			return w.recorder.Record(ctx, place, []recorder.Observation{{Item: it}})
		}
		others, nested := 0, false
		w.recorder.Judge = func(ctx context.Context, _ config.Place, _ []config.Item) (func(context.Context, *db.Tx) error, error) {
			if !nested { // another writer comes between, unless it has to wait
				nested = true
				ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
				if record(ctx, others) == nil {
					others++
				}
				cancel()
				nested = false
			}
			return func(context.Context, *db.Tx) error { return nil }, nil
		}
		if err := record(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		if others == 0 {
			t.Error("nobody came between")
		}
		w.write(func(tx *db.Tx) error {
			it, err := store.CurrentItem(t.Context(), tx, config.ResourceKey{Place: place, Type: instance, ID: "i-1"})
			if err == nil && it.Configuration.(map[string]any)["version"] != int64(1000) {
				t.Errorf("the newest item is %v", it.Configuration)
			}
			return err
		})
	})
}
