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
		record := func(ctx context.Context, r *recorder.Recorder, n int) error {
			it := item(instance, "i-1", map[string]any{"version": int64(n)})
			return r.Record(ctx, place, []recorder.Observation{{Item: it}})
		}
		others, elsewhere := 0, w.another(t)
		w.recorder.Judge = func(ctx context.Context, _ config.Place, _ []config.Item) (func(context.Context, *db.Tx) error, error) {
			ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			if record(ctx, elsewhere, others) == nil { // another server comes between, unless it has to wait
				others++
			}
			return func(context.Context, *db.Tx) error { return nil }, nil
		}
		if err := record(t.Context(), w.recorder, 1000); err != nil {
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
