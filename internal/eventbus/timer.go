package eventbus

import (
	"context"
	"encoding/json"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/schedule"
)

// fireJob waits for the time at which a rule's schedule is due. A rule that was put
// again is due at another time, and the job that waited for the former one does
// nothing.
type fireJob struct {
	Place config.Place `json:"place"`
	Rule  string       `json:"rule"`
	Due   int64        `json:"due"`
	Since int64        `json:"since"`
}

// Kind names the job.
func (fireJob) Kind() string { return "eventbus.fire" }

// Owner is the rule's account.
func (j fireJob) Owner() string { return j.Place.Account }

// await inserts the job that waits for a rule's next time, if there is one.
func (b *Bus) await(ctx context.Context, tx *db.Tx, r Rule) error {
	if r.due.IsZero() {
		return nil
	}
	return b.jobs.Insert(ctx, tx, fireJob{r.Place, r.Name, db.Micros(r.due), db.Micros(r.since)}, job.Options{At: r.due})
}

// fire makes the event of a rule whose schedule is due, and has the next one waited
// for. Times that were missed while no server ran are not made up for: the one event
// stands for all of them.
func (b *Bus) fire(ctx context.Context, j job.Job[fireJob]) (job.Commit, error) {
	return func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Lock(ctx, busARN(j.Args.Place, Default)); err != nil {
			return err
		}
		r, err := FindRule(ctx, tx, j.Args.Place, Default, j.Args.Rule)
		if model.IsCode(err, "ResourceNotFoundException") {
			return nil
		}
		if err != nil || db.Micros(r.due) != j.Args.Due || db.Micros(r.since) != j.Args.Since {
			return err
		}
		targets, err := targetsOf(ctx, tx, r)
		if err != nil {
			return err
		}
		e := Event{ID: newID(), Source: "aws.events", DetailType: "Scheduled Event", Detail: json.RawMessage("{}"), Resources: []string{r.ARN()}, Time: r.due}
		body, err := e.body(r.Account, r.Region)
		if err != nil {
			return err
		}
		now := b.now()
		put := routeJob{Place: r.Place, Bus: Default, From: r.Account, Put: db.Micros(now)}
		if err := b.handAll(ctx, tx, b.of(matched{r, targets}, put, body)); err != nil {
			return err
		}
		expression, err := schedule.Parse(r.Schedule)
		if err != nil {
			return err
		}
		r.due, _ = expression.Next(later(now, r.due), r.since, time.UTC)
		if err := writeRule(ctx, tx, r); err != nil {
			return err
		}
		return b.await(ctx, tx, r)
	}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
