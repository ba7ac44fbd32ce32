package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// What is older than its retention goes in three ways, each in pages: resources
// that are gone, with all that is known of them; the older part of the history of
// places that have set how long they keep it; and whole months that no place needs.
// What was true at the boundary stays.

// ExpireResources deletes up to limit resources of a place that are gone since
// before the boundary, with their verdicts and everything else, and returns how
// many it deleted.
func ExpireResources(ctx context.Context, tx *db.Tx, k Kept, now time.Time, limit int) (int, error) {
	before := firstState(k.Before(now))
	keys, err := goneResources(ctx, tx, k, before, limit)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	h, err := hold(ctx, tx, k.Place, keys)
	if err != nil {
		return 0, err
	}
	var all []*row
	for _, key := range keys {
		if r := h[key]; r != nil && statusOf(r.status).Gone() && r.stateID < before {
			all = append(all, r)
		}
	}
	return len(all), deleteResources(ctx, tx, all)
}

func goneResources(ctx context.Context, tx *db.Tx, k Kept, before int64, limit int) ([]config.ResourceKey, error) {
	var keys []config.ResourceKey
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		key := config.ResourceKey{Place: k.Place}
		err := scan(&key.Type, &key.ID)
		keys = append(keys, key)
		return err
	}, `SELECT t.name, r.external_id FROM resource r JOIN resource_type t ON t.id = r.type
		WHERE r.place = ? AND r.status IN (4, 5) AND r.state_id < ? ORDER BY r.state_id LIMIT ?`, k.id, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read resources of %s that are gone: %w", k.Place, err)
	}
	return keys, nil
}

// deleteResources deletes resources that the transaction holds, and all that is
// known of them.
func deleteResources(ctx context.Context, tx *db.Tx, all []*row) error {
	if len(all) == 0 {
		return nil
	}
	ids := collect(all, func(r *row) int64 { return r.id })
	if err := deleteVerdictsOn(ctx, tx, all, ids); err != nil {
		return fmt.Errorf("delete verdicts on resources that are gone: %w", err)
	}
	ms, err := months(ctx, tx)
	if err != nil {
		return err
	}
	tables := []string{"verdict_digest", "announcement", "announcement_event", "relation", "resource_body", "resource_tag", "body"}
	last := slices.MaxFunc(all, func(a, b *row) int { return cmp.Compare(a.stateID, b.stateID) })
	for _, m := range monthsUntil(ms, last.stateID, len(ms)) {
		tables = append(tables, m.table())
	}
	for _, table := range tables {
		if err := deleteOf(ctx, tx, table, ids); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	with, args := list{ints("id", ids)}.with(tx)
	if _, err := tx.Exec(ctx, with+`DELETE FROM resource WHERE id IN (SELECT id FROM w)`, args...); err != nil {
		return fmt.Errorf("delete resources: %w", err)
	}
	for _, r := range all {
		delete(heldBy(tx), r.key)
	}
	return nil
}

func deleteVerdictsOn(ctx context.Context, tx *db.Tx, all []*row, ids []int64) error {
	byID := make(map[int64]*row, len(all))
	for _, r := range all {
		byID[r.id] = r
	}
	t := talliesOf(tx)
	with, args := list{ints("id", ids)}.with(tx)
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		var id, rule, code int64
		err := scan(&id, &rule, &code)
		if err == nil {
			t.judged(byID[id], rule, code, codeNone)
		}
		return err
	}, with+`DELETE FROM verdict WHERE resource IN (SELECT id FROM w) RETURNING resource, rule, compliance`, args...)
}

