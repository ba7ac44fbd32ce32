package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// AppendOutgoing keeps messages on their way out, behind those that are there.
func AppendOutgoing(ctx context.Context, tx *db.Tx, o config.Outgoing) error {
	place, err := makePlace(ctx, tx, o.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO outbox_message (place, sink, state, kind, type, subject, args, count, created, since, due, tries, tried, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		place, o.Sink, int(o.State), o.Kind, o.Type, o.Subject, o.Args, o.Count, db.Micros(o.Created), db.Micros(o.Since), db.Micros(o.Due), o.Tries,
		db.Micros(o.Tried), o.Error)
	if err != nil {
		return fmt.Errorf("keep outgoing messages: %w", err)
	}
	return nil
}

// UpdateOutgoing changes what is left of messages, their state, and how their last
// try went.
func UpdateOutgoing(ctx context.Context, tx *db.Tx, o config.Outgoing) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_message SET state = ?, args = ?, count = ?, since = ?, due = ?, tries = ?, tried = ?, error = ? WHERE id = ?`,
		int(o.State), o.Args, o.Count, db.Micros(o.Since), db.Micros(o.Due), o.Tries, db.Micros(o.Tried), o.Error, o.ID)
	if err != nil {
		return fmt.Errorf("keep outgoing messages: %w", err)
	}
	return nil
}

// DeleteOutgoing forgets messages.
func DeleteOutgoing(ctx context.Context, tx *db.Tx, id int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM outbox_message WHERE id = ?`, id); err != nil {
		return fmt.Errorf("delete outgoing messages: %w", err)
	}
	return nil
}

// DropLane forgets what waits on a lane; what was given up stays.
func DropLane(ctx context.Context, tx *db.Tx, k config.LaneKey) error {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM outbox_message WHERE place = ? AND sink = ? AND state IN (1, 2)`, place, k.Sink); err != nil {
		return fmt.Errorf("delete outgoing messages: %w", err)
	}
	return nil
}

const outgoingColumns = `m.id, p.account, p.region, m.sink, m.state, m.kind, m.type, m.subject, m.args, m.count, m.created, m.since, m.due, m.tries, m.tried, m.error`

func scanOutgoing(ctx context.Context, tx *db.Tx, where string, args ...any) (out []config.Outgoing, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var o config.Outgoing
		var created, since, due, tried int64
		err := scan(&o.ID, &o.Account, &o.Region, &o.Sink, &o.State, &o.Kind, &o.Type, &o.Subject, &o.Args, &o.Count, &created, &since, &due, &o.Tries, &tried, &o.Error)
		o.Created, o.Since, o.Due, o.Tried = db.Time(created), db.Time(since), db.Time(due), db.Time(tried)
		out = append(out, o)
		return err
	}, `SELECT `+outgoingColumns+` FROM outbox_message m JOIN place p ON p.id = m.place `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read outgoing messages: %w", err)
	}
	return out, nil
}

// WaitingOutgoing returns the messages of a lane whose turn is next.
func WaitingOutgoing(ctx context.Context, tx *db.Tx, k config.LaneKey, limit int) ([]config.Outgoing, error) {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return nil, err
	}
	return scanOutgoing(ctx, tx, `WHERE m.place = ? AND m.sink = ? AND m.state = 1 ORDER BY m.id LIMIT ?`, place, k.Sink, limit)
}

// DueOutgoing returns held messages that are due, one of a resource at a time.
func DueOutgoing(ctx context.Context, tx *db.Tx, k config.LaneKey, now time.Time, limit int) ([]config.Outgoing, error) {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return nil, err
	}
	return scanOutgoing(ctx, tx, `WHERE m.place = ? AND m.sink = ? AND m.state = 2 AND m.due > 0 AND m.due <= ? ORDER BY m.id LIMIT ?`,
		place, k.Sink, db.Micros(now), limit)
}

// NextHeld returns when a held message of a lane is due; zero if none is held.
func NextHeld(ctx context.Context, tx *db.Tx, k config.LaneKey) (time.Time, error) {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return time.Time{}, err
	}
	var due int64
	err = tx.QueryRow(ctx, `SELECT coalesce(min(due), 0) FROM outbox_message WHERE place = ? AND sink = ? AND state = 2 AND due > 0`, place, k.Sink).Scan(&due)
	if err != nil {
		return time.Time{}, fmt.Errorf("read outgoing messages: %w", err)
	}
	return db.Time(due), nil
}

// IsHeld reports whether a message of a resource is held.
func IsHeld(ctx context.Context, tx *db.Tx, k config.LaneKey, kind, subject string) (held bool, err error) {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return false, err
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM outbox_message WHERE place = ? AND sink = ? AND state = 2 AND type = ? AND subject = ?)`,
		place, k.Sink, kind, subject).Scan(&held)
	if err != nil {
		return false, fmt.Errorf("read outgoing messages: %w", err)
	}
	return held, nil
}

// PromoteHeld makes the first of the held messages of a resource due.
func PromoteHeld(ctx context.Context, tx *db.Tx, k config.LaneKey, kind, subject string, due time.Time) error {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE outbox_message SET due = ? WHERE id = (
			SELECT min(id) FROM outbox_message WHERE place = ? AND sink = ? AND state = 2 AND type = ? AND subject = ?
		)`, db.Micros(due), place, k.Sink, kind, subject)
	if err != nil {
		return fmt.Errorf("change outgoing messages: %w", err)
	}
	return nil
}

// PromoteOrphans makes the first held message of each resource due that has none
// before it any more.
func PromoteOrphans(ctx context.Context, tx *db.Tx, k config.LaneKey, due time.Time) error {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE outbox_message SET due = ? WHERE place = ? AND sink = ? AND state = 2 AND due = 0 AND NOT EXISTS (
			SELECT 1 FROM outbox_message b WHERE b.place = outbox_message.place AND b.sink = outbox_message.sink AND b.state = 2
			AND b.type = outbox_message.type AND b.subject = outbox_message.subject AND b.id < outbox_message.id
		)`, db.Micros(due), place, k.Sink)
	if err != nil {
		return fmt.Errorf("change outgoing messages: %w", err)
	}
	return nil
}

