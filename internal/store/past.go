package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// Items that were recorded elsewhere come in any order. One that is newer than the
// newest of its resource is appended like any other. One that is older is put into
// the history: the item after it follows it from now on, and months that it lived
// through say so.

// Unkept returns the items of a place that the history does not have, each state of a
// resource once, in the order of type, id and state. The transaction holds their
// resources, and nobody carries the history forward until it ends.
func Unkept(ctx context.Context, tx *db.Tx, p config.Place, items []NewItem) ([]NewItem, error) {
	if err := tx.Lock(ctx, carrying); err != nil {
		return nil, err
	}
	h, err := hold(ctx, tx, p, distinctKeys(items))
	if err != nil {
		return nil, err
	}
	kept, err := keptStates(ctx, tx, h, items)
	if err != nil {
		return nil, fmt.Errorf("read what is kept already: %w", err)
	}
	out := slices.DeleteFunc(slices.Clone(items), func(it NewItem) bool {
		r := h[it.ResourceKey]
		if r == nil {
			return false
		}
		_, ok := kept[bodyKey{r.id, it.StateID}]
		return ok
	})
	slices.SortStableFunc(out, compareStates)
	return slices.CompactFunc(out, func(a, b NewItem) bool { return compareStates(a, b) == 0 }), nil
}

func compareStates(a, b NewItem) int {
	return cmp.Or(compareKeys(a.ResourceKey, b.ResourceKey), cmp.Compare(a.StateID, b.StateID))
}

func distinctKeys(items []NewItem) []config.ResourceKey {
	keys := collect(items, func(it NewItem) config.ResourceKey { return it.ResourceKey })
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// keptStates returns which items the history has.
func keptStates(ctx context.Context, tx *db.Tx, h held, items []NewItem) (map[bodyKey]entry, error) {
	var keys []bodyKey
	for _, it := range items {
		if r := h[it.ResourceKey]; r != nil {
			keys = append(keys, bodyKey{r.id, it.StateID})
		}
	}
	return keptEntries(ctx, tx, keys)
}

// keptEntries returns those of the items that the history has.
func keptEntries(ctx context.Context, tx *db.Tx, keys []bodyKey) (map[bodyKey]entry, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	byMonth := map[month][]bodyKey{}
	for _, k := range keys {
		m := monthOf(k.stateID)
		byMonth[m] = append(byMonth[m], k)
	}
	out := make(map[bodyKey]entry, len(keys))
	for _, m := range all {
		for chunk := range slices.Chunk(byMonth[m.month], maxRows) {
			with, args := keysList(chunk).with(tx)
			found, err := readEntries(ctx, tx, with+`SELECT i.resource, i.state_id, i.previous, i.body, i.status, i.reference
				FROM w CROSS JOIN `+m.table()+` i WHERE i.resource = w.resource AND i.state_id = w.state_id AND NOT i.reference`, args...)
			if err != nil {
				return nil, err
			}
			for _, e := range found {
				out[bodyKey{e.resource, e.stateID}] = e
			}
		}
	}
	return out, nil
}

func keysList(keys []bodyKey) list {
	return list{
		ints("resource", collect(keys, func(k bodyKey) int64 { return k.resource })),
		ints("state_id", collect(keys, func(k bodyKey) int64 { return k.stateID })),
	}
}

// AddPast adds items that Unkept returned: newest are those that are newer than what
// their resources have, one of each, and past all others, in Unkept's order.
func AddPast(ctx context.Context, tx *db.Tx, p config.Place, newest, past []NewItem) error {
	before, err := hold(ctx, tx, p, distinctKeys(newest))
	if err != nil {
		return err
	}
	previous := make(map[config.ResourceKey]int64, len(newest))
	for _, it := range newest {
		if r := before[it.ResourceKey]; r != nil {
			previous[it.ResourceKey] = r.stateID
		}
	}
	if err := AppendItems(ctx, tx, newest); err != nil {
		return err
	}
	h, err := hold(ctx, tx, p, append(distinctKeys(newest), distinctKeys(past)...))
	if err != nil {
		return err
	}
	var lived []lifetime
	for _, it := range newest {
		r := h[it.ResourceKey]
		e := entry{resource: r.id, stateID: r.stateID, previous: previous[it.ResourceKey], body: r.body, status: r.status}
		lived = append(lived, lifetime{e, maxStateID})
	}
	added, err := insertPast(ctx, tx, h, past)
	if err != nil {
		return fmt.Errorf("add to the history: %w", err)
	}
	if err := rewriteReferences(ctx, tx, append(lived, added...)); err != nil {
		return fmt.Errorf("add to the months after: %w", err)
	}
	return nil
}

// A lifetime is an entry and the state id of the one that follows it.
type lifetime struct {
	entry
	until int64
}

// insertPast writes the entries and bodies of items that have a newer one.
func insertPast(ctx context.Context, tx *db.Tx, h held, past []NewItem) ([]lifetime, error) {
	if len(past) == 0 {
		return nil, nil
	}
	if err := packRest(ctx, tx, past); err != nil {
		return nil, err
	}
	all := collect(past, func(it NewItem) born {
		return born{NewItem: it, row: h[it.ResourceKey], body: it.StateID}
	})
	after, err := followers(ctx, tx, collect(all, func(b born) bodyKey { return bodyKey{b.row.id, b.StateID} }))
	if err != nil {
		return nil, err
	}
	out := make([]lifetime, len(all))
	next := map[bodyKey]entry{} // the followers as they are to be
	for i := range all {
		b := &all[i]
		follower := after[i]
		b.previous = follower.previous
		if i > 0 && all[i-1].row.id == b.row.id && all[i-1].StateID > b.previous {
			b.previous = all[i-1].StateID
		}
		until := follower.stateID
		if i+1 < len(all) && all[i+1].row.id == b.row.id && all[i+1].StateID < until {
			until = all[i+1].StateID
		}
		out[i] = lifetime{b.entry(), until}
		f := follower
		f.previous = b.StateID // the last of those before it stays
		next[bodyKey{f.resource, f.stateID}] = f
	}
	if err := appendHistory(ctx, tx, all); err != nil {
		return nil, err
	}
	return out, follow(ctx, tx, h, next)
}

// followers returns the items that come next in the histories of the resources.
func followers(ctx context.Context, tx *db.Tx, keys []bodyKey) ([]entry, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]entry, len(keys))
	open := counted(len(keys))
	for _, m := range all {
		var here []int64 // those that may have it in this month
		for _, n := range open {
			if m.end() > keys[n].stateID {
				here = append(here, n)
			}
		}
		for chunk := range slices.Chunk(here, maxRows) {
			some := collect(chunk, func(n int64) bodyKey { return keys[n] })
			with, args := append(list{ints("n", chunk)}, keysList(some)...).with(tx)
			err := db.Each(ctx, tx, func(scan func(...any) error) error {
				var n int64
				var e entry
				err := scan(&n, &e.resource, &e.stateID, &e.previous, &e.body, &e.status)
				out[n] = e
				return err
			}, with+`SELECT w.n, i.resource, i.state_id, i.previous, i.body, i.status FROM w CROSS JOIN `+m.table()+` i
				WHERE i.resource = w.resource AND i.state_id = (SELECT min(s.state_id) FROM `+m.table()+` s
				WHERE s.resource = w.resource AND s.state_id > w.state_id AND NOT s.reference)`, args...)
			if err != nil {
				return nil, err
			}
		}
		open = slices.DeleteFunc(open, func(n int64) bool { return out[n].resource != 0 })
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("resource %d has no item after %d", keys[open[0]].resource, keys[open[0]].stateID)
	}
	return out, nil
}