// ExpireHistory deletes what the history of a place has from before its boundary,
// for up to limit resources after the given one, and returns where to go on: the
// zero key when it is through. A place that never set how long it keeps its
// history has nothing to delete here: months go as a whole.
func ExpireHistory(ctx context.Context, tx *db.Tx, k Kept, now time.Time, after config.ResourceKey, limit int) (next config.ResourceKey, err error) {
	if k.Days == config.DefaultRetention {
		return next, nil
	}
	boundary := firstState(k.Before(now))
	keys, ids, err := resourcesAfter(ctx, tx, k, after, limit)
	if err != nil {
		return next, err
	}
	if err := expireEntries(ctx, tx, ids, k.expired, boundary); err != nil {
		return next, fmt.Errorf("delete old items of %s: %w", k.Place, err)
	}
	if len(keys) == limit {
		return keys[limit-1], nil
	}
	_, err = tx.Exec(ctx, `UPDATE retention SET expired = ? WHERE place = ? AND expired < ?`, boundary, k.id, boundary)
	return next, err
}

// resourcesAfter returns resources of a place in the order of type and id.
func resourcesAfter(ctx context.Context, tx *db.Tx, k Kept, after config.ResourceKey, limit int) (keys []config.ResourceKey, ids []int64, err error) {
	kinds, err := typesIn(ctx, tx, k.Place)
	if err != nil {
		return nil, nil, err
	}
	for _, kind := range kinds {
		if kind.name < after.Type || len(keys) == limit {
			continue
		}
		past := ""
		if kind.name == after.Type {
			past = after.ID
		}
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			key := config.ResourceKey{Place: k.Place, Type: kind.name}
			var id int64
			err := scan(&id, &key.ID)
			keys, ids = append(keys, key), append(ids, id)
			return err
		}, `SELECT r.id, r.external_id FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ? ORDER BY r.external_id LIMIT ?`,
			kind.id, k.id, past, limit-len(keys))
		if err != nil {
			return nil, nil, fmt.Errorf("walk resources of %s: %w", k.Place, err)
		}
	}
	return keys, ids, nil
}

// expireEntries deletes the entries and bodies of resources from before the entry
// that was true at the boundary; that one too if the resource was gone then. What
// is older than since is deleted already.
func expireEntries(ctx context.Context, tx *db.Tx, ids []int64, since, boundary int64) error {
	ms, err := months(ctx, tx)
	if err != nil {
		return err
	}
	ms = monthsUntil(monthsSince(ms, since), boundary, len(ms))
	kept, err := newestOf(ctx, tx, ms, ids, boundary)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(kept, maxRows) {
		with, args := list{
			ints("resource", collect(chunk, func(e entry) int64 { return e.resource })),
			ints("state_id", collect(chunk, entry.firstKept)),
			ints("body", collect(chunk, func(e entry) int64 { return e.bodyKey().stateID })),
		}.with(tx)
		for _, m := range ms {
			if err := deletePairs(ctx, tx, with, args, m.table(), "state_id"); err != nil {
				return err
			}
		}
		if err := deletePairs(ctx, tx, with, args, "body", "body"); err != nil {
			return err
		}
	}
	return nil
}

// firstKept returns the first state id that is kept if the entry was the newest at
// the boundary.
func (e entry) firstKept() int64 {
	if statusOf(e.status).Gone() {
		return e.stateID + 1
	}
	return e.stateID
}

// newestOf returns the newest entries of resources at a time, in some months.
func newestOf(ctx context.Context, tx *db.Tx, ms []historyMonth, ids []int64, at int64) ([]entry, error) {
	found := map[int64]entry{}
	for i := len(ms) - 1; i >= 0 && len(ids) > 0; i-- {
		if err := entriesOfMonth(ctx, tx, ms[i].month, ids, at, found); err != nil {
			return nil, err
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { _, ok := found[id]; return ok })
	}
	out := make([]entry, 0, len(found))
	for _, e := range found {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.resource, b.resource) })
	return out, nil
}

// deletePairs deletes the rows of a table, with the key resource and state_id, that
// come before the named column of w.
func deletePairs(ctx context.Context, tx *db.Tx, with string, args []any, table, column string) error {
	_, err := tx.Exec(ctx, with+`DELETE FROM `+table+` WHERE (resource, state_id) IN
		(SELECT t.resource, t.state_id FROM w CROSS JOIN `+table+` t WHERE t.resource = w.resource AND t.state_id < w.`+column+`)`, args...)
	if err != nil {
		return fmt.Errorf("delete from %s: %w", table, err)
	}
	return nil
}