// GiveUpOutgoing ends the tries of the messages of a lane that have been tried since
// before a time, and returns how many messages those are.
func GiveUpOutgoing(ctx context.Context, tx *db.Tx, k config.LaneKey, before, now time.Time, reason string) (n int, err error) {
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return 0, err
	}
	const old = `place = ? AND sink = ? AND state IN (1, 2) AND since < ?`
	err = tx.QueryRow(ctx, `SELECT coalesce(sum(count), 0) FROM outbox_message WHERE `+old, place, k.Sink, db.Micros(before)).Scan(&n)
	if err == nil && n > 0 {
		_, err = tx.Exec(ctx, `UPDATE outbox_message SET state = 3, due = 0, tried = ?, error = ? WHERE `+old,
			db.Micros(now), reason, place, k.Sink, db.Micros(before))
	}
	if err != nil {
		return 0, fmt.Errorf("give outgoing messages up: %w", err)
	}
	return n, nil
}

// Lane returns how a lane stands, and keeps others from changing it until the
// transaction ends. A lane that nothing was sent on is zero.
func Lane(ctx context.Context, tx *db.Tx, k config.LaneKey) (config.Lane, error) {
	l := config.Lane{LaneKey: k}
	if err := tx.Lock(ctx, "outbox lane "+k.Place.String()+" "+k.Sink); err != nil {
		return l, err
	}
	place, err := placeID(ctx, tx, k.Place)
	if err != nil {
		return l, err
	}
	var next int64
	var down int
	err = tx.QueryRow(ctx, `SELECT holder, down, next, tries FROM outbox_lane WHERE place = ? AND sink = ?`, place, k.Sink).
		Scan(&l.Holder, &down, &next, &l.Tries)
	if errors.Is(err, db.ErrNoRows) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("read lane: %w", err)
	}
	l.Down, l.Next = down == 1, db.Time(next)
	return l, nil
}

// PutLane keeps how a lane stands.
func PutLane(ctx context.Context, tx *db.Tx, l config.Lane) error {
	place, err := makePlace(ctx, tx, l.Place)
	if err != nil {
		return err
	}
	down := 0
	if l.Down {
		down = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO outbox_lane (place, sink, holder, down, next, tries) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, sink) DO UPDATE SET holder = excluded.holder, down = excluded.down, next = excluded.next, tries = excluded.tries`,
		place, l.Sink, l.Holder, down, db.Micros(l.Next), l.Tries)
	if err != nil {
		return fmt.Errorf("keep lane: %w", err)
	}
	return nil
}

// An OutgoingQuery selects undelivered messages.
type OutgoingQuery struct {
	Account string // empty: of every account
	Region  string // empty: of every region
	After   int64
	Limit   int
}

// UndeliveredMessages returns messages by their id.
func UndeliveredMessages(ctx context.Context, tx *db.Tx, q OutgoingQuery) ([]config.Outgoing, error) {
	return scanOutgoing(ctx, tx, `WHERE m.state = 3 AND m.id > ? AND (? = '' OR p.account = ?) AND (? = '' OR p.region = ?) ORDER BY m.id LIMIT ?`,
		q.After, q.Account, q.Account, q.Region, q.Region, q.Limit)
}

// OutgoingMessage returns messages that were kept together, or ErrNotFound.
func OutgoingMessage(ctx context.Context, tx *db.Tx, id int64) (config.Outgoing, error) {
	found, err := scanOutgoing(ctx, tx, `WHERE m.id = ?`, id)
	if err != nil {
		return config.Outgoing{}, err
	}
	if len(found) == 0 {
		return config.Outgoing{}, ErrNotFound
	}
	return found[0], nil
}

// An OutgoingCount is how many messages of a lane are in a state, and since when.
type OutgoingCount struct {
	config.LaneKey
	State  config.OutgoingState
	N      int64
	Oldest time.Time
}

// CountOutgoing counts the messages of every lane that has some.
func CountOutgoing(ctx context.Context, tx *db.Tx) (out []OutgoingCount, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var c OutgoingCount
		var oldest int64
		err := scan(&c.Account, &c.Region, &c.Sink, &c.State, &c.N, &oldest)
		c.Oldest = db.Time(oldest)
		out = append(out, c)
		return err
	}, `SELECT p.account, p.region, m.sink, m.state, CAST(sum(m.count) AS BIGINT), min(m.created) FROM outbox_message m JOIN place p ON p.id = m.place
		GROUP BY p.account, p.region, m.sink, m.state ORDER BY p.account, p.region, m.sink, m.state`)
	if err != nil {
		return nil, fmt.Errorf("count outgoing messages: %w", err)
	}
	return out, nil
}

// SweepOutgoing deletes some of the messages that were given up and have been there
// since before a time, and reports whether there are more.
func SweepOutgoing(ctx context.Context, tx *db.Tx, before time.Time, limit int) (more bool, err error) {
	n, err := tx.Exec(ctx, `DELETE FROM outbox_message WHERE id IN (SELECT id FROM outbox_message WHERE state = 3 AND since < ? LIMIT ?)`,
		db.Micros(before), limit)
	if err != nil {
		return false, fmt.Errorf("delete undelivered messages: %w", err)
	}
	return n == int64(limit), nil
}
