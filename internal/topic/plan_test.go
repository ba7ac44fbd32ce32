package topic_test

import (
	"log/slog"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/topic"
)

func TestListsGoByIndexes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		jobs, err := job.New(t.Context(), d, slog.New(slog.DiscardHandler), &clock.Clock{}, "server")
		if err != nil {
			t.Fatal(err)
		}
		s := topic.New(slog.New(slog.DiscardHandler), d, jobs, time.Now, topic.Options{})
		p := config.Place{Account: "123456789012", Region: "eu-west-1"}
		dbtest.PageOf(t, d, func() error { _, err := s.List(t.Context(), p, "b", 10); return err })
		for _, of := range []string{"", "b"} {
			dbtest.PageOf(t, d, func() error { _, err := s.Subscriptions(t.Context(), p, of, "b:x", 10); return err })
		}
	})
}
