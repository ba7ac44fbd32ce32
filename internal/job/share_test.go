package job_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"plumb/internal/clock"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

type chore struct{ Account string }

func (chore) Kind() string    { return "chore" }
func (c chore) Owner() string { return c.Account }

func TestOneOwnerLeavesWorkersToOthers(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		queue, err := job.New(t.Context(), d, slog.New(slog.DiscardHandler), &clock.Clock{}, "server-1",
			job.QueueOptions{Workers: map[string]int{job.Default: 4}, Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		var running, most atomic.Int32
		release, others := make(chan struct{}), make(chan struct{}, 1)
		job.Handle(queue, func(_ context.Context, j job.Job[chore]) error {
			if j.Args.Account == "other" {
				others <- struct{}{}
				return nil
			}
			now := running.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			<-release
			running.Add(-1)
			return nil
		}, job.Policy{})
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			all := make([]chore, 12)
			for i := range all {
				all[i].Account = "busy"
			}
			return job.InsertMany(t.Context(), queue, tx, append(all, chore{"other"}), job.Options{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := queue.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-others
		if most.Load() > 3 {
			t.Errorf("%d jobs of one owner ran at once", most.Load())
		}
		close(release)
		if err := queue.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
