package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/db"
)

// A body is what an item says of its resource: the event form of the item without
// its stamps, packed. It is kept once for all items in a row that say the same.

// How a body is kept. The numbers are on disk: they stay.
const (
	codingText = iota // as it is
	codingZstd        // packed with the dictionary that the row names
)

// A bodyKey names a body: the resource, and the first item that has it.
type bodyKey struct{ resource, stateID int64 }

// A packedBody is a body as it is kept.
type packedBody struct {
	digest     []byte // of the text
	coding     int64
	dictionary int64
	content    []byte
}

// bodyText returns the event form of an item without what its key and its row in
// the history say: version, capture time, state id, account, status, type and id,
// which stand side by side. Bare quotes are in no text of the form.
func bodyText(form []byte) []byte {
	before := bytes.LastIndex(form, []byte(`,"configurationItemVersion":`))
	if before < 0 {
		return form
	}
	n := bytes.Index(form[before:], []byte(`,"resourceName":`))
	if n < 0 {
		return form
	}
	return append(form[:before:before], form[before+n:]...)
}

// bodyDigest tells bodies of one resource apart.
func bodyDigest(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}

// Pack packs the bodies of items as far as that writes nothing. A caller that appends many
// packs them before the transaction that writes; AppendItems packs the rest.
func Pack(ctx context.Context, tx *db.Tx, items []NewItem) error {
	for i := range items {
		it := &items[i]
		d, err := newestDictionary(ctx, tx, it.Type)
		if err != nil {
			return err
		}
		if d.id == 0 || it.packed != nil {
			continue
		}
		if it.packed, err = packWith(ctx, tx, d, bodyText(it.Body)); err != nil {
			return fmt.Errorf("pack %s: %w", it.ResourceKey, err)
		}
	}
	return nil
}

func packWith(ctx context.Context, tx *db.Tx, d dictionary, text []byte) (*packedBody, error) {
	content, err := dictionariesOf(tx).codec.Encode(uint32(d.id), loader(ctx, tx, d.id), text)
	return packed(text, d, content), err
}

// packed returns the packed form of a text, or the text where that is shorter.
func packed(text []byte, d dictionary, content []byte) *packedBody {
	if len(content) >= len(text) {
		return &packedBody{bodyDigest(text), codingText, 0, text}
	}
	return &packedBody{bodyDigest(text), codingZstd, d.id, content}
}

// packRest packs what Pack could not, and makes the dictionaries that it missed.
func packRest(ctx context.Context, tx *db.Tx, items []NewItem) error {
	byType := map[string][]*NewItem{}
	for i := range items {
		byType[items[i].Type] = append(byType[items[i].Type], &items[i])
	}
	for _, kind := range slices.Sorted(maps.Keys(byType)) { // two transactions wait for each other in one order
		if err := packType(ctx, tx, kind, byType[kind]); err != nil {
			return fmt.Errorf("pack items of %s: %w", kind, err)
		}
	}
	return nil
}

func packType(ctx context.Context, tx *db.Tx, kind string, items []*NewItem) error {
	last, err := newestDictionary(ctx, tx, kind)
	if err != nil {
		return err
	}
	if last.outgrown(len(items), items[0].StateID) {
		samples := samplesOf(items)
		if last.outgrown(len(samples), items[0].StateID) {
			last, err = makeDictionary(ctx, tx, kind, last, samples, items[0].StateID)
		}
		if err != nil {
			return err
		}
	}
	for _, it := range items {
		if it.packed != nil {
			continue
		}
		if it.packed, err = packWith(ctx, tx, last, bodyText(it.Body)); err != nil {
			return err
		}
	}
	return nil
}

// samplesOf returns the bodies that are worth being in a dictionary.
func samplesOf(items []*NewItem) [][]byte {
	var out [][]byte
	for _, it := range items {
		if text := bodyText(it.Body); it.hasBody() && len(text) >= minSample {
			out = append(out, text)
		}
	}
	return out
}

// appendBodies keeps those bodies that are not the same as the one of the item
// before.
func appendBodies(ctx context.Context, tx *db.Tx, all []born) error {
	fresh := slices.DeleteFunc(slices.Clone(all), func(b born) bool { return b.body != b.StateID })
	if len(fresh) == 0 {
		return nil
	}
	with, args := list{
		ints("resource", collect(fresh, func(b born) int64 { return b.row.id })),
		ints("state_id", collect(fresh, func(b born) int64 { return b.StateID })),
		ints("coding", collect(fresh, func(b born) int64 { return b.packed.coding })),
		ints("dictionary", collect(fresh, func(b born) int64 { return b.packed.dictionary })),
		blobs("content", collect(fresh, func(b born) []byte { return b.packed.content })),
	}.with(tx)
	_, err := tx.Exec(ctx, with+`INSERT INTO body (resource, state_id, coding, dictionary, content)
		SELECT resource, state_id, coding, dictionary, content FROM w`, args...)
	return err
}

// bodies returns the texts of bodies.
func bodies(ctx context.Context, tx *db.Tx, keys []bodyKey) (map[bodyKey][]byte, error) {
	kept, err := packedBodies(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[bodyKey][]byte, len(kept))
	for k, b := range kept {
		text, err := b.appendText(ctx, tx, nil)
		if err != nil {
			return nil, fmt.Errorf("body %d of resource %d: %w", k.stateID, k.resource, err)
		}
		out[k] = text
	}
	return out, nil
}

// packedBodies returns bodies as they are kept.
func packedBodies(ctx context.Context, tx *db.Tx, keys []bodyKey) (map[bodyKey]packedBody, error) {
	kept := make(map[bodyKey]packedBody, len(keys))
	for chunk := range slices.Chunk(keys, maxRows) {
		with, args := list{
			ints("resource", collect(chunk, func(k bodyKey) int64 { return k.resource })),
			ints("state_id", collect(chunk, func(k bodyKey) int64 { return k.stateID })),
		}.with(tx)
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var k bodyKey
			var b packedBody
			err := scan(&k.resource, &k.stateID, &b.coding, &b.dictionary, &b.content)
			kept[k] = b
			return err
		}, with+`SELECT b.resource, b.state_id, b.coding, b.dictionary, b.content FROM w CROSS JOIN body b
			WHERE b.resource = w.resource AND b.state_id = w.state_id`, args...)
		if err != nil {
			return nil, fmt.Errorf("read bodies: %w", err)
		}
	}
	return kept, nil
}

// appendText appends the text of a body.
func (b packedBody) appendText(ctx context.Context, tx *db.Tx, to []byte) ([]byte, error) {
	switch b.coding {
	case codingText:
		return append(to, b.content...), nil
	case codingZstd:
		return dictionariesOf(tx).codec.AppendDecoded(to, uint32(b.dictionary), loader(ctx, tx, b.dictionary), b.content)
	}
	return nil, fmt.Errorf("coding %d is none that this version of Plumb knows", b.coding)
}
