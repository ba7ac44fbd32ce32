package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An entry is a row of the history: an item, or in a reference row the item that
// was the newest when a month began.
type entry struct {
	resource  int64
	stateID   int64 // its place in the history; of a reference row, the first of the month
	previous  int64 // the item before it, 0 if it is the first; of a reference row, the item that it stands for
	body      int64 // the item that its body is kept with
	status    int64
	reference bool
}

// item returns the state id of the item that the entry is, or stands for.
func (e entry) item() int64 {
	if e.reference {
		return e.previous
	}
	return e.stateID
}

func (e entry) bodyKey() bodyKey {
	if e.body == 0 {
		return bodyKey{e.resource, e.stateID}
	}
	return bodyKey{e.resource, e.body}
}

// of returns the item of that resource that the entry is, or stands for.
func (e entry) of(key config.ResourceKey) *StoredItem {
	return &StoredItem{VersionKey: config.VersionKey{ResourceKey: key, StateID: e.item()}, Status: statusOf(e.status), body: e.bodyKey()}
}

const entryColumns = "resource, state_id, previous, body, status, reference"

func scanEntry(scan func(...any) error) (e entry, err error) {
	err = scan(&e.resource, &e.stateID, &e.previous, &e.body, &e.status, &e.reference)
	return e, err
}

// appendEntries writes entries, each to the table of its month. An item of a
// month's first millisecond takes the place of the reference row there.
func appendEntries(ctx context.Context, tx *db.Tx, entries []entry) error {
	byMonth := map[month][]entry{}
	var order []month
	for _, e := range entries {
		m := monthOf(e.stateID)
		if _, ok := byMonth[m]; !ok {
			order = append(order, m)
		}
		byMonth[m] = append(byMonth[m], e)
	}
	slices.Sort(order) // all transactions lock months in the same order
	for _, m := range order {
		if err := ensureMonth(ctx, tx, m); err != nil {
			return err
		}
		if err := appendToMonth(ctx, tx, m, byMonth[m]); err != nil {
			return fmt.Errorf("append to %s: %w", m.table(), err)
		}
	}
	return nil
}

func appendToMonth(ctx context.Context, tx *db.Tx, m month, entries []entry) error {
	with, args := list{
		ints("resource", collect(entries, func(e entry) int64 { return e.resource })),
		ints("state_id", collect(entries, func(e entry) int64 { return e.stateID })),
		ints("previous", collect(entries, func(e entry) int64 { return e.previous })),
		ints("body", collect(entries, func(e entry) int64 { return e.body })),
		ints("status", collect(entries, func(e entry) int64 { return e.status })),
	}.with(tx)
	n, err := tx.Exec(ctx, with+`INSERT INTO `+m.table()+` (`+entryColumns+`)
		SELECT resource, state_id, previous, body, status, false FROM w WHERE true
		ON CONFLICT (resource, state_id) DO UPDATE SET previous = excluded.previous, body = excluded.body,
		status = excluded.status, reference = excluded.reference WHERE `+m.table()+`.reference`, args...)
	if err == nil && n != int64(len(entries)) {
		err = fmt.Errorf("%d of %d items have a state id that was recorded already", int64(len(entries))-n, len(entries))
	}
	return err
}

// A span is a part of the history of one resource, from the older end to the
// newer one, both included.
type span struct {
	resource int64
	from, to int64
}

// monthsAtOnce is how many months one query reads when the first did not have
// enough.
const monthsAtOnce = 12

// newestFirst returns up to limit entries of a span, which are items, or the
// reference row that stands for the item that was true at the boundary of what
// is kept.
func newestFirst(ctx context.Context, tx *db.Tx, s span, limit int) ([]entry, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	var out []entry
	var last *entry // the oldest that was read, of whatever kind: it says where the next one is
	for n, to := 1, s.to; len(out) < limit && to >= s.from; n = monthsAtOnce {
		part := monthsUntil(all, to, n)
		if len(part) == 0 {
			break
		}
		found, err := readMonths(ctx, tx, part, span{s.resource, s.from, to}, "DESC", limit-len(out))
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if !e.reference && len(out) < limit {
				out = append(out, e)
			}
			last = &e
		}
		to = part[0].start() - 1
		if last != nil {
			to = min(to, last.previous)
		}
	}
	if len(out) == limit {
		return out, nil
	}
	return withBoundary(ctx, tx, s, out, last)
}

