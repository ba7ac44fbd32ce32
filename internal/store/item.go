package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
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
// one place.
func Heads(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]Head, error) {
	heads := make(map[config.ResourceKey]Head, len(keys))
	if len(keys) == 0 {
		return heads, nil
	}
	with, args := wanted(keys)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p}
		var h Head
		var captured int64
		if err := scan(&k.Type, &k.ID, &h.StateID, &captured, &h.Status, &h.Digest); err != nil {
			return err
		}
		h.Captured = db.Time(captured)
		heads[k] = h
		return nil
	}, with+`SELECT r.type, r.id, r.state_id, r.captured, r.status, r.digest FROM wanted w CROSS JOIN resource r
		WHERE r.account = ? AND r.region = ? AND r.type = w.type AND r.id = w.id`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads, nil
}

// wanted returns a WITH clause that names the types and ids of the keys, and the
// arguments of it. SQLite walks the tables of a CROSS JOIN in the order in which
// they stand, so each key is one look into an index; to (type, id) IN (...) it
// reads the whole place.
func wanted(keys []config.ResourceKey) (string, []any) {
	args := make([]any, 0, 2*len(keys)+2)
	for _, k := range keys {
		args = append(args, k.Type, k.ID)
	}
	return "WITH wanted (type, id) AS (VALUES " + rows(len(keys), "(?, ?)") + ") ", args
}

// rows returns one placeholder group n times, separated by commas.
func rows(n int, group string) string {
	return strings.TrimSuffix(strings.Repeat(group+", ", n), ", ")
}

// A NewItem is an item to append, with its text in the event form and the digest
// of its content.
type NewItem struct {
	config.Item
	Body          []byte
	Digest        []byte
	Pushed        bool // by PutResourceConfig: no collector will find it
	SameRelations bool // as in the item before it: what is kept of them stands
	Inverse       int  // how many of the last relationships are there because others lead here: they are not kept as leading out
}

// AppendItems appends items to the history and makes them the newest of their
// resources, relationships included. All are of one place, each of another
// resource. Up to 500 at a time.
func AppendItems(ctx context.Context, tx *db.Tx, items []NewItem) error {
	if len(items) == 0 {
		return nil
	}
	if err := appendHistory(ctx, tx, items); err != nil {
		return fmt.Errorf("append items: %w", err)
	}
	if err := replaceCurrent(ctx, tx, items); err != nil {
		return fmt.Errorf("replace current items: %w", err)
	}
	if err := replaceRelations(ctx, tx, items); err != nil {
		return fmt.Errorf("replace relations: %w", err)
	}
	return nil
}

func appendHistory(ctx context.Context, tx *db.Tx, items []NewItem) error {
	args := make([]any, 0, 8*len(items))
	for _, it := range items {
		args = append(args, it.Account, it.Region, it.Type, it.ID, it.StateID, db.Micros(it.CaptureTime), string(it.Status), string(it.Body))
	}
	_, err := tx.Exec(ctx, `INSERT INTO item (account, region, type, id, state_id, captured, status, body) VALUES `+
		rows(len(items), "(?, ?, ?, ?, ?, ?, ?, ?)"), args...)
	return err
}

func replaceCurrent(ctx context.Context, tx *db.Tx, items []NewItem) error {
	group := "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, jsonb(?))"
	if tx.Postgres() != nil {
		group = "(?, ?, ?, ?, ?, ?, ?::bigint, ?::bigint, ?, ?::bigint, ?::bytea, ?::boolean, ?::jsonb)"
	}
	args := make([]any, 0, 13*len(items))
	for _, it := range items {
		var deleted int64
		if it.Status.Gone() {
			deleted = db.Micros(it.CaptureTime)
		}
		args = append(args, it.Account, it.Region, it.Type, it.ID, it.Name, it.ARN, it.StateID,
			db.Micros(it.CaptureTime), string(it.Status), deleted, it.Digest, it.Pushed, currentBody(it))
	}
	_, err := tx.Exec(ctx, `INSERT INTO resource (account, region, type, id, name, arn, state_id, captured, status, deleted, digest, pushed, body) VALUES `+
		rows(len(items), group)+`
		ON CONFLICT (account, region, type, id) DO UPDATE SET name = excluded.name, arn = excluded.arn,
		state_id = excluded.state_id, captured = excluded.captured, status = excluded.status,
		deleted = excluded.deleted, digest = excluded.digest, pushed = excluded.pushed, body = excluded.body`, args...)
	return err
}

