package eventbus

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/pattern"
)

// Put puts events on a bus of a place, in the caller's transaction, and gives them
// ids. A bus that is not there takes them and forgets them, as EventBridge does.
func (b *Bus) Put(ctx context.Context, tx *db.Tx, p config.Place, bus string, events []Event) error {
	return b.PutFrom(ctx, tx, p.Account, p, bus, events)
}

// PutFrom is Put for events of an account, of which another one has the bus.
func (b *Bus) PutFrom(ctx context.Context, tx *db.Tx, from string, p config.Place, bus string, events []Event) error {
	j := routeJob{Place: p, Bus: bus, From: from, Put: db.Micros(b.now())}
	for i := range events {
		e := &events[i]
		e.ID = newID()
		if e.Time.IsZero() {
			e.Time = b.now()
		}
		body, err := e.body(from, p.Region)
		if err != nil {
			return fmt.Errorf("event of %s: %w", e.Source, err)
		}
		j.Events = append(j.Events, string(body))
	}
	if b.o.Came != nil && from == p.Account {
		if err := b.o.Came(ctx, tx, p, events); err != nil {
			return err
		}
	}
	return b.put(ctx, tx, j)
}

// PutOn puts an event of an account on the bus of an ARN, or answers
// ResourceNotFoundException. That the account may do that was asked before.
func (b *Bus) PutOn(ctx context.Context, tx *db.Tx, from, busARN string, e Event) error {
	p, name, err := ParseBus(config.Place{}, busARN)
	if err != nil {
		return err
	}
	if _, err := FindBus(ctx, tx, p, name); err != nil {
		return err
	}
	return b.PutFrom(ctx, tx, from, p, name, []Event{e})
}

// Forward puts an event of another bus on a bus, as it is. The sender may do that
// was asked before.
func (b *Bus) Forward(ctx context.Context, tx *db.Tx, busARN string, from Recipient) error {
	p, name, err := ParseBus(config.Place{}, busARN)
	if err != nil {
		return err
	}
	if _, err := FindBus(ctx, tx, p, name); err != nil {
		return err
	}
	return b.put(ctx, tx, routeJob{Place: p, Bus: name, From: from.From, Hops: from.Hops + 1, Put: db.Micros(b.now()),
		Events: []string{from.Event}})
}

func (b *Bus) put(ctx context.Context, tx *db.Tx, j routeJob) error {
	some, err := anyRule(ctx, tx, j.Place, j.Bus)
	if err != nil || !some || len(j.Events) == 0 {
		return err
	}
	return b.jobs.Insert(ctx, tx, j, job.Options{Queue: job.Delivery})
}

// anyRule reports whether a bus has a rule that takes events.
func anyRule(ctx context.Context, tx *db.Tx, p config.Place, bus string) (some bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM event_rules WHERE account = ? AND region = ? AND bus = ? AND enabled AND pattern <> '')`,
		p.Account, p.Region, bus).Scan(&some)
	return some, err
}

// Wanted reports whether the default bus of a place has a rule that could take
// events of a service and a type. A caller with many events asks before it writes
// them.
func (b *Bus) Wanted(ctx context.Context, tx *db.Tx, p config.Place, source, detailType string) (bool, error) {
	if some, err := anyRule(ctx, tx, p, Default); err != nil || !some {
		return false, err
	}
	rules, err := taking(ctx, tx, p, Default)
	if err != nil {
		return false, err
	}
	known := pattern.Fields{"source": source, "detail-type": detailType, "account": p.Account, "region": p.Region}
	for _, r := range rules {
		if compiled, err := b.compiled(r.Pattern); err == nil && compiled.MayMatch(known) {
			return true, nil
		}
	}
	return false, nil
}

// Taken returns those of events of a place that a rule of the bus takes now. It is for
// many events that are large to keep, and takes time: no transaction should be open.
func (b *Bus) Taken(ctx context.Context, p config.Place, bus string, events []Event) (out []Event, err error) {
	var rules []Rule
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		rules, err = taking(ctx, tx, p, bus)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		body, err := e.body(p.Account, p.Region)
		if err != nil {
			return nil, err
		}
		event, err := pattern.ParseEvent(body)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, func(r Rule) bool {
			compiled, err := b.compiled(r.Pattern)
			return err == nil && compiled.Matches(event)
		}) {
			out = append(out, e)
		}
	}
	return out, nil
}

// taking returns the rules of a bus that take events.
func taking(ctx context.Context, tx *db.Tx, p config.Place, bus string) ([]Rule, error) {
	return rulesWhere(ctx, tx, p, bus, `enabled AND pattern <> '' ORDER BY name`)
}
