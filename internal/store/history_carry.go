package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/db"
)

// When a month has begun, each resource that lived then gets a reference row in
// it, which says what its newest item was. So one month is enough to know what was
// true at any time in it, and the months before it can go.

// CarryForward writes reference rows of up to limit resources, and reports
// whether there are more to write. It makes the month of now if no item has.
func CarryForward(ctx context.Context, tx *db.Tx, now time.Time, limit int) (more bool, err error) {
	if err := tx.Lock(ctx, carrying); err != nil {
		return false, err
	}
	if err := ensureMonth(ctx, tx, monthOf(now.UnixMilli())); err != nil {
		return false, err
	}
	all, err := months(ctx, tx)
	if err != nil {
		return false, err
	}
	for i, m := range all {
		if m.complete() || m.start() > now.UnixMilli() {
			continue
		}
		if i == 0 {
			err = setCarried(ctx, tx, m, allCarried) // nothing came before
		} else {
			err = carryInto(ctx, tx, m, limit)
		}
		if err != nil {
			return false, fmt.Errorf("carry the history into month %d: %w", m.month, err)
		}
		return true, nil
	}
	return false, nil
}

// carrying is the lock of those who carry forward and those who add to the past.
const carrying = "history that is carried forward"

func carryInto(ctx context.Context, tx *db.Tx, m historyMonth, limit int) error {
	found, err := readEntries(ctx, tx, `SELECT r.id, r.state_id, 0, r.body, r.status, false FROM resource r WHERE r.id > ? ORDER BY r.id LIMIT ?`,
		m.carried, limit)
	if err != nil {
		return err
	}
	var references []entry
	var changed []int64 // since the month began
	for _, e := range found {
		if e.stateID >= m.start() {
			changed = append(changed, e.resource)
		} else {
			references = append(references, e)
		}
	}
	before, err := entriesAt(ctx, tx, changed, m.start()-1)
	if err != nil {
		return err
	}
	for _, e := range before {
		references = append(references, e)
	}
	references = slices.DeleteFunc(references, func(e entry) bool { s := statusOf(e.status); return s == "" || s.Gone() })
	if err := writeReferences(ctx, tx, m.month, references); err != nil {
		return err
	}
	carried := int64(allCarried)
	if len(found) == limit {
		carried = found[limit-1].resource
	}
	return setCarried(ctx, tx, m, carried)
}

func writeReferences(ctx context.Context, tx *db.Tx, m month, all []entry) error {
	for chunk := range slices.Chunk(all, maxRows) {
		with, args := list{
			ints("resource", collect(chunk, func(e entry) int64 { return e.resource })),
			ints("previous", collect(chunk, entry.item)),
			ints("body", collect(chunk, func(e entry) int64 { return e.bodyKey().stateID })),
			ints("status", collect(chunk, func(e entry) int64 { return e.status })),
		}.with(tx)
		_, err := tx.Exec(ctx, fmt.Sprintf(`%sINSERT INTO %s (`+entryColumns+`) SELECT resource, %d, previous, body, status, true FROM w WHERE true
			ON CONFLICT DO NOTHING`, with, m.table(), m.start()), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

var errCarried = errors.New("another server carries it forward at the same time")

func setCarried(ctx context.Context, tx *db.Tx, m historyMonth, carried int64) error {
	n, err := tx.Exec(ctx, `UPDATE item_month SET carried = ? WHERE month = ? AND carried = ?`, carried, int(m.month), m.carried)
	if err == nil && n == 0 {
		err = errCarried
	}
	db.Local(tx, newHistoryMonths).read = false
	return err
}
