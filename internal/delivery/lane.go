package delivery

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// A lane is one way out of a place. One job at a time sends on it, so that the
// messages of a resource arrive in order; whoever posts inserts a job, and those
// that find the lane held end. While a lane is down nothing but the job that is
// due at its next try looks at it: a topic that is away costs one call a try,
// however many messages wait. They wait in the store.
//
// A message that fails while others are taken is held, and those of its resource
// behind it: it holds up no other.

// laneJob sends what waits on a lane. At is the time in the lane at which it was to
// be tried again; a job whose time is another one has been overtaken.
type laneJob struct {
	Place config.Place `json:"place"`
	Sink  string       `json:"sink"`
	At    time.Time    `json:"at,omitzero"`
}

// Kind names the job.
func (laneJob) Kind() string { return "delivery.lane" }

// Owner is the place's account.
func (j laneJob) Owner() string { return j.Place.Account }

const (
	// lanePage is how many rows are read at once; a row holds up to most messages.
	lanePage = 16
	// laneSlice is how long a job sends before those of other lanes have their turn.
	laneSlice = 30 * time.Second
	// heldPage is how many held messages are tried at once.
	heldPage = 50
)

// errNotTried is how a message went that was not sent, because of others that
// failed, or because the time was up.
var errNotTried = errors.New("not tried")

func (d *Delivery) sendLane(ctx context.Context, j job.Job[laneJob]) (job.Commit, error) {
	k := config.LaneKey{Place: j.Args.Place, Sink: j.Args.Sink}
	l, ok, err := d.takeLane(ctx, k, j.ID, j.Args.At)
	if err != nil || !ok {
		return nil, err
	}
	w, err := d.open(ctx, k)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return func(ctx context.Context, tx *db.Tx) error {
			if err := store.DropLane(ctx, tx, k); err != nil {
				return err
			}
			return d.releaseLane(ctx, tx, k, j.ID, nil)
		}, nil
	}
	at, err := d.opensAt(ctx, k, w, l)
	if err != nil {
		return nil, err
	}
	if at.After(d.now()) {
		return func(ctx context.Context, tx *db.Tx) error { return d.pauseLane(ctx, tx, k, j.ID, at) }, nil
	}
	down, err := d.drainLane(ctx, k, w, l.Tries)
	if err != nil {
		return nil, err
	}
	switch {
	case down != nil:
		w.log(d.log).Warn("messages are not taken, they wait and are tried again", "attempt", l.Tries+1, "err", down, "do", w.advice(down))
	case l.Tries > 0:
		w.log(d.log).Info("messages are taken again")
	}
	return func(ctx context.Context, tx *db.Tx) error { return d.releaseLane(ctx, tx, k, j.ID, down) }, nil
}

// takeLane makes a job the holder of a lane, unless another one is, the lane is
// down, or the job was overtaken.
func (d *Delivery) takeLane(ctx context.Context, k config.LaneKey, id int64, at time.Time) (l config.Lane, ok bool, err error) {
	err = d.db.Write(ctx, func(tx *db.Tx) error {
		ok = false
		if l, err = store.Lane(ctx, tx, k); err != nil {
			return err
		}
		overtaken := !at.IsZero() && !l.Next.Equal(at)
		if overtaken || at.IsZero() && l.Down && l.Next.After(d.now()) {
			return nil
		}
		if l.Holder != 0 && l.Holder != id {
			if active, err := d.jobs.Active(ctx, tx, l.Holder); err != nil || active {
				return err
			}
		}
		ok, l.Holder = true, id
		return store.PutLane(ctx, tx, l)
	})
	return l, ok, err
}

// opensAt returns when messages may be sent on a lane. One that is being tried again
// does not wait for others to go with it.
func (d *Delivery) opensAt(ctx context.Context, k config.LaneKey, w way, l config.Lane) (time.Time, error) {
	at, err := w.opens(d.now(), func() (oldest time.Time, err error) {
		if l.Tries > 0 {
			return oldest, nil
		}
		err = d.db.Read(ctx, func(tx *db.Tx) error {
			waiting, err := store.WaitingOutgoing(ctx, tx, k, 1)
			if len(waiting) > 0 {
				oldest = waiting[0].Created
			}
			return err
		})
		return oldest, err
	})
	return at.Truncate(time.Microsecond), err // as precisely as the store keeps it
}

