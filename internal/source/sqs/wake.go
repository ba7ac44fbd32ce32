package sqs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/source/mapping"
)

// Ready wakes the mappings of a queue at the time that a message of it can be
// received.
func (p *Poller) Ready(ctx context.Context, tx *db.Tx, queueARN string, at time.Time) error {
	found, err := mapping.OfSource(ctx, tx, queueARN)
	if err != nil {
		return err
	}
	for _, m := range found {
		if m.Polls() {
			if err := p.wake(ctx, tx, m, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// wake has a mapping look at its queue not later than at. A look that is planned
// before that is enough: it plans the next one. Its row is held until the
// transaction ends, so that it does not look before what it is to see is there.
func (p *Poller) wake(ctx context.Context, tx *db.Tx, m mapping.Mapping, at time.Time) error {
	planned := `SELECT at FROM source_wake WHERE mapping = ? AND at <= ? ORDER BY at LIMIT 1`
	if tx.Postgres() != nil {
		planned += ` FOR SHARE`
	}
	for {
		var is int64
		err := tx.QueryRow(ctx, planned, m.ID, db.Micros(at)).Scan(&is)
		if err == nil {
			return nil
		}
		if !errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("look for a planned look: %w", err)
		}
		n, err := tx.Exec(ctx, `INSERT INTO source_wake (mapping, at) VALUES (?, ?) ON CONFLICT (mapping, at) DO NOTHING`, m.ID, db.Micros(at))
		if err != nil {
			return fmt.Errorf("plan a look: %w", err)
		}
		if n == 1 {
			return p.jobs.Insert(ctx, tx, look{m.Place, m.ID, db.Micros(at)}, job.Options{Queue: job.Function, At: at})
		}
	}
}

// begin forgets that this look was planned, and reads the mapping. It reports
// whether there may be another batch now.
func (p *Poller) begin(ctx context.Context, j job.Job[look]) (m mapping.Mapping, ok bool, err error) {
	err = p.db.Write(ctx, func(tx *db.Tx) error {
		ok = false
		if _, err := tx.Exec(ctx, `DELETE FROM source_wake WHERE mapping = ? AND at = ?`, j.Args.Mapping, j.Args.At); err != nil {
			return fmt.Errorf("begin a look: %w", err)
		}
		if m, err = mapping.Read(ctx, tx, j.Args.Place, j.Args.Mapping); err != nil {
			return gone(err)
		}
		if !m.Polls() {
			return nil
		}
		ok, err = p.takeSlot(ctx, tx, m, j.ID)
		return err
	})
	return m, ok, err
}

// takeSlot counts a batch in, unless there are as many as may be: when one of them
// ends, it plans the next look.
func (p *Poller) takeSlot(ctx context.Context, tx *db.Tx, m mapping.Mapping, id int64) (bool, error) {
	if m.MaxConcurrency == 0 {
		return true, nil
	}
	if err := tx.Lock(ctx, "slots of "+m.ID); err != nil {
		return false, err
	}
	var others int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM source_slot WHERE mapping = ? AND job <> ?`, m.ID, id).Scan(&others)
	if err != nil || others >= m.MaxConcurrency {
		return false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO source_slot (mapping, job) VALUES (?, ?) ON CONFLICT (mapping, job) DO NOTHING`, m.ID, id)
	return err == nil, err
}

// end gives back a batch's slot and plans the next look: now if something was
// handled and more is there, else when the next message can be received.
func (p *Poller) end(ctx context.Context, tx *db.Tx, m mapping.Mapping, id int64, handled bool) error {
	if err := tx.Lock(ctx, "slots of "+m.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM source_slot WHERE mapping = ? AND job = ?`, m.ID, id); err != nil {
		return err
	}
	now, err := mapping.Read(ctx, tx, m.Place, m.ID)
	if err != nil {
		return gone(err)
	}
	q, found, err := p.queue(ctx, tx, now)
	if err != nil || !found || !now.Polls() {
		return err
	}
	w, err := p.queues.Waits(ctx, tx, q, 1)
	switch {
	case err != nil:
		return err
	case w.Visible > 0 && handled:
		return p.wake(ctx, tx, now, p.now())
	case !w.Next.IsZero():
		return p.wake(ctx, tx, now, w.Next)
	}
	return nil
}

// Forget removes what is kept of a mapping.
func (p *Poller) Forget(ctx context.Context, tx *db.Tx, m mapping.Mapping) error {
	for _, stmt := range []string{`DELETE FROM source_wake WHERE mapping = ?`, `DELETE FROM source_slot WHERE mapping = ?`} {
		if _, err := tx.Exec(ctx, stmt, m.ID); err != nil {
			return fmt.Errorf("forget event source mapping %s: %w", m.ID, err)
		}
	}
	return nil
}
