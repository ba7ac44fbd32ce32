package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Head is what is known of a resource without reading its newest item.
type Head struct {
	StateID  int64
	Captured time.Time
	Status   config.ItemStatus
	Digest   []byte // of the content that the next item is compared with
}

// Heads returns the heads of those keys that were ever recorded. All keys are of
// one place. Of resources that the transaction holds nothing is read.
func Heads(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]Head, error) {
	heads := make(map[config.ResourceKey]Head, len(keys))
	held := heldBy(tx)
	var others []config.ResourceKey
	for _, k := range keys {
		if r := held[k]; r == nil {
			others = append(others, k)
		} else if r.stateID != 0 {
			heads[k] = headOf(r.stateID, r.status, r.digest)
		}
	}
	w, err := wanted(ctx, tx, p, others)
	if err != nil || w.empty() {
		return heads, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n, stateID, status int64
		var digest []byte
		if err := scan(&n, &stateID, &status, &digest); err != nil {
			return err
		}
		heads[others[n]] = headOf(stateID, status, digest)
		return nil
	}, with+`SELECT w.n, r.state_id, r.status, r.digest FROM w CROSS JOIN resource r
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND r.state_id > 0`, args...)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads, nil
}

func headOf(stateID, status int64, digest []byte) Head {
	return Head{StateID: stateID, Captured: captured(stateID), Status: statusOf(status), Digest: digest}
}

// captured returns the capture time of the item with that state id.
func captured(stateID int64) time.Time { return time.UnixMilli(stateID).UTC() }

// A NewItem is an item to append, with its text in the event form and the digest
// of its content. Its capture time is its state id.
type NewItem struct {
	config.Item
	Body          []byte
	Digest        []byte
	Pushed        bool // by PutResourceConfig: no collector will find it
	SameRelations bool // as in the item before it: what is kept of them stands
	Inverse       int  // how many of the last relationships are there because others lead here: they are not kept as leading out

	packed *packedBody // see Pack
}

func (it NewItem) hasBody() bool { return it.Configuration != nil }

// A born item is one that is being appended, with what is kept of its resource.
type born struct {
	NewItem
	*row
	first    bool  // of a resource that had no row
	previous int64 // the state id of the item before it; 0 if it is the first
	body     int64 // the state id that its body is kept under: its own, or the one of an earlier item with the same
}

func newBorn(it NewItem, r *row, first bool) born {
	b := born{it, r, first, 0, it.StateID}
	if first {
		return b
	}
	b.previous = r.stateID
	if bytes.Equal(r.bodyDigest, it.packed.digest) && !statusOf(r.status).Gone() { // nothing is carried over the time when it was gone
		b.body = r.body
	}
	return b
}

// AppendItems appends items to the history and makes them the newest of their
// resources, relationships and tags included. All are of one place, each of
// another resource. Up to 500 at a time. It returns ErrConflict if another
// transaction recorded one of the resources for the first time meanwhile.
func AppendItems(ctx context.Context, tx *db.Tx, items []NewItem) error {
	if len(items) == 0 {
		return nil
	}
	if err := packRest(ctx, tx, items); err != nil {
		return err
	}
	all, err := replaceCurrent(ctx, tx, items[0].Place, items)
	if err != nil {
		return fmt.Errorf("replace current items: %w", err)
	}
	if err := appendHistory(ctx, tx, all); err != nil {
		return fmt.Errorf("append items: %w", err)
	}
	if err := replaceBodies(ctx, tx, all); err != nil {
		return fmt.Errorf("replace what is queried: %w", err)
	}
	if err := replaceTags(ctx, tx, all); err != nil {
		return fmt.Errorf("replace tags: %w", err)
	}
	if err := replaceRelations(ctx, tx, all); err != nil {
		return fmt.Errorf("replace relations: %w", err)
	}
	return nil
}

// replaceCurrent makes items the newest of their resources.
func replaceCurrent(ctx context.Context, tx *db.Tx, p config.Place, items []NewItem) ([]born, error) {
	keys := collect(items, func(it NewItem) config.ResourceKey { return it.ResourceKey })
	h, err := hold(ctx, tx, p, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if r := h[k]; r != nil && r.stateID > 0 && absentTo(tx)[k] {
			return nil, ErrConflict // another transaction made it after this one looked
		}
	}
	all := make([]born, 0, len(items))
	var known []born
	var fresh []newRow
	for _, it := range items {
		if r := h[it.ResourceKey]; r != nil {
			known = append(known, newBorn(it, r, false))
		} else {
			fresh = append(fresh, newRow{it.ResourceKey, it.Name, it.ARN, it.StateID, statusCode(it.Status), it.Digest, it.Pushed, it.packed.digest})
		}
	}
	if err := h.insert(ctx, tx, p, fresh); err != nil {
		return nil, err
	}
	isNew := make(map[config.ResourceKey]bool, len(fresh))
	for _, r := range fresh {
		if h[r.key] == nil {
			return nil, ErrConflict
		}
		isNew[r.key] = true
	}
	for _, it := range items {
		if isNew[it.ResourceKey] {
			all = append(all, newBorn(it, h[it.ResourceKey], true))
		}
	}
	return append(all, known...), updateRows(ctx, tx, known)
}

func updateRows(ctx context.Context, tx *db.Tx, known []born) error {
	if len(known) == 0 {
		return nil
	}
	with, args := list{
		ints("id", collect(known, func(b born) int64 { return b.row.id })),
		texts("name", collect(known, func(b born) string { return b.Name })),
		texts("arn", collect(known, func(b born) string { return b.ARN })),
		ints("state_id", collect(known, func(b born) int64 { return b.StateID })),
		ints("status", collect(known, func(b born) int64 { return statusCode(b.Status) })),
		blobs("digest", collect(known, func(b born) []byte { return b.Digest })),
		booleans("pushed", collect(known, func(b born) bool { return b.Pushed })),
		ints("body", collect(known, func(b born) int64 { return b.body })),
		blobs("body_digest", collect(known, func(b born) []byte { return b.packed.digest })),
	}.with(tx)
	_, err := tx.Exec(ctx, with+`UPDATE resource SET name = w.name, arn = w.arn, state_id = w.state_id, status = w.status, digest = w.digest,
		pushed = w.pushed, body = w.body, body_digest = w.body_digest FROM w WHERE resource.id = w.id`, args...)
	if err != nil {
		return err
	}
	t := talliesOf(tx)
	for _, b := range known {
		t.lived(b.row, statusCode(b.Status))
		b.row.stateID, b.row.status, b.row.digest = b.StateID, statusCode(b.Status), b.Digest
		b.row.body, b.row.bodyDigest = b.body, b.packed.digest
	}
	return nil
}