// currentBody returns the text that queries look into. PostgreSQL's JSONB cannot
// hold U+0000; the history keeps it as it was.
func currentBody(it NewItem) any {
	if it.Configuration == nil {
		return nil
	}
	return string(bytes.ReplaceAll(it.Body, []byte(`\u0000`), []byte(`\ufffd`)))
}

func replaceRelations(ctx context.Context, tx *db.Tx, items []NewItem) error {
	var args []any
	for _, it := range items {
		if it.SameRelations {
			continue
		}
		if it.Status != config.StatusDiscovered {
			if _, err := tx.Exec(ctx, `DELETE FROM relation WHERE account = ? AND region = ? AND type = ? AND id = ?`,
				it.Account, it.Region, it.Type, it.ID); err != nil {
				return err
			}
		}
		for _, r := range it.Relationships[:len(it.Relationships)-it.Inverse] {
			args = append(args, it.Account, it.Region, it.Type, it.ID, r.Type, target(r))
		}
	}
	const most = 4000 // rows in a statement, below the databases' limits on arguments
	for n := len(args) / 6; n > 0; {
		k := min(n, most)
		if _, err := tx.Exec(ctx, `INSERT INTO relation (account, region, type, id, target_type, target) VALUES `+
			rows(k, "(?, ?, ?, ?, ?, ?)")+` ON CONFLICT DO NOTHING`, args[:6*k]...); err != nil {
			return err
		}
		args, n = args[6*k:], n-k
	}
	return nil
}

func target(r config.Relationship) string {
	if r.ID != "" {
		return r.ID
	}
	return r.ResourceName
}

// A Target is a resource that relationships lead to, by its id or its name.
type Target struct {
	config.ResourceKey
	Name string
}

// LeadingTo returns, for each target, the live resources whose newest item has a
// relationship to it. All targets are of one place.
func LeadingTo(ctx context.Context, tx *db.Tx, p config.Place, targets []Target) (map[config.ResourceKey][]config.ResourceKey, error) {
	out := map[config.ResourceKey][]config.ResourceKey{}
	if len(targets) == 0 {
		return out, nil
	}
	var args []any
	for _, t := range targets {
		args = append(args, t.Type, t.ID, t.ID)
		if t.Name != "" && t.Name != t.ID {
			args = append(args, t.Type, t.ID, t.Name)
		}
	}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		to, k := config.ResourceKey{Place: p}, config.ResourceKey{Place: p}
		if err := scan(&to.Type, &to.ID, &k.Type, &k.ID); err != nil {
			return err
		}
		if !slices.Contains(out[to], k) {
			out[to] = append(out[to], k)
		}
		return nil
	}, `WITH wanted (type, id, target) AS (VALUES `+rows(len(args)/3, "(?, ?, ?)")+`)
		SELECT w.type, w.id, r.type, r.id FROM wanted w CROSS JOIN relation r
		WHERE r.account = ? AND r.region = ? AND r.target_type = w.type AND r.target = w.target`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read what leads to changed resources: %w", err)
	}
	return out, nil
}

// CurrentItem returns the newest item of a resource, whatever its status, or
// ErrNotFound if it was never recorded.
func CurrentItem(ctx context.Context, tx *db.Tx, key config.ResourceKey) (config.Item, error) {
	items, err := DecodedItems(ctx, tx, key.Place, []config.ResourceKey{key})
	if err != nil {
		return config.Item{}, err
	}
	if len(items) == 0 {
		return config.Item{}, ErrNotFound
	}
	return items[0], nil
}

