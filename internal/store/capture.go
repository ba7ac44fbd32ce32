package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Window is the items of a place that were captured at From or later, and
// before Until.
type Window struct {
	Place       config.Place
	From, Until time.Time
}

// A Capture is an item of a window, without its body.
type Capture struct {
	config.VersionKey
	At time.Time
}

// Page returns items of the type of after, in the order of id and state after
// that one; none when the type is through. It goes from resources to their items in two plain queries: joined,
// PostgreSQL has been seen to compare everything with everything while its
// statistics are young.
func (w Window) Page(ctx context.Context, tx *db.Tx, after config.VersionKey, limit int) ([]Capture, error) {
	var out []Capture
	since, id := "r.external_id >= ?", after.ID // that resource may have more items
	for {
		found, err := w.resources(ctx, tx, after.Type, since, id)
		if err != nil || len(found) == 0 {
			return out, err
		}
		items, err := w.items(ctx, tx, after, found, limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, items...); len(out) == limit {
			return out, nil
		}
		since, id = "r.external_id > ?", found[len(found)-1].externalID
	}
}

// windowResources is how many resources are asked for their items at once.
const windowResources = 500

// A windowResource is a resource that may have items in a window.
type windowResource struct {
	id         int64
	externalID string
}

// resources returns resources that may have items in the window, in the order of
// their external ids; since is the condition on that.
func (w Window) resources(ctx context.Context, tx *db.Tx, kind, since, id string) (found []windowResource, err error) {
	place, kindID, err := placeAndType(ctx, tx, w.Place, kind)
	if err != nil || place == 0 || kindID == 0 {
		return nil, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var r windowResource
		err := scan(&r.id, &r.externalID)
		found = append(found, r)
		return err
	}, `SELECT r.id, r.external_id FROM resource r WHERE r.type = ? AND r.place = ? AND `+since+` AND r.state_id >= ?
		ORDER BY r.external_id LIMIT ?`, kindID, place, id, firstState(w.From), windowResources)
	if err != nil {
		return nil, fmt.Errorf("read the resources of a window: %w", err)
	}
	return found, nil
}

// items returns the items of those resources in the window, after that one.
func (w Window) items(ctx context.Context, tx *db.Tx, after config.VersionKey, resources []windowResource, limit int) ([]Capture, error) {
	all, err := months(ctx, tx)
	if err != nil {
		return nil, err
	}
	from, until := firstState(w.From), firstState(w.Until)
	with, args := list{
		ints("n", counted(len(resources))),
		ints("resource", collect(resources, func(r windowResource) int64 { return r.id })),
		ints("since", collect(resources, func(r windowResource) int64 {
			if r.externalID == after.ID {
				return max(from, after.StateID+1)
			}
			return from
		})),
	}.with(tx)
	args = append(args, until, limit)
	type item struct{ n, stateID int64 }
	var found []item
	for _, m := range monthsUntil(monthsSince(all, from), until-1, len(all)) {
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var it item
			err := scan(&it.n, &it.stateID)
			found = append(found, it)
			return err
		}, with+`SELECT w.n, i.state_id FROM w CROSS JOIN `+m.table()+` i WHERE i.resource = w.resource AND i.state_id >= w.since
			AND i.state_id < ? AND NOT i.reference ORDER BY w.n, i.state_id LIMIT ?`, args...)
		if err != nil {
			return nil, fmt.Errorf("read the items of a window: %w", err)
		}
	}
	slices.SortFunc(found, func(a, b item) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.stateID, b.stateID)) })
	return collect(found[:min(len(found), limit)], func(it item) Capture {
		k := config.ResourceKey{Place: w.Place, Type: after.Type, ID: resources[it.n].externalID}
		return Capture{config.VersionKey{ResourceKey: k, StateID: it.stateID}, captured(it.stateID)}
	}), nil
}

// counted returns 0, 1, 2 ...
func counted(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

// NextType returns the first type after the given one that may have items in the
// window; empty when there is none. A resource's newest item is never older than
// the others, so the newest ones are enough to know.
func (w Window) NextType(ctx context.Context, tx *db.Tx, after string) (string, error) {
	kinds, err := typesIn(ctx, tx, w.Place)
	if err != nil {
		return "", err
	}
	for _, k := range kinds {
		if k.name <= after {
			continue
		}
		place, err := placeID(ctx, tx, w.Place)
		if err != nil {
			return "", err
		}
		var one int
		err = tx.QueryRow(ctx, `SELECT 1 FROM resource r WHERE r.type = ? AND r.place = ? AND r.state_id >= ? LIMIT 1`,
			k.id, place, firstState(w.From)).Scan(&one)
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read the types of a window: %w", err)
		}
		return k.name, nil
	}
	return "", nil
}
