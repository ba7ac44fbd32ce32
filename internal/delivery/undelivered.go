package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Selection picks undelivered messages: one by its id, or those of an account, or
// all.
type Selection struct {
	ID      int64
	Account string
	Region  string
	After   int64 // for a next page
}

// Undelivered is messages that were decided together and given up.
type Undelivered struct {
	ID       int64     `json:"id"`
	Account  string    `json:"account"`
	Region   string    `json:"region"`
	Sink     string    `json:"sink"`
	Kind     string    `json:"kind"`
	Messages int       `json:"messages"`
	Of       []string  `json:"of"` // what they are about
	Created  time.Time `json:"created"`
	Tried    time.Time `json:"tried"`
	Error    string    `json:"error"`
}

// undeliveredPage is how many are listed or changed at once.
const undeliveredPage = 100

// Undelivered lists what was given up, a page of it.
func (d *Delivery) Undelivered(ctx context.Context, s Selection) (out []Undelivered, err error) {
	var rows []config.Outgoing
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		rows, err = s.rows(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	out = make([]Undelivered, 0, len(rows))
	for _, r := range rows {
		u := Undelivered{r.ID, r.Account, r.Region, r.Sink, r.Kind, r.Count, nil, r.Created, r.Tried, r.Error}
		all, err := entries(r)
		if err != nil {
			return nil, err
		}
		for _, e := range all {
			if kind, id := e.about(); kind != "" {
				u.Of = append(u.Of, kind+" "+id)
			} else {
				u.Of = append(u.Of, e.notice.Subject)
			}
		}
		out = append(out, u)
	}
	return out, nil
}

func (s Selection) rows(ctx context.Context, tx *db.Tx) ([]config.Outgoing, error) {
	if s.ID == 0 {
		return store.UndeliveredMessages(ctx, tx, store.OutgoingQuery{
			Account: s.Account, Region: s.Region, After: s.After, Limit: undeliveredPage,
		})
	}
	o, err := store.OutgoingMessage(ctx, tx, s.ID)
	if err != nil || o.State != config.OutgoingUndelivered || s.Account != "" && s.Account != o.Account {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("no undelivered message has the id %d: %w", s.ID, store.ErrNotFound)
		}
		return nil, err
	}
	return []config.Outgoing{o}, nil
}

// Write returns the messages of an undelivered row as they would be sent now.
func (d *Delivery) Write(ctx context.Context, id int64) (all []Message, err error) {
	var rows []config.Outgoing
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		rows, err = Selection{ID: id}.rows(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	w, err := d.open(ctx, rows[0].LaneKey)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("%s has no %s any more to which messages go", rows[0].Place, rows[0].Sink)
	}
	if missing, ok := w.(missingWay); ok {
		return nil, missing.why
	}
	some, err := entries(rows[0])
	for _, e := range some {
		if err != nil {
			break
		}
		var m *Message
		if m, err = w.write(ctx, e); m != nil {
			all = append(all, *m)
		}
	}
	return all, err
}

// Retry has undelivered messages tried again, for as long as new ones are, and
// returns how many.
func (d *Delivery) Retry(ctx context.Context, s Selection) (n int, err error) {
	return d.each(ctx, s, func(ctx context.Context, tx *db.Tx, o config.Outgoing) error {
		o.State, o.Since, o.Tries, o.Error = config.OutgoingWaits, d.now(), 0, ""
		if err := store.UpdateOutgoing(ctx, tx, o); err != nil {
			return err
		}
		return d.insertLane(ctx, tx, o.LaneKey, time.Time{})
	})
}

// Drop forgets undelivered messages and returns how many.
func (d *Delivery) Drop(ctx context.Context, s Selection) (n int, err error) {
	return d.each(ctx, s, func(ctx context.Context, tx *db.Tx, o config.Outgoing) error {
		return store.DeleteOutgoing(ctx, tx, o.ID)
	})
}

// each does something with all that are selected, a page in a transaction.
func (d *Delivery) each(ctx context.Context, s Selection, do func(context.Context, *db.Tx, config.Outgoing) error) (n int, err error) {
	for more := true; more; {
		page := 0
		next := s
		err := d.db.Write(ctx, func(tx *db.Tx) error {
			page, next = 0, s
			rows, err := s.rows(ctx, tx)
			more = s.ID == 0 && len(rows) == undeliveredPage
			for _, o := range rows {
				if err == nil {
					err = do(ctx, tx, o)
				}
				page, next.After = page+o.Count, o.ID
			}
			return err
		})
		if err != nil {
			return n, err
		}
		n, s = n+page, next
	}
	return n, nil
}
