package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A batch is the messages that are sent and recorded together. It is bounded by
// bytes, too: a million messages may wait, and each may be of 256 KB.
const (
	batchCount = 500
	batchBytes = 4 << 20
)

// A batched is a message of a batch, and how it went.
type batched struct {
	entry
	message *Message // nil: there is nothing to send
	err     error    // why it was not sent
	behind  bool     // one of its resource is held
}

type batch struct {
	all   []batched
	down  error // why none could be sent
	rest  bool  // some were not tried: they come first again
	held  bool  // these were held before
	fails bool  // some failed
}

// An unready message cannot be written yet, which says nothing of the way that it
// is to go.
type unready struct{ error }

func (u unready) Unwrap() error { return u.error }

// writeBatch writes the first messages of a list.
func (d *Delivery) writeBatch(ctx context.Context, k config.LaneKey, w way, all []entry) (*batch, error) {
	any, err := d.anyHeld(ctx, k)
	if err != nil {
		return nil, err
	}
	b := &batch{held: all[0].row.State == config.OutgoingHeld}
	held := map[string]bool{}
	size := 0
	for _, e := range all {
		if len(b.all) == batchCount || size >= batchBytes {
			break
		}
		one := batched{entry: e}
		key := e.key()
		if _, known := held[key]; !known && any && e.row.State == config.OutgoingWaits {
			if held[key], err = d.isHeld(ctx, k, e); err != nil {
				return nil, err
			}
		}
		if one.behind = held[key]; !one.behind {
			m, err := w.write(ctx, e)
			switch late := (unready{}); {
			case errors.As(err, &late):
				one.err, held[key] = err, true
			case err != nil:
				return nil, err
			case m != nil:
				m.Key, one.message = key, m
				size += len(m.Body)
			}
		}
		b.all = append(b.all, one)
	}
	return b, nil
}

func (d *Delivery) anyHeld(ctx context.Context, k config.LaneKey) (any bool, err error) {
	err = d.db.ReadOne(ctx, func(tx *db.Tx) error {
		next, err := store.NextHeld(ctx, tx, k)
		any = !next.IsZero()
		return err
	})
	return any, err
}

func (d *Delivery) isHeld(ctx context.Context, k config.LaneKey, e entry) (held bool, err error) {
	kind, id := e.about()
	err = d.db.ReadOne(ctx, func(tx *db.Tx) error {
		held, err = store.IsHeld(ctx, tx, k, kind, id)
		return err
	})
	return held, err
}

// send sends what was written and notes how each message went.
func (b *batch) send(ctx context.Context, w way) {
	var messages []Message
	var at []int
	for i, one := range b.all {
		if one.message != nil {
			messages, at = append(messages, *one.message), append(at, i)
		}
	}
	if len(messages) == 0 {
		return
	}
	sent, failed := 0, map[string]bool{}
	var first error
	ctx, spans := b.traced(ctx, at)
	for i, err := range w.send(ctx, messages) {
		one := &b.all[at[i]]
		one.err = err
		spans.end(i, err)
		key := one.key()
		switch {
		case err == nil:
			sent++
		case errors.Is(err, errNotTried) && failed[key]:
			one.behind = true
		case errors.Is(err, errNotTried):
			b.rest = true
		default:
			failed[key], b.fails = true, true
			if refused(err) {
				b.down = err
			}
			if first == nil && !errors.Is(err, ErrInvalid) {
				first = err
			}
		}
	}
	if sent == 0 && b.down == nil && !b.held {
		b.down = first
	}
}

// recordBatch keeps how a batch went: what was sent is forgotten, what failed by
// itself is held, and so is what stands behind it. Of a batch that failed as a whole
// the rest waits as it is.
func (d *Delivery) recordBatch(ctx context.Context, k config.LaneKey, w way, b *batch) error {
	ctx = context.WithoutCancel(ctx) // what was sent is noted although the server is being stopped
	failed := b.down
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		gaveUp := false
		changed := map[*row]bool{}
		keep := func(one batched) { changed[one.row] = true }
		left := map[*row][]entry{}
		done := map[*row]map[int]bool{}
		for _, one := range b.all {
			if done[one.row] == nil {
				done[one.row] = map[int]bool{}
			}
			switch {
			case one.err == nil && !one.behind:
				if err := d.sentOne(ctx, tx, k, one); err != nil {
					return err
				}
			case b.down != nil && !errors.As(one.err, new(unready)), errors.Is(one.err, errNotTried) && !one.behind:
				continue // it waits, or is held, as it was
			default:
				if one.err != nil && !errors.Is(one.err, errNotTried) && !errors.As(one.err, new(unready)) {
					failed = one.err
				}
				old, err := d.hold(ctx, tx, k, one)
				if err != nil {
					return err
				}
				gaveUp = gaveUp || old
				if one.row.State == config.OutgoingHeld {
					continue // it stays where it is
				}
			}
			done[one.row][one.at] = true
			keep(one)
		}
		if gaveUp {
			if err := store.PromoteOrphans(ctx, tx, k, d.now()); err != nil {
				return err
			}
		}
		for r := range changed {
			left[r] = slices.DeleteFunc(slices.Clone(r.left), func(e entry) bool { return done[r][e.at] })
			if err := writeRow(ctx, tx, r, left[r]); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			for r := range changed {
				r.left = left[r]
			}
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("record what was sent: %w", err)
	}
	return w.note(ctx, failed)
}

func writeRow(ctx context.Context, tx *db.Tx, r *row, left []entry) error {
	if len(left) == 0 {
		return store.DeleteOutgoing(ctx, tx, r.ID)
	}
	args, err := argsOf(left)
	if err != nil {
		return err
	}
	o := r.Outgoing
	o.Args, o.Count = args, len(left)
	return store.UpdateOutgoing(ctx, tx, o)
}

// sentOne has the next held message of the resource follow one that was held.
func (d *Delivery) sentOne(ctx context.Context, tx *db.Tx, k config.LaneKey, one batched) error {
	if one.row.State != config.OutgoingHeld {
		return nil
	}
	if err := store.DeleteOutgoing(ctx, tx, one.row.ID); err != nil {
		return err
	}
	kind, id := one.about()
	return store.PromoteHeld(ctx, tx, k, kind, id, d.now())
}

// hold keeps a message by itself that failed, or stands behind one that did. One that
// is too old is given up.
func (d *Delivery) hold(ctx context.Context, tx *db.Tx, k config.LaneKey, one batched) (gaveUp bool, err error) {
	o := one.row.Outgoing
	o.LaneKey, o.State = k, config.OutgoingHeld
	o.Type, o.Subject = one.about()
	if !one.behind {
		o.Tries, o.Tried, o.Error = o.Tries+1, d.now(), one.err.Error()
		o.Due = d.again(o.Tries)
	}
	if gaveUp = !one.behind && d.now().Sub(o.Since) > d.maxAge; gaveUp {
		o.State, o.Due = config.OutgoingUndelivered, time.Time{}
	}
	if one.row.State == config.OutgoingHeld {
		return gaveUp, store.UpdateOutgoing(ctx, tx, o)
	}
	if o.Args, err = argsOf([]entry{one.entry}); err != nil {
		return false, err
	}
	o.Count = 1
	return gaveUp, store.AppendOutgoing(ctx, tx, o)
}