// CurrentItems returns the newest items of those keys that were ever recorded,
// in the order of the keys. Their configurations are texts, json.RawMessage, for
// who hands them on; DecodedItems is for who looks into them.
func CurrentItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]config.Item, error) {
	return currentItems(ctx, tx, p, keys, itemWithText)
}

// DecodedItems returns the same as CurrentItems, with the configurations decoded.
func DecodedItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]config.Item, error) {
	return currentItems(ctx, tx, p, keys, decodedItem)
}

func currentItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey, read func([]byte) (config.Item, error)) ([]config.Item, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	with, args := wanted(keys)
	found, err := scanItems(ctx, tx, p, read, with+`SELECT i.body FROM wanted w CROSS JOIN resource r
		JOIN item i ON i.account = r.account AND i.region = r.region AND i.type = r.type AND i.id = r.id AND i.state_id = r.state_id
		WHERE r.account = ? AND r.region = ? AND r.type = w.type AND r.id = w.id`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read current items: %w", err)
	}
	byKey := make(map[config.ResourceKey]config.Item, len(found))
	for _, it := range found {
		byKey[it.ResourceKey] = it
	}
	out := found[:0]
	for _, k := range keys {
		if it, ok := byKey[k]; ok {
			out = append(out, it)
		}
	}
	return out, nil
}

// ItemVersion returns one item of a resource's history.
func ItemVersion(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.Place, `SELECT body FROM item
		WHERE account = ? AND region = ? AND type = ? AND id = ? AND state_id = ?`, v.Account, v.Region, v.Type, v.ID, v.StateID)
}

// ItemBefore returns the item that came before one in a resource's history.
func ItemBefore(ctx context.Context, tx *db.Tx, v config.VersionKey) (config.Item, error) {
	return oneItem(ctx, tx, v.Place, `SELECT body FROM item
		WHERE account = ? AND region = ? AND type = ? AND id = ? AND state_id < ?
		ORDER BY state_id DESC LIMIT 1`, v.Account, v.Region, v.Type, v.ID, v.StateID)
}

func oneItem(ctx context.Context, tx *db.Tx, p config.Place, query string, args ...any) (config.Item, error) {
	items, err := scanItems(ctx, tx, p, decodedItem, query, args...)
	if err != nil {
		return config.Item{}, err
	}
	if len(items) == 0 {
		return config.Item{}, ErrNotFound
	}
	return items[0], nil
}

// A HistoryQuery selects items of one resource. From and To are inclusive, in
// capture times; After is the state id of the last item that was returned.
type HistoryQuery struct {
	Key      config.ResourceKey
	From, To time.Time
	Forward  bool
	After    int64
	Limit    int
}

// History returns items of a resource, newest first unless Forward. Their
// configurations are texts, json.RawMessage.
func History(ctx context.Context, tx *db.Tx, q HistoryQuery) ([]config.Item, error) {
	order, past := "DESC", "state_id < ?"
	if q.Forward {
		order, past = "ASC", "state_id > ?"
	}
	args := []any{q.Key.Account, q.Key.Region, q.Key.Type, q.Key.ID, db.Micros(q.From), db.Micros(q.To)}
	where := ""
	if q.After != 0 {
		where, args = " AND "+past, append(args, q.After)
	}
	return scanItems(ctx, tx, q.Key.Place, itemWithText, `SELECT body FROM item
		WHERE account = ? AND region = ? AND type = ? AND id = ? AND captured >= ? AND captured <= ?`+where+`
		ORDER BY state_id `+order+` LIMIT ?`, append(args, q.Limit)...)
}

func decodedItem(body []byte) (config.Item, error) {
	var it config.Item
	err := it.UnmarshalJSON(body)
	return it, err
}

func scanItems(
	ctx context.Context, tx *db.Tx, p config.Place, read func(body []byte) (config.Item, error), query string, args ...any,
) ([]config.Item, error) {
	var out []config.Item
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		it, err := read([]byte(body))
		if err != nil {
			return fmt.Errorf("decode item: %w", err)
		}
		it.Place = p
		out = append(out, it)
		return nil
	}, query, args...)
	return out, err
}
