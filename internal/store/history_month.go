package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"plumb/internal/db"
)

// The history is kept by calendar month, in UTC: each month has a table of its
// own, so that what is too old goes at once, and what was true at some time is
// found in one of them. On PostgreSQL the tables are partitions of item. A query
// names the table of a month, never the whole.

// A month is a calendar month as a number: 202611.
type month int

func monthOf(stateID int64) month {
	t := time.UnixMilli(stateID).UTC()
	return month(t.Year()*100 + int(t.Month()))
}

// start returns the first state id of the month.
func (m month) start() int64 {
	return time.Date(int(m)/100, time.Month(int(m)%100), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}

// end returns the first state id after the month.
func (m month) end() int64 {
	return time.Date(int(m)/100, time.Month(int(m)%100)+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}

// table returns the name of the month's table.
func (m month) table() string { return fmt.Sprintf("item_%06d", int(m)) }

// knownMonths are those whose tables exist for certain.
type knownMonths struct{ sync.Map }

func newKnownMonths() *knownMonths { return &knownMonths{} }

// ensureMonth makes the table of a month in the transaction that needs it.
func ensureMonth(ctx context.Context, tx *db.Tx, m month) error {
	known := db.Shared(tx, newKnownMonths)
	if _, ok := known.Load(m); ok {
		return nil
	}
	if err := tx.Lock(ctx, m.table()); err != nil {
		return err
	}
	var dropped bool
	err := tx.QueryRow(ctx, `SELECT dropped FROM item_month WHERE month = ?`, int(m)).Scan(&dropped)
	if errors.Is(err, db.ErrNoRows) || err == nil && dropped {
		err = makeMonth(ctx, tx, m)
	}
	if err == nil {
		err = indexMonth(ctx, tx, m)
	}
	if err != nil {
		return fmt.Errorf("make the history's table of month %d: %w", m, err)
	}
	tx.AfterCommit(func() { known.Store(m, true) })
	return nil
}

// makeMonth makes the table of a month, or takes up again one that was to go.
func makeMonth(ctx context.Context, tx *db.Tx, m month) error {
	stmt := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s PARTITION OF item FOR VALUES FROM (%d) TO (%d)", m.table(), m.start(), m.end())
	if tx.Postgres() == nil {
		if err := tx.QueryRow(ctx, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'item'`).Scan(&stmt); err != nil {
			return err
		}
		stmt = strings.Replace(stmt, "CREATE TABLE item", "CREATE TABLE IF NOT EXISTS "+m.table(), 1)
	}
	if _, err := tx.Exec(ctx, stmt); err != nil {
		return err
	}
	db.Local(tx, newHistoryMonths).read = false
	_, err := tx.Exec(ctx, `INSERT INTO item_month (month, carried, dropped) VALUES (?, 0, false)
		ON CONFLICT (month) DO UPDATE SET carried = 0, dropped = false`, int(m))
	return err
}

// indexMonth makes the index of a month by time, which PostgreSQL makes by itself. The
// tables of stores that are older than the index do not have it.
func indexMonth(ctx context.Context, tx *db.Tx, m month) error {
	if tx.Postgres() != nil {
		return nil
	}
	_, err := tx.Exec(ctx, fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s_by_time ON %s (state_id, resource) WHERE NOT reference", m.table(), m.table()))
	return err
}

// IndexMonths makes the index by time of a month that a program without it made, and
// reports whether there may be more.
func IndexMonths(ctx context.Context, tx *db.Tx, _ int) (more bool, err error) {
	all, err := months(ctx, tx)
	for _, m := range all {
		indexed, err := monthIndexed(ctx, tx, m.month)
		if err != nil {
			return false, err
		}
		if !indexed {
			return true, indexMonth(ctx, tx, m.month)
		}
	}
	return false, err
}

func monthIndexed(ctx context.Context, tx *db.Tx, m month) (bool, error) {
	if tx.Postgres() != nil {
		return true, nil
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?`, m.table()+"_by_time").Scan(&n)
	return n > 0, err
}

// A historyMonth is a month that has a table.
type historyMonth struct {
	month
	carried int64 // the last resource whose reference row it has
}

// allCarried says that a month has a reference row of every resource that lived
// when it began.
const allCarried = -1

func (m historyMonth) complete() bool { return m.carried == allCarried }

// historyMonths are the months with tables that a transaction found, the oldest
// first.
type historyMonths struct {
	months []historyMonth
	read   bool
}

func newHistoryMonths() *historyMonths { return &historyMonths{} }

// months returns the months that the transaction finds.
func months(ctx context.Context, tx *db.Tx) ([]historyMonth, error) {
	h := db.Local(tx, newHistoryMonths)
	if h.read {
		return h.months, nil
	}
	h.months = nil
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int
		var m historyMonth
		err := scan(&n, &m.carried)
		m.month = month(n)
		h.months = append(h.months, m)
		return err
	}, `SELECT month, carried FROM item_month WHERE NOT dropped ORDER BY month`)
	if err != nil {
		return nil, fmt.Errorf("read the months of the history: %w", err)
	}
	h.read = true
	return h.months, nil
}
