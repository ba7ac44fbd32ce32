package awsconfig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/job"
	"plumb/internal/store"
)

const source = "aws.config"

// The types of events.
const (
	itemChange       = "Config Configuration Item Change"
	complianceChange = "Config Rules Compliance Change"
	evaluation       = "Config Rules Re-evaluation Status"
	snapshot         = "Config Configuration Snapshot Delivery Status"
	history          = "Config Configuration History Delivery Status"
)

// typeOf is the type of the event that has a message for its detail.
var typeOf = map[string]string{
	"ConfigurationItemChangeNotification":          itemChange,
	"OversizedConfigurationItemChangeNotification": itemChange,
	"ComplianceChangeNotification":                 complianceChange,
	"ConfigRulesEvaluationStarted":                 evaluation,
	"ConfigurationSnapshotDeliveryStarted":         snapshot,
	"ConfigurationSnapshotDeliveryCompleted":       snapshot,
	"ConfigurationSnapshotDeliveryFailed":          snapshot,
	"ConfigurationHistoryDeliveryCompleted":        history,
}

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
	Place   config.Place `json:"place"`
	Created int64        `json:"created"`
	Items   []itemRef    `json:"items,omitempty"`
	Changes []changed    `json:"changes,omitempty"`
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
	wanted, err := a.bus.Wanted(ctx, tx, e.Place, source, itemChange)
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
	wanted, err := a.bus.Wanted(ctx, tx, e.Place, source, complianceChange)
	if err != nil || !wanted {
		return err
	}
	for batch := range slices.Chunk(e.Changes, most) {
		j := announceJob{Place: e.Place, Created: db.Micros(a.now())}
		for _, c := range batch {
			j.Changes = append(j.Changes, storeChange(c))
		}
		if err := a.jobs.Insert(ctx, tx, j, job.Options{Queue: job.Delivery}); err != nil {
			return err
		}
	}
	return nil
}

// OnRulesEvaluationStarted tells that somebody asked for an evaluation.
func (a *Announcer) OnRulesEvaluationStarted(ctx context.Context, tx *db.Tx, e config.RulesEvaluationStarted) error {
	if len(e.Rules) == 0 {
		return nil
	}
	body, err := config.EvaluationStarted(e, a.now())
	if err != nil {
		return err
	}
	return a.Tell(ctx, tx, e.Place, string(body))
}

// OnSnapshotDelivered tells that a snapshot lies in the channel's bucket.
func (a *Announcer) OnSnapshotDelivered(ctx context.Context, tx *db.Tx, e config.SnapshotDelivered) error {
	body, err := config.SnapshotCompleted(e, a.now())
	if err != nil {
		return err
	}
	return a.Tell(ctx, tx, e.Place, string(body))
}

// Tell tells of what a message says that is written already.
func (a *Announcer) Tell(ctx context.Context, tx *db.Tx, p config.Place, body string) error {
	e, err := eventOf([]byte(body))
	if err != nil || e.DetailType == "" {
		return err
	}
	return a.bus.Put(ctx, tx, p, eventbus.Default, []eventbus.Event{e})
}

// eventOf is the event whose detail is a message.
func eventOf(body []byte, resources ...string) (eventbus.Event, error) {
	var m struct {
		Type string `json:"messageType"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return eventbus.Event{}, fmt.Errorf("message of AWS Config: %w", err)
	}
	detail, err := withoutNulls(body)
	return eventbus.Event{Source: source, DetailType: typeOf[m.Type], Detail: detail, Resources: resources}, err
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
		events = append(events, e)
	}
	for _, c := range j.Args.Changes {
		body, err := config.ComplianceNotification(j.Args.Place, c.change(), created)
		if err != nil {
			return nil, err
		}
		e, err := eventOf(body)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
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

// itemEvent is the event of a recorded item: the notification of its change, or the
// summary where that is larger than a message may be.
func (a *Announcer) itemEvent(ctx context.Context, key config.VersionKey, created time.Time) (eventbus.Event, error) {
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
		return eventbus.Event{}, err
	}
	diff := config.NewDiff(previous, it)
	body, err := config.ChangeNotification(it, &diff, created)
	if err == nil && len(body) > config.MaxMessage {
		body, err = config.OversizedNotification(it, diff.ChangeType, config.S3Summary{}, created)
	}
	if err != nil {
		return eventbus.Event{}, err
	}
	if it.ARN == "" {
		return eventOf(body)
	}
	return eventOf(body, it.ARN)
}
