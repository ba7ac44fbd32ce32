package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// ErrConflict says that another transaction made a resource that this one was
// about to make: what was decided without knowing of it has to be decided anew.
var ErrConflict = errors.New("the resource was recorded meanwhile")

// A row is what a transaction knows of a resource that it holds.
type row struct {
	key        config.ResourceKey
	id         int64
	place      int64
	kind       int64 // the id of its type
	stateID    int64
	status     int64
	digest     []byte
	body       int64 // where the body of its newest item is kept
	bodyDigest []byte
	compliant  int64
	bad        int64 // how many rules say non-compliant
}

func (r *row) rollup() int64 { return rollup(r.compliant, r.bad) }

func rollup(compliant, bad int64) int64 {
	switch {
	case bad > 0:
		return codeNonCompliant
	case compliant > 0:
		return codeCompliant
	default:
		return codeNone
	}
}

// held is the resources that a transaction holds: on PostgreSQL their rows are
// locked until it ends, on SQLite nobody else writes. So what is known of them
// stays true, and need not be read again by the next step of the transaction.
type held map[config.ResourceKey]*row

func heldBy(tx *db.Tx) held { return db.Local(tx, func() held { return held{} }) }

// Hold makes transactions that hold the same resources wait for each other until
// they end; others do not wait. Resources that were never recorded, judged or
// announced have nothing to hold: the first transaction that makes one wins, and
// AppendItems returns ErrConflict to the others. All keys are of one place.
func Hold(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) error {
	_, err := hold(ctx, tx, p, keys)
	return err
}

// HoldAll is Hold, and makes what has nothing to hold, too: resources that
// somebody judges or announces without recording them.
func HoldAll(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) error {
	_, err := holdAll(ctx, tx, p, keys)
	return err
}

// hold returns the rows of those keys that have one.
func hold(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (held, error) {
	h := heldBy(tx)
	unknown := slices.DeleteFunc(slices.Clone(keys), func(k config.ResourceKey) bool { return h[k] != nil })
	for chunk := range slices.Chunk(unknown, maxRows) {
		if err := h.read(ctx, tx, p, chunk); err != nil {
			return nil, fmt.Errorf("hold resources: %w", err)
		}
	}
	absent := absentTo(tx)
	for _, k := range unknown {
		absent[k] = absent[k] || h[k] == nil
	}
	return h, nil
}

// absent are the resources that had no row when the transaction asked for them
// first. What was decided about them is wrong if they have one later.
type absent map[config.ResourceKey]bool

func absentTo(tx *db.Tx) absent { return db.Local(tx, func() absent { return absent{} }) }

func (h held) read(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) error {
	w, err := wanted(ctx, tx, p, keys)
	if err != nil || w.empty() {
		return err
	}
	with, args := w.with(tx)
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		r := &row{place: w.place}
		if err := scan(&n, &r.kind, &r.id, &r.stateID, &r.status, &r.digest, &r.body, &r.bodyDigest, &r.compliant, &r.bad); err != nil {
			return err
		}
		r.key = keys[n]
		h[r.key] = r
		return nil
	}, with+`SELECT w.n, w.type, r.id, r.state_id, r.status, r.digest, r.body, r.body_digest, r.compliant, r.non_compliant
		FROM w CROSS JOIN resource r WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id`+forUpdate(tx), args...)
}

// forUpdate ends a query for rows of resource, named r, that are to be locked: in
// one order, so that two transactions never wait for each other.
func forUpdate(tx *db.Tx) string {
	if tx.Postgres() == nil {
		return ""
	}
	return ` ORDER BY r.id FOR UPDATE OF r`
}

