package awsconfig

import (
	"context"
	"errors"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/job"
	"plumb/internal/store"
)

// An Announcer puts events of AWS Config on the default buses.
type Announcer struct {
	db   *db.DB
	jobs *job.Queue
	bus  *eventbus.Bus
	now  func() time.Time
}

// New returns an announcer, and registers its job.
func New(d *db.DB, jobs *job.Queue, bus *eventbus.Bus, now func() time.Time) *Announcer {
	a := &Announcer{d, jobs, bus, now}
	job.HandlePrepared(jobs, a.announce, job.Policy{Timeout: 5 * time.Minute})
	return a
}

// most is how many items or verdicts one job tells of.
const most = 100

// announceJob is the job that writes events of items and verdicts.
type announceJob struct {
	Place   config.Place          `json:"place"`
	Created int64                 `json:"created"`
	Items   []itemRef             `json:"items,omitempty"`
	Changes []config.StoredChange `json:"changes,omitempty"`
}

// An itemRef names a recorded item of the job's place.
type itemRef struct {
	Type  string `json:"t"`
	ID    string `json:"i"`
	State int64  `json:"s"`
}

// Kind names the job.
func (announceJob) Kind() string { return "awsconfig.announce" }

// Owner is the place's account.
func (j announceJob) Owner() string { return j.Place.Account }

// OnItemsRecorded tells of items.
func (a *Announcer) OnItemsRecorded(ctx context.Context, tx *db.Tx, e config.ItemsRecorded) error {
	wanted, err := a.bus.Wanted(ctx, tx, e.Place, config.BusSource, config.BusItemChange)
	if err != nil || !wanted {
		return err
	}
	for batch := range slices.Chunk(e.Items, most) {
		j := announceJob{Place: e.Place, Created: db.Micros(a.now())}
		for _, it := range batch {
			j.Items = append(j.Items, itemRef{it.Type, it.ID, it.StateID})
		}
		if err := a.jobs.Insert(ctx, tx, j, job.Options{Queue: job.Delivery}); err != nil {
			return err
		}
	}
	return nil
}

// OnComplianceChanged tells of verdicts.
func (a *Announcer) OnComplianceChanged(ctx context.Context, tx *db.Tx, e config.ComplianceChanged) error {
	wanted, err := a.bus.Wanted(ctx, tx, e.Place, config.BusSource, config.BusComplianceChange)
	if err != nil || !wanted {
		return err
	}
	for batch := range slices.Chunk(e.Changes, most) {
		j := announceJob{Place: e.Place, Created: db.Micros(a.now())}
		for _, c := range batch {
			j.Changes = append(j.Changes, c.Stored())
		}
		if err := a.jobs.Insert(ctx, tx, j, job.Options{Queue: job.Delivery}); err != nil {
			return err
		}
	}
	return nil
}

// Tell tells of what a message says that is written already.
func (a *Announcer) Tell(ctx context.Context, tx *db.Tx, p config.Place, body string) error {
	e, err := config.NewBusEvent([]byte(body), a.now())
	if err != nil || e.DetailType == "" {
		return err
	}
	return a.bus.Put(ctx, tx, p, eventbus.Default, []eventbus.Event{busEvent(e)})
}

// busEvent is an event as a bus of ours takes it.
func busEvent(e config.BusEvent) eventbus.Event {
	return eventbus.Event{Source: e.Source, DetailType: e.DetailType, Detail: e.Detail, Resources: e.Resources}
}

// announce writes the events of a job, and puts those that some rule takes.
func (a *Announcer) announce(ctx context.Context, j job.Job[announceJob]) (job.Commit, error) {
	created := db.Time(j.Args.Created)
	var events []eventbus.Event
	for _, ref := range j.Args.Items {
		key := config.VersionKey{ResourceKey: config.ResourceKey{Place: j.Args.Place, Type: ref.Type, ID: ref.ID}, StateID: ref.State}
		e, err := a.itemEvent(ctx, key, created)
		if errors.Is(err, store.ErrNotFound) {
			continue // forgotten since
		}
		if err != nil {
			return nil, err
		}
		events = append(events, busEvent(e))
	}
	for _, c := range j.Args.Changes {
		body, err := config.ComplianceNotification(j.Args.Place, c.Change(), created)
		if err != nil {
			return nil, err
		}
		e, err := config.NewBusEvent(body, created)
		if err != nil {
			return nil, err
		}
		events = append(events, busEvent(e))
	}
	taken, err := a.bus.Taken(ctx, j.Args.Place, eventbus.Default, events)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx) error {
		for part := range slices.Chunk(taken, together) {
			if err := a.bus.Put(ctx, tx, j.Args.Place, eventbus.Default, part); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// together is how many events are put at once: items may be large.
const together = 10

// itemEvent is the event of a recorded item.
func (a *Announcer) itemEvent(ctx context.Context, key config.VersionKey, created time.Time) (config.BusEvent, error) {
	var it config.Item
	var previous *config.Item
	err := a.db.Read(ctx, func(tx *db.Tx) (err error) {
		if it, err = store.ItemVersion(ctx, tx, key); err != nil {
			return err
		}
		before, err := store.ItemBefore(ctx, tx, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		previous = &before
		return err
	})
	if err != nil {
		return config.BusEvent{}, err
	}
	return config.ItemBusEvent(it, previous, created)
}
