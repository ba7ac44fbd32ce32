package scheduler

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/schedule"
)

// fireJob waits for the time at which a schedule is due. A schedule that was changed is
// awaited by another job, and this one does nothing.
type fireJob struct {
	Place   config.Place `json:"place"`
	Group   string       `json:"group"`
	Name    string       `json:"name"`
	Due     int64        `json:"due"`
	Changed int64        `json:"changed"`
}

// Kind names the job.
func (fireJob) Kind() string { return "scheduler.fire" }

// Owner is the schedule's account.
func (j fireJob) Owner() string { return j.Place.Account }

// An Invocation is what a target is handed.
type Invocation struct {
	Schedule Schedule
	Due      time.Time
	ID       string
	Input    string // the placeholder of the attempt's number still in it
	Event    *Event // for an event bus
}

// An Event is what is put on an event bus.
type Event struct {
	Source, DetailType string
	Detail             string
}

// begin writes a schedule that was created or changed, and has its first time awaited.
func (s *Scheduler) begin(ctx context.Context, tx *db.Tx, x Schedule) error {
	x.Changed, x.due = s.now(), time.Time{}
	if x.State == Enabled {
		due, err := x.first()
		if err != nil {
			return err
		}
		x.due = due
	}
	if err := write(ctx, tx, x); err != nil {
		return err
	}
	return s.await(ctx, tx, x)
}

// first is the first time of a schedule that begins when it was changed. A rate begins
// with an invocation, at once or at the start.
func (x Schedule) first() (time.Time, error) {
	e, err := schedule.Parse(x.Expression)
	if err != nil {
		return time.Time{}, err
	}
	if begin := x.beginning(); e.Rate() && !begin.Before(x.Changed) && (x.End.IsZero() || !begin.After(x.End)) {
		return begin, nil
	}
	return x.next(x.Changed)
}

// beginning is what a rate counts from.
func (x Schedule) beginning() time.Time {
	if x.Start.IsZero() {
		return x.Changed
	}
	return x.Start
}

// next is the first time after a time, or zero if there is none.
func (x Schedule) next(after time.Time) (time.Time, error) {
	e, err := schedule.Parse(x.Expression)
	if err != nil {
		return time.Time{}, err
	}
	zone, err := x.zone()
	if err != nil {
		return time.Time{}, err
	}
	if before := x.Start.Add(-time.Second); !e.Once() && before.After(after) {
		after = before
	}
	due, ok := e.Next(after, x.beginning(), zone)
	if !ok || !e.Once() && !x.End.IsZero() && due.After(x.End) {
		return time.Time{}, nil
	}
	return due.UTC(), nil
}

func write(ctx context.Context, tx *db.Tx, x Schedule) error {
	definition, err := json.Marshal(storeSettings(x.Settings))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO schedules (account, region, grouping, name, state, created, changed, due, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, grouping, name) DO UPDATE SET state = excluded.state, changed = excluded.changed, due = excluded.due,
			definition = excluded.definition`,
		x.Account, x.Region, x.Group, x.Name, x.State, db.Micros(x.Created), db.Micros(x.Changed), db.Micros(x.due), string(definition))
	if err != nil {
		return fmt.Errorf("write schedule %s: %w", x.Name, err)
	}
	return nil
}

// await inserts the job that waits for a schedule's next time, if there is one: that
// time, or one in the window after it.
func (s *Scheduler) await(ctx context.Context, tx *db.Tx, x Schedule) error {
	if x.due.IsZero() {
		return nil
	}
	at := x.due
	if x.Window > 0 {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(x.Window)))
		if err != nil {
			return err
		}
		at = at.Add(time.Duration(n.Int64()))
	}
	return s.jobs.Insert(ctx, tx, fireJob{x.Place, x.Group, x.Name, db.Micros(x.due), db.Micros(x.Changed)}, job.Options{At: at})
}

// fire invokes the target of a schedule that is due, and has the next time awaited.
func (s *Scheduler) fire(ctx context.Context, tx *db.Tx, j job.Job[fireJob]) error {
	if err := lock(ctx, tx, Schedule{Place: j.Args.Place, Group: j.Args.Group, Name: j.Args.Name}); err != nil {
		return err
	}
	x, err := find(ctx, tx, j.Args.Place, j.Args.Group, j.Args.Name)
	if errors.Is(err, errNone) {
		return nil
	}
	if err != nil || db.Micros(x.due) != j.Args.Due || db.Micros(x.Changed) != j.Args.Changed {
		return err
	}
	if err := s.send(ctx, tx, x.invocation()); err != nil {
		return err
	}
	after := x.due
	if now := s.now(); now.After(after) {
		after = now
	}
	if x.due, err = x.next(after); err != nil {
		return err
	}
	if x.due.IsZero() && x.Delete {
		return remove(ctx, tx, x)
	}
	if err := write(ctx, tx, x); err != nil {
		return err
	}
	return s.await(ctx, tx, x)
}

const timeLayout = "2006-01-02T15:04:05Z"

// The placeholder of the attempt's number is filled for each attempt.
const AttemptNumber = "<aws.scheduler.attempt-number>"

// invocation is what a schedule that is due hands to its target.
func (x Schedule) invocation() Invocation {
	i := Invocation{Schedule: x, Due: x.due, ID: newID()}
	fill := strings.NewReplacer("<aws.scheduler.schedule-arn>", x.ARN(), "<aws.scheduler.scheduled-time>", x.due.UTC().Format(timeLayout),
		"<aws.scheduler.execution-id>", i.ID)
	i.Input = fill.Replace(x.Target.Input)
	if x.Target.Source != "" {
		i.Event = &Event{x.Target.Source, x.Target.DetailType, i.Input}
		if i.Input == "" {
			i.Event.Detail = "{}"
		}
		return i
	}
	if i.Input == "" {
		i.Input = x.usual(i.ID)
	}
	return i
}

// usual is what a target gets that no input was set for.
func (x Schedule) usual(id string) string {
	text, _ := json.Marshal(struct { // text cannot fail
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
		Detail     string   `json:"detail"`
	}{"0", id, "Scheduled Event", "aws.scheduler", x.Account, x.due.UTC().Format(timeLayout), x.Region, []string{x.ARN()}, "{}"})
	return string(text)
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: package crypto/rand
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