// follow has items follow those that were put before them. One that shared the body
// of the item that was before it gets a copy: bodies are shared in a row only.
func follow(ctx context.Context, tx *db.Tx, h held, next map[bodyKey]entry) error {
	byMonth := map[month][]entry{}
	for _, e := range next {
		if e.body != 0 && e.body != e.stateID {
			if err := rehome(ctx, tx, h, e); err != nil {
				return err
			}
		}
		m := monthOf(e.stateID)
		byMonth[m] = append(byMonth[m], e)
	}
	for m, entries := range byMonth {
		with, args := list{
			ints("resource", collect(entries, func(e entry) int64 { return e.resource })),
			ints("state_id", collect(entries, func(e entry) int64 { return e.stateID })),
			ints("previous", collect(entries, func(e entry) int64 { return e.previous })),
		}.with(tx)
		if _, err := tx.Exec(ctx, with+`UPDATE `+m.table()+` SET previous = w.previous FROM w
			WHERE `+m.table()+`.resource = w.resource AND `+m.table()+`.state_id = w.state_id`, args...); err != nil {
			return err
		}
	}
	return nil
}

// rehome keeps a body that an item shares with ones before it again, for that item
// and those after it that share it.
func rehome(ctx context.Context, tx *db.Tx, h held, e entry) error {
	_, err := tx.Exec(ctx, `INSERT INTO body (resource, state_id, coding, dictionary, content)
		SELECT resource, `+placeholder(tx)+`, coding, dictionary, content FROM body WHERE resource = ? AND state_id = ?`, e.stateID, e.resource, e.body)
	if err != nil {
		return err
	}
	all, err := months(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range monthsSince(all, e.stateID) {
		_, err := tx.Exec(ctx, `UPDATE `+m.table()+` SET body = ? WHERE resource = ? AND state_id >= ? AND body = ?`, e.stateID, e.resource, e.stateID, e.body)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE resource SET body = ? WHERE id = ? AND body = ?`, e.stateID, e.resource, e.body)
	for _, r := range h {
		if r != nil && r.id == e.resource && r.body == e.body {
			r.body = e.stateID
		}
	}
	return err
}

// rewriteReferences has the months that began in the lifetime of an entry say that it
// was the newest then, as far as they were carried.
func rewriteReferences(ctx context.Context, tx *db.Tx, all []lifetime) error {
	ms, err := months(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range ms {
		var alive []entry
		var gone []bodyKey
		for _, l := range all {
			switch began := l.stateID < m.start() && m.start() < l.until; {
			case !began || !m.complete() && l.resource > m.carried:
			case statusOf(l.status) == "" || statusOf(l.status).Gone():
				gone = append(gone, bodyKey{l.resource, m.start()})
			default:
				alive = append(alive, l.entry)
			}
		}
		for _, some := range [][]bodyKey{gone, collect(alive, func(e entry) bodyKey { return bodyKey{e.resource, m.start()} })} {
			for chunk := range slices.Chunk(some, maxRows) {
				with, args := keysList(chunk).with(tx)
				_, err := tx.Exec(ctx, with+`DELETE FROM `+m.table()+` WHERE reference AND (resource, state_id) IN (SELECT resource, state_id FROM w)`, args...)
				if err != nil {
					return err
				}
			}
		}
		if err := writeReferences(ctx, tx, m.month, alive); err != nil {
			return err
		}
	}
	return nil
}
