package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Form is an item in the event form, as messages and files show it. It is put together
// from what is kept: nothing is decoded, so many items cost little.
type Form struct {
	config.VersionKey
	Status config.ItemStatus
	Text   []byte
}

// LiveItems returns the newest items of live resources of a place, in the order of type
// and id, after the given one: the walk of a snapshot. Their bodies come with them, packed.
func LiveItems(ctx context.Context, tx *db.Tx, p config.Place, after config.ResourceKey, limit int) (out []*StoredItem, err error) {
	err = walkTypes(ctx, tx, p, nil, after, func(place int64, kind kind, past string) (bool, error) {
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			s := StoredItem{VersionKey: config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: kind.name}}, packed: &packedBody{}}
			var status int64
			err := scan(&s.ID, &s.body.resource, &s.body.stateID, &s.StateID, &status, &s.packed.coding, &s.packed.dictionary, &s.packed.content)
			s.Status = statusOf(status)
			out = append(out, &s)
			return err
		}, `SELECT r.external_id, r.id, r.body, r.state_id, r.status, COALESCE(b.coding, -1), COALESCE(b.dictionary, 0), b.content
			FROM resource r LEFT JOIN body b ON b.resource = r.id AND b.state_id = r.body
			WHERE r.type = ? AND r.place = ? AND r.external_id > ? AND `+isLive+` ORDER BY r.external_id LIMIT ?`, kind.id, place, past, limit-len(out))
		return len(out) < limit, err
	})
	return out, err
}

// VersionForms returns items of the histories of resources, in the order of the versions.
// All are of one place. Those that are not kept any more are left out. Up to 500 at a time.
func VersionForms(ctx context.Context, tx *db.Tx, p config.Place, versions []config.VersionKey) ([]Form, error) {
	w, err := wanted(ctx, tx, p, collect(versions, func(v config.VersionKey) config.ResourceKey { return v.ResourceKey }))
	if err != nil || w.empty() {
		return nil, err
	}
	resources := make([]int64, len(versions))
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n, id int64
		err := scan(&n, &id)
		resources[n] = id
		return err
	}, with+`SELECT w.n, r.id FROM w CROSS JOIN resource r WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the ids of resources: %w", err)
	}
	keys := make([]bodyKey, len(versions))
	for n, v := range versions {
		keys[n] = bodyKey{resources[n], v.StateID}
	}
	kept, err := keptEntries(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	found := make([]*StoredItem, 0, len(versions))
	for n, k := range keys {
		e, ok := kept[k]
		if !ok && k.resource != 0 { // its row may be gone, and its body kept for a month that began after it
			some, err := version(ctx, tx, k)
			if err != nil {
				return nil, err
			}
			if ok = len(some) > 0; ok {
				e = some[0]
			}
		}
		if ok {
			found = append(found, e.of(versions[n].ResourceKey))
		}
	}
	return Forms(ctx, tx, found)
}

// Forms returns the forms of items, in their order. Up to 500 at a time.
func Forms(ctx context.Context, tx *db.Tx, all []*StoredItem) ([]Form, error) {
	kept, err := packedBodies(ctx, tx, collect(slices.DeleteFunc(slices.Clone(all), hasPacked), func(s *StoredItem) bodyKey { return s.body }))
	if err != nil {
		return nil, err
	}
	out := make([]Form, len(all))
	var text []byte // of one body after another
	for i, s := range all {
		body, ok := kept[s.body]
		if hasPacked(s) {
			body, ok = *s.packed, s.packed.coding >= 0
		}
		if !ok {
			return nil, fmt.Errorf("item %d of %s has no body", s.StateID, s.ResourceKey)
		}
		if text, err = body.appendText(ctx, tx, text[:0]); err == nil {
			out[i] = Form{VersionKey: s.VersionKey, Status: s.Status}
			out[i].Text, err = s.form(text)
		}
		if err != nil {
			return nil, fmt.Errorf("item %d of %s: %w", s.StateID, s.ResourceKey, err)
		}
	}
	return out, nil
}

func hasPacked(s *StoredItem) bool { return s.packed != nil }

// What a body ends with: the names behind the place of the stamps, and what only the
// store knows. Bare quotes are in no text of it, and neither name stands further behind.
const (
	afterStamps  = `,"resourceName":`
	importedName = `,"imported":`
)

// form returns the event form of the item with this body: a text with the stamps of the
// item where bodyText took them from.
func (s *StoredItem) form(body []byte) ([]byte, error) {
	at := bytes.LastIndex(body, []byte(afterStamps))
	if at < 0 {
		return nil, fmt.Errorf("its body has no member %s", afterStamps)
	}
	tail := body[at:]
	var wrote config.Stamps
	if i := bytes.LastIndex(tail, []byte(importedName)); i >= 0 {
		if err := json.Unmarshal(tail[i+len(importedName):len(tail)-1], &wrote); err != nil {
			return nil, fmt.Errorf("decode its stamps: %w", err)
		}
		tail = append(slices.Clip(tail[:i]), '}')
	}
	stamps := itemStamps{
		cmp.Or(wrote.Version, config.ItemVersion), config.FormatTime(captured(s.StateID)), cmp.Or(wrote.StateID, s.StateID),
		s.Account, s.Status, s.Type, s.ID,
	}
	if !wrote.Captured.IsZero() {
		stamps.Captured = config.FormatTime(wrote.Captured)
	}
	text, err := json.Marshal(stamps)
	if err != nil {
		return nil, fmt.Errorf("encode its stamps: %w", err)
	}
	return slices.Concat(body[:at], []byte{','}, text[1:len(text)-1], tail), nil
}

// itemStamps are the members of the event form that bodies are kept without, in their order.
type itemStamps struct {
	Version  string            `json:"configurationItemVersion"`
	Captured string            `json:"configurationItemCaptureTime"`
	StateID  int64             `json:"configurationStateId"`
	Account  string            `json:"awsAccountId"`
	Status   config.ItemStatus `json:"configurationItemStatus"`
	Type     string            `json:"resourceType"`
	ID       string            `json:"resourceId"`
}