// pauseLane ends the hold of a job on a lane on which nothing is sent before a time.
func (d *Delivery) pauseLane(ctx context.Context, tx *db.Tx, k config.LaneKey, id int64, at time.Time) error {
	l, err := store.Lane(ctx, tx, k)
	if err != nil || l.Holder != id {
		return err
	}
	l.Holder, l.Down, l.Next = 0, true, at
	if err := d.insertLane(ctx, tx, k, at); err != nil {
		return err
	}
	return store.PutLane(ctx, tx, l)
}

// releaseLane ends the hold of a job on a lane and inserts what is to follow.
func (d *Delivery) releaseLane(ctx context.Context, tx *db.Tx, k config.LaneKey, id int64, down error) error {
	l, err := store.Lane(ctx, tx, k)
	if err != nil || l.Holder != id {
		return err
	}
	l.Holder, l.Down = 0, down != nil
	if down != nil {
		if _, err := store.GiveUpOutgoing(ctx, tx, k, d.now().Add(-d.maxAge), d.now(), down.Error()); err != nil {
			return err
		}
		if err := store.PromoteOrphans(ctx, tx, k, d.now()); err != nil {
			return err
		}
		l.Tries++
		l.Next = d.again(l.Tries)
		if err := d.insertLane(ctx, tx, k, l.Next); err != nil {
			return err
		}
		return store.PutLane(ctx, tx, l)
	}
	l.Tries = 0
	waiting, err := store.WaitingOutgoing(ctx, tx, k, 1)
	if err != nil {
		return err
	}
	if len(waiting) > 0 {
		if err := d.insertLane(ctx, tx, k, time.Time{}); err != nil {
			return err
		}
	}
	next, err := store.NextHeld(ctx, tx, k)
	if err != nil {
		return err
	}
	if !next.IsZero() && !next.Equal(l.Next) {
		if err := d.insertLane(ctx, tx, k, next); err != nil {
			return err
		}
	}
	l.Next = next
	return store.PutLane(ctx, tx, l)
}

// drainLane sends what is due on a lane, for a while. down is why all of it failed.
func (d *Delivery) drainLane(ctx context.Context, k config.LaneKey, w way, tries int) (down, err error) {
	sending, cancel := context.WithTimeout(ctx, laneSlice)
	defer cancel()
	held := true // those that were held are tried, too
	for sending.Err() == nil {
		all, err := d.nextEntries(ctx, k, held)
		if err != nil || len(all) == 0 {
			return nil, err
		}
		all = turned(all, tries)
		for tries = 0; len(all) > 0 && sending.Err() == nil; {
			b, err := d.writeBatch(ctx, k, w, all)
			if err != nil {
				return nil, err
			}
			b.send(sending, w)
			if err := d.recordBatch(ctx, k, w, b); err != nil || b.down != nil {
				return b.down, err
			}
			all = all[len(b.all):]
			if held = held && !(b.held && b.fails); b.rest {
				break
			}
		}
	}
	return nil, nil
}

// turned puts other messages first once a lane was down for some tries: should the
// first ones be what can never be sent, one that can be shows it. The order of the
// messages of a resource stays.
func turned(all []entry, tries int) []entry {
	if tries < maxFailures {
		return all
	}
	by := map[string][]entry{}
	var keys []string
	for _, e := range all {
		key := e.key()
		if by[key] == nil {
			keys = append(keys, key)
		}
		by[key] = append(by[key], e)
	}
	out := make([]entry, 0, len(all))
	for i := range keys {
		out = append(out, by[keys[(i+tries*maxFailures)%len(keys)]]...)
	}
	return out
}

// nextEntries returns held messages that are due, or else the next that wait.
func (d *Delivery) nextEntries(ctx context.Context, k config.LaneKey, held bool) (all []entry, err error) {
	var rows []config.Outgoing
	err = d.db.Read(ctx, func(tx *db.Tx) error {
		if held {
			if rows, err = store.DueOutgoing(ctx, tx, k, d.now(), heldPage); err != nil || len(rows) > 0 {
				return err
			}
		}
		rows, err = store.WaitingOutgoing(ctx, tx, k, lanePage)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		some, err := entries(row)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// again returns when something is tried again that failed that often, as precisely
// as the store keeps it.
func (d *Delivery) again(tries int) time.Time {
	return d.now().Add(job.BackOff(tries)).Truncate(time.Microsecond)
}