// holdAll is hold, and makes rows for keys that have none.
func holdAll(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (held, error) {
	h, err := hold(ctx, tx, p, keys)
	if err != nil {
		return nil, err
	}
	for range 3 { // those that another transaction made meanwhile are found by the second look
		fresh := map[config.ResourceKey]bool{}
		for _, k := range keys {
			if h[k] == nil {
				fresh[k] = true
			}
		}
		if len(fresh) == 0 {
			return h, nil
		}
		made := collect(slices.Collect(maps.Keys(fresh)), func(k config.ResourceKey) newRow { return newRow{key: k, digest: []byte{}} })
		if err := h.insert(ctx, tx, p, made); err != nil {
			return nil, err
		}
		if h, err = hold(ctx, tx, p, keys); err != nil {
			return nil, err
		}
	}
	return nil, ErrConflict
}

// A newRow is a resource that gets a row.
type newRow struct {
	key       config.ResourceKey
	name, arn string
	stateID   int64
	status    int64
	digest    []byte
	pushed    bool
	body      []byte // the digest of the body that is kept with its first item; nil if it has none
}

// insert makes rows and holds those that no other transaction made meanwhile.
func (h held) insert(ctx context.Context, tx *db.Tx, p config.Place, all []newRow) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b newRow) int { return compareKeys(a.key, b.key) })
	types, err := makeTypes(ctx, tx, typesOf(collect(all, func(r newRow) config.ResourceKey { return r.key })))
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(all, maxRows) {
		if err := h.insertSome(ctx, tx, place, types, chunk); err != nil {
			return fmt.Errorf("make resources: %w", err)
		}
	}
	return nil
}

func (h held) insertSome(ctx context.Context, tx *db.Tx, place int64, types map[string]int64, all []newRow) error {
	byKey := make(map[config.ResourceKey]newRow, len(all))
	names := make(map[int64]string, len(types))
	for _, r := range all {
		byKey[r.key] = r
		names[types[r.key.Type]] = r.key.Type
	}
	with, args := list{
		ints("type", collect(all, func(r newRow) int64 { return types[r.key.Type] })),
		texts("id", collect(all, func(r newRow) string { return r.key.ID })),
		texts("name", collect(all, func(r newRow) string { return r.name })),
		texts("arn", collect(all, func(r newRow) string { return r.arn })),
		ints("state_id", collect(all, func(r newRow) int64 { return r.stateID })),
		ints("status", collect(all, func(r newRow) int64 { return r.status })),
		blobs("digest", collect(all, func(r newRow) []byte { return r.digest })),
		booleans("pushed", collect(all, func(r newRow) bool { return r.pushed })),
		blobs("body_digest", collect(all, func(r newRow) []byte { return r.body })),
	}.with(tx)
	t := talliesOf(tx)
	return db.Each(ctx, tx, func(scan func(...any) error) error {
		r := &row{place: place}
		var k config.ResourceKey
		if err := scan(&r.id, &r.kind, &k.ID); err != nil {
			return err
		}
		k.Place, k.Type = all[0].key.Place, names[r.kind]
		r.key, r.stateID, r.status, r.digest = k, byKey[k].stateID, byKey[k].status, byKey[k].digest
		r.body, r.bodyDigest = r.stateID, byKey[k].body
		h[k] = r
		delete(absentTo(tx), k)
		t.made(r)
		return nil
	}, with+`INSERT INTO resource (place, type, external_id, name, arn, state_id, status, digest, pushed, body, body_digest, compliant, non_compliant, rollup)
		SELECT `+placeholder(tx)+`, type, id, name, arn, state_id, status, digest, pushed, state_id, body_digest, 0, 0, 0 FROM w WHERE true ORDER BY type, id
		ON CONFLICT DO NOTHING RETURNING id, type, external_id`, append(args, place)...)
}

// placeholder is an integer argument where PostgreSQL cannot tell its type.
func placeholder(tx *db.Tx) string {
	if tx.Postgres() == nil {
		return `?`
	}
	return `?::bigint`
}

// textPlaceholder is the same for a text.
func textPlaceholder(tx *db.Tx) string {
	if tx.Postgres() == nil {
		return `?`
	}
	return `?::text`
}

func compareKeys(a, b config.ResourceKey) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// wantedKeys is keys as a list of statements: n is the place in keys, type and id
// what to look for. Keys of types that nothing was kept of are left out.
type wantedKeys struct {
	place int64
	list
}

func (w wantedKeys) empty() bool { return len(w.list) == 0 || w.list[0].n == 0 }

func wanted(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (wantedKeys, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 || len(keys) == 0 {
		return wantedKeys{}, err
	}
	types, err := typeIDs(ctx, tx, typesOf(keys))
	if err != nil {
		return wantedKeys{}, err
	}
	var n, places, kinds []int64
	var names []string
	for i, k := range keys {
		if t := types[k.Type]; t != 0 {
			n, places, kinds, names = append(n, int64(i)), append(places, place), append(kinds, t), append(names, k.ID)
		}
	}
	return wantedKeys{place, list{ints("n", n), ints("place", places), ints("type", kinds), texts("id", names)}}, nil
}