// withBoundary adds the reference row that stands for the item that came before
// all that is kept, if it is in the span. last is the oldest entry that was read:
// if that is an item, the row may be one that the way to the item before it left
// out.
func withBoundary(ctx context.Context, tx *db.Tx, s span, out []entry, last *entry) ([]entry, error) {
	if last == nil || !last.reference && last.previous >= max(1, s.from) {
		first, err := oldest(ctx, tx, s.resource)
		if err != nil || len(first) == 0 {
			return out, err
		}
		last = &first[0]
	}
	if !last.reference || last.previous < s.from || last.previous > s.to {
		return out, nil
	}
	kept, err := itemAt(ctx, tx, bodyKey{s.resource, last.previous})
	if err != nil || len(kept) > 0 {
		return out, err
	}
	return append(out, *last), nil
}

// oldestFirst returns the same as newestFirst in the other order.
func oldestFirst(ctx context.Context, tx *db.Tx, s span, limit int) ([]entry, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	var out []entry
	rest := monthsSince(all, s.from)
	for n := 1; len(out) < limit && len(rest) > 0; n = monthsAtOnce {
		part := rest[:min(n, len(rest))]
		rest = rest[len(part):]
		found, err := readMonths(ctx, tx, part, span{s.resource, s.from, maxStateID}, "ASC", limit-len(out)+1)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if e.reference && len(out) == 0 {
				if out, err = withBoundary(ctx, tx, s, out, &e); err != nil {
					return nil, err
				}
			}
			if e.stateID > s.to {
				return out, nil
			}
			if !e.reference && len(out) < limit {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

const maxStateID = 1<<63 - 1

// oldest returns the first entry of a resource, of whatever kind, or none.
func oldest(ctx context.Context, tx *db.Tx, resource int64) ([]entry, error) {
	rest, err := months(ctx, tx)
	for err == nil && len(rest) > 0 {
		part := rest[:min(monthsAtOnce, len(rest))]
		rest = rest[len(part):]
		var found []entry
		if found, err = readMonths(ctx, tx, part, span{resource, 0, maxStateID}, "ASC", 1); len(found) > 0 {
			return found[:1], err
		}
	}
	return nil, err
}

// itemAt returns the entry of one item, or none if it is not kept.
func itemAt(ctx context.Context, tx *db.Tx, k bodyKey) ([]entry, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	m := monthOf(k.stateID)
	if !slices.ContainsFunc(all, func(h historyMonth) bool { return h.month == m }) {
		return nil, nil
	}
	return readEntries(ctx, tx, `SELECT `+entryColumns+` FROM `+m.table()+` WHERE resource = ? AND state_id = ? AND NOT reference`,
		k.resource, k.stateID)
}

// version returns the entry of an item, or what stands for it, or none.
func version(ctx context.Context, tx *db.Tx, k bodyKey) ([]entry, error) {
	found, err := itemAt(ctx, tx, k)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return withBoundary(ctx, tx, span{k.resource, k.stateID, k.stateID}, nil, nil)
}

// monthsUntil returns the last n months that begin at a state id or before it.
func monthsUntil(all []historyMonth, stateID int64, n int) []historyMonth {
	end := len(all)
	for end > 0 && all[end-1].start() > stateID {
		end--
	}
	return all[max(0, end-n):end]
}

// monthsSince returns the months that end after a state id.
func monthsSince(all []historyMonth, stateID int64) []historyMonth {
	for len(all) > 0 && all[0].end() <= stateID {
		all = all[1:]
	}
	return all
}

// readMonths returns the entries of a resource in some months, up to limit of
// each, in order.
func readMonths(ctx context.Context, tx *db.Tx, ms []historyMonth, s span, order string, limit int) ([]entry, error) {
	parts := make([]string, len(ms))
	var args []any
	for i, m := range ms {
		parts[i] = `SELECT * FROM (SELECT ` + entryColumns + ` FROM ` + m.table() + `
			WHERE resource = ? AND state_id >= ? AND state_id <= ? ORDER BY state_id ` + order + ` LIMIT ?) AS m`
		args = append(args, s.resource, s.from, s.to, limit)
	}
	out, err := readEntries(ctx, tx, strings.Join(parts, " UNION ALL "), args...)
	slices.SortFunc(out, func(a, b entry) int {
		if order == "DESC" {
			a, b = b, a
		}
		return cmp.Compare(a.stateID, b.stateID)
	})
	return out, err
}

func readEntries(ctx context.Context, tx *db.Tx, query string, args ...any) ([]entry, error) {
	var out []entry
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		out = append(out, e)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return out, nil
}
