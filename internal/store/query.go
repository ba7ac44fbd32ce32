package store

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"plumb/internal/db"
)

// replaceBodies keeps what queries look into: the newest items of live, recorded
// resources.
func replaceBodies(ctx context.Context, tx *db.Tx, all []born) error {
	var gone []int64
	var kept []born
	for _, b := range all {
		if b.hasBody() {
			kept = append(kept, b)
		} else if !b.first {
			gone = append(gone, b.row.id)
		}
	}
	if err := deleteOf(ctx, tx, "resource_body", gone); err != nil || len(kept) == 0 {
		return err
	}
	with, args := list{
		ints("resource", collect(kept, func(b born) int64 { return b.row.id })),
		texts("body", collect(kept, queriedBody)),
	}.with(tx)
	body := "jsonb(body)"
	if tx.Postgres() != nil {
		body = "body::jsonb"
	}
	_, err := tx.Exec(ctx, with+`INSERT INTO resource_body (resource, body) SELECT resource, `+body+` FROM w WHERE true
		ON CONFLICT (resource) DO UPDATE SET body = excluded.body`, args...)
	return err
}

// queriedBody returns the text that queries look into. PostgreSQL's JSONB cannot
// hold U+0000; the history keeps it as it was.
func queriedBody(b born) string {
	return string(bytes.ReplaceAll(b.Body, []byte(`\u0000`), []byte(`\ufffd`)))
}

// A resourceTag is a kept tag of a resource.
type resourceTag struct {
	resource   int64
	key, value string
}

// replaceTags keeps the tags of the newest items. Most items have those of the
// one before, so what is kept is read first.
func replaceTags(ctx context.Context, tx *db.Tx, all []born) error {
	kept, err := readTags(ctx, tx, all)
	if err != nil {
		return err
	}
	var stale []int64
	var fresh []resourceTag
	for _, b := range all {
		if maps.Equal(kept[b.row.id], b.tagsToKeep()) {
			continue
		}
		if len(kept[b.row.id]) > 0 {
			stale = append(stale, b.row.id)
		}
		for k, v := range b.tagsToKeep() {
			fresh = append(fresh, resourceTag{b.row.id, k, v})
		}
	}
	if err := deleteOf(ctx, tx, "resource_tag", stale); err != nil {
		return err
	}
	for chunk := range slices.Chunk(fresh, maxRows) {
		with, args := list{
			ints("resource", collect(chunk, func(t resourceTag) int64 { return t.resource })),
			texts("key", collect(chunk, func(t resourceTag) string { return t.key })),
			texts("value", collect(chunk, func(t resourceTag) string { return t.value })),
		}.with(tx)
		if _, err := tx.Exec(ctx, with+`INSERT INTO resource_tag (resource, key, value) SELECT resource, key, value FROM w`, args...); err != nil {
			return err
		}
	}
	return nil
}

// The longest key and value of a tag of a resource. Longer ones, which only
// PutResourceConfig can bring, are in the item and not in the index.
const (
	maxTagKey   = 128 * 4
	maxTagValue = 256 * 4
)

func (b born) tagsToKeep() map[string]string {
	tags := maps.Clone(b.Tags)
	maps.DeleteFunc(tags, func(k, v string) bool {
		return len(k) > maxTagKey || len(v) > maxTagValue || strings.Contains(k+v, "\x00") // PostgreSQL has no U+0000 in texts
	})
	return tags
}

func readTags(ctx context.Context, tx *db.Tx, all []born) (map[int64]map[string]string, error) {
	out := map[int64]map[string]string{}
	var ids []int64
	for _, b := range all {
		if !b.first {
			ids = append(ids, b.row.id)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	with, args := list{ints("id", ids)}.with(tx)
	return out, db.Each(ctx, tx, func(scan func(...any) error) error {
		var t resourceTag
		if err := scan(&t.resource, &t.key, &t.value); err != nil {
			return err
		}
		if out[t.resource] == nil {
			out[t.resource] = map[string]string{}
		}
		out[t.resource][t.key] = t.value
		return nil
	}, with+`SELECT t.resource, t.key, t.value FROM w CROSS JOIN resource_tag t WHERE t.resource = w.id`, args...)
}
