package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// maxAsOf is how many resources AsOf looks at for each item that it may return:
// most of them may not have existed then.
const maxAsOf = 10

// AsOf returns items of a place that were the newest of their resources at a
// time, in the order of type and id after the given one, and where to go on: the
// zero key when there are no more. Resources that did not exist then have none,
// so a page may be short. types narrows it; none means all. Configurations are
// texts, json.RawMessage.
func AsOf(
	ctx context.Context, tx *db.Tx, p config.Place, t time.Time, types []string, after config.ResourceKey, limit int,
) (items []config.Item, next config.ResourceKey, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, next, err
	}
	kinds, err := typesIn(ctx, tx, p)
	if err != nil {
		return nil, next, err
	}
	var found []*StoredItem
	looked := 0
	for _, k := range kinds {
		if k.name < after.Type || len(types) > 0 && !slices.Contains(types, k.name) {
			continue
		}
		if k.name > after.Type {
			after = config.ResourceKey{Place: p, Type: k.name}
		}
		for {
			if len(found) == limit || looked >= maxAsOf*limit {
				items, err := readItems(ctx, tx, itemWithText, found)
				return items, after, err
			}
			some, err := asOfType(ctx, tx, place, k, after, t, limit-len(found))
			if err != nil {
				return nil, next, fmt.Errorf("read %s of %s as of %s: %w", k.name, p, t, err)
			}
			for _, s := range some {
				if s.body.stateID != 0 {
					found = append(found, s)
				}
				after = s.ResourceKey
			}
			if looked += len(some); len(some) == 0 {
				break
			}
		}
	}
	items, err = readItems(ctx, tx, itemWithText, found)
	return items, next, err
}

// ResourcesEver returns the resources of a place that were ever recorded, in the
// order of type and id after the given one.
func ResourcesEver(ctx context.Context, tx *db.Tx, p config.Place, after config.ResourceKey, limit int) ([]config.ResourceKey, error) {
	return walkKeys(ctx, tx, p, nil, "", after, limit)
}

// asOfType returns the next resources of a type, with their items at a time; those
// without one have no body.
func asOfType(
	ctx context.Context, tx *db.Tx, place int64, k kind, after config.ResourceKey, t time.Time, limit int,
) ([]*StoredItem, error) {
	at := t.UnixMilli()
	var all []*StoredItem
	byID := map[int64]*StoredItem{}
	var changed []int64 // since then
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		s := &StoredItem{VersionKey: config.VersionKey{ResourceKey: config.ResourceKey{Place: after.Place, Type: k.name}}}
		var e entry
		if err := scan(&e.resource, &s.ID, &e.stateID, &e.status, &e.body); err != nil {
			return err
		}
		all = append(all, s)
		if e.stateID > at {
			changed, byID[e.resource] = append(changed, e.resource), s
		} else {
			s.become(e)
		}
		return nil
	}, `SELECT r.id, r.external_id, r.state_id, r.status, r.body FROM resource r WHERE r.type = ? AND r.place = ? AND r.external_id > ?
		ORDER BY r.external_id LIMIT ?`, k.id, place, after.ID, limit)
	if err != nil {
		return nil, err
	}
	then, err := entriesAt(ctx, tx, changed, at)
	for id, e := range then {
		byID[id].become(e)
	}
	return all, err
}

// become makes it the item of an entry, if the resource existed with it.
func (s *StoredItem) become(e entry) {
	if s.Status = statusOf(e.status); s.Status != "" && !s.Status.Gone() {
		s.StateID, s.body = e.item(), e.bodyKey()
	}
}

// entriesAt returns the newest entries that some resources had at a time. A month
// that is complete tells it of all that lived when it began.
func entriesAt(ctx context.Context, tx *db.Tx, resources []int64, at int64) (map[int64]entry, error) {
	out := make(map[int64]entry, len(resources))
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	all = monthsUntil(all, at, len(all))
	for i := len(all) - 1; i >= 0 && len(resources) > 0; i-- {
		if err := entriesOfMonth(ctx, tx, all[i].month, resources, at, out); err != nil {
			return nil, err
		}
		if all[i].complete() {
			break
		}
		resources = slices.DeleteFunc(slices.Clone(resources), func(id int64) bool { _, ok := out[id]; return ok })
	}
	return out, nil
}

func entriesOfMonth(ctx context.Context, tx *db.Tx, m month, resources []int64, at int64, out map[int64]entry) error {
	for chunk := range slices.Chunk(resources, maxRows) {
		with, args := list{ints("resource", chunk)}.with(tx)
		found, err := readEntries(ctx, tx, with+`SELECT i.resource, i.state_id, i.previous, i.body, i.status, i.reference
			FROM w CROSS JOIN `+m.table()+` i WHERE i.resource = w.resource AND i.state_id =
			(SELECT max(n.state_id) FROM `+m.table()+` n WHERE n.resource = w.resource AND n.state_id <= ?)`, append(args, at)...)
		if err != nil {
			return err
		}
		for _, e := range found {
			out[e.resource] = e
		}
	}
	return nil
}

// AsOfOne returns the item that was the newest of a resource at a time, or
// ErrNotFound if the resource did not exist then.
func AsOfOne(ctx context.Context, tx *db.Tx, key config.ResourceKey, t time.Time) (config.Item, error) {
	it, err := oneItem(ctx, tx, key, func(resource int64) ([]entry, error) {
		return newestFirst(ctx, tx, span{resource, 0, t.UnixMilli()}, 1)
	})
	if err == nil && it.Status.Gone() {
		return config.Item{}, ErrNotFound
	}
	return it, err
}
