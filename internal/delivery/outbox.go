package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
	"plumb/internal/trace"
)

// The kinds of outgoing messages. They are on disk.
const (
	kindItems      = "items"
	kindCompliance = "compliance"
	kindNotice     = "notice"
)

// A row is messages that were kept together.
type row struct {
	config.Outgoing
	left []entry // what is not done yet
}

// An entry is one message that is to go out.
type entry struct {
	row     *row // in which it stands
	at      int  // its place in the row
	item    *itemRef
	change  *config.StoredChange
	notice  *storedNotice
	created time.Time
	trace   trace.Parent // that it belongs to; empty for none
}

// about is the resource that a message is about, or something else of which the
// messages are to arrive in order.
func (e entry) about() (kind, id string) {
	switch {
	case e.item != nil:
		return e.item.Type, e.item.ID
	case e.change != nil:
		return e.change.New.Type, e.change.New.ID
	}
	return "", e.notice.About
}

func (e entry) key() string {
	kind, id := e.about()
	return kind + " " + id
}

// The args of outgoing messages, by kind.
type (
	itemsArgs struct {
		Items []itemRef    `json:"items"`
		Trace trace.Parent `json:"trace,omitempty"`
	}
	complianceArgs struct {
		Changes []config.StoredChange `json:"changes"`
		Trace   trace.Parent          `json:"trace,omitempty"`
	}
	storedNotice struct {
		About string `json:"about"`
		message
	}
	noticeArgs struct {
		storedNotice
		Trace trace.Parent `json:"trace,omitempty"`
	}
)

// entries takes the messages of a row apart.
func entries(o config.Outgoing) ([]entry, error) {
	r := &row{Outgoing: o}
	add := func(e entry) {
		e.row, e.at, e.created = r, len(r.left), o.Created
		r.left = append(r.left, e)
	}
	var err error
	switch o.Kind {
	case kindItems:
		var a itemsArgs
		err = json.Unmarshal([]byte(o.Args), &a)
		for i := range a.Items {
			add(entry{item: &a.Items[i], trace: a.Trace})
		}
	case kindCompliance:
		var a complianceArgs
		err = json.Unmarshal([]byte(o.Args), &a)
		for i := range a.Changes {
			add(entry{change: &a.Changes[i], trace: a.Trace})
		}
	case kindNotice:
		var a noticeArgs
		err = json.Unmarshal([]byte(o.Args), &a)
		add(entry{notice: &a.storedNotice, trace: a.Trace})
	default:
		err = fmt.Errorf("nobody knows the kind %q", o.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("read outgoing messages %d: %w", o.ID, err)
	}
	return r.left, nil
}

// argsOf puts messages of one kind together, which belong to one trace.
func argsOf(all []entry) (args string, err error) {
	var form any
	switch e := all[0]; {
	case e.item != nil:
		a := itemsArgs{Trace: e.trace}
		for _, e := range all {
			a.Items = append(a.Items, *e.item)
		}
		form = a
	case e.change != nil:
		a := complianceArgs{Trace: e.trace}
		for _, e := range all {
			a.Changes = append(a.Changes, *e.change)
		}
		form = a
	default:
		form = noticeArgs{*e.notice, e.trace}
	}
	b, err := json.Marshal(form)
	return string(b), err
}

// post keeps messages in tx, on every way that the place has for them, and has them
// sent after it.
func (d *Delivery) post(ctx context.Context, tx *db.Tx, p config.Place, kind string, all []entry) error {
	if len(all) == 0 {
		return nil
	}
	ok, err := d.announces(ctx, tx, p)
	if err == nil && ok {
		err = d.keep(ctx, tx, config.LaneKey{Place: p, Sink: config.SinkTopic}, kind, all)
	}
	if err == nil && d.busSource(p) != "" {
		err = d.keep(ctx, tx, config.LaneKey{Place: p, Sink: config.SinkBus}, kind, all)
	}
	if err != nil {
		return err
	}
	return d.postToChannels(ctx, tx, p, kind, all)
}

// keep keeps messages in tx on a lane, and has them sent after it.
func (d *Delivery) keep(ctx context.Context, tx *db.Tx, k config.LaneKey, kind string, all []entry) error {
	for i := range all {
		all[i].trace = trace.ParentOf(ctx)
	}
	args, err := argsOf(all)
	if err != nil {
		return fmt.Errorf("encode outgoing messages: %w", err)
	}
	now := d.now()
	err = store.AppendOutgoing(ctx, tx, config.Outgoing{
		LaneKey: k, State: config.OutgoingWaits, Kind: kind, Args: args, Count: len(all), Created: now, Since: now,
	})
	if err != nil {
		return err
	}
	return d.insertLane(ctx, tx, k, time.Time{})
}

func (d *Delivery) insertLane(ctx context.Context, tx *db.Tx, k config.LaneKey, at time.Time) error {
	return d.jobs.Insert(ctx, tx, laneJob{k.Place, k.Sink, at}, job.Options{Queue: job.Message, At: at})
}
