package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Tally counts verdicts: of one rule over resources, or of one resource over
// rules; or resources by their roll-up.
type Tally struct {
	Compliant, NonCompliant int64
}

// Compliance is the roll-up of a tally: one that does not comply is enough, and
// no verdict is no compliance either.
func (t Tally) Compliance() config.Compliance {
	return complianceOf(rollup(t.Compliant, t.NonCompliant))
}

func (t *Tally) add(code, n int64) {
	switch code {
	case codeCompliant:
		t.Compliant += n
	case codeNonCompliant:
		t.NonCompliant += n
	}
}

// Count adds one thing whose roll-up is c.
func (t *Tally) Count(c config.Compliance) { t.add(complianceCode(c), 1) }

// AllVerdicts counts the verdicts of all rules.
func AllVerdicts(ctx context.Context, tx *db.Tx) (t Tally, err error) {
	err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(sum(compliant), 0) AS BIGINT), CAST(COALESCE(sum(non_compliant), 0) AS BIGINT) FROM rule_tally`).
		Scan(&t.Compliant, &t.NonCompliant)
	if err != nil {
		return t, fmt.Errorf("count all verdicts: %w", err)
	}
	return t, nil
}

// Tallies are kept, not counted. Those of a resource stand in its row. Those of
// a rule and of a type are rows that every transaction of a place changes, so
// on PostgreSQL they are split in shards: a transaction adds to one of them, as
// the last thing that it does, and reads add the shards up.
const tallyShards = 16

// tallies is what a transaction will add.
type tallies struct {
	rules map[int64]Tally
	types map[typeInPlace]typeTally
}

type typeInPlace struct{ place, kind int64 }

type typeTally struct {
	live int64
	Tally
}

func talliesOf(tx *db.Tx) *tallies {
	return db.Local(tx, func() *tallies {
		tx.BeforeCommit(flushTallies)
		return &tallies{rules: map[int64]Tally{}, types: map[typeInPlace]typeTally{}}
	})
}

// made counts a resource that gets a row. Its type is named even if it does not
// count, so that walks find it.
func (t *tallies) made(r *row) {
	k := typeInPlace{r.place, r.kind}
	n := t.types[k]
	if liveAndRecorded(r.status) {
		n.live++
	}
	t.types[k] = n
}

// lived counts the change of a resource's status.
func (t *tallies) lived(r *row, status int64) {
	before, after := liveAndRecorded(r.status), liveAndRecorded(status)
	if before == after {
		return
	}
	k := typeInPlace{r.place, r.kind}
	n := t.types[k]
	if after {
		n.live++
	} else {
		n.live--
	}
	t.types[k] = n
}

// judged counts a verdict on a resource in place of another; 0 is none.
func (t *tallies) judged(r *row, rule, before, after int64) {
	if before == after {
		return
	}
	n := t.rules[rule]
	n.add(before, -1)
	n.add(after, 1)
	t.rules[rule] = n

	was := r.rollup()
	mine := Tally{r.compliant, r.bad}
	mine.add(before, -1)
	mine.add(after, 1)
	r.compliant, r.bad = mine.Compliant, mine.NonCompliant
	if now := r.rollup(); now != was {
		k := typeInPlace{r.place, r.kind}
		n := t.types[k]
		n.add(was, -1)
		n.add(now, 1)
		t.types[k] = n
	}
}

// flushTallies writes what was counted. The rows are sorted, and they are the
// last that a transaction locks, so that none waits for one that waits for it.
func flushTallies(ctx context.Context, tx *db.Tx) error {
	t := talliesOf(tx)
	shard := shardOf(tx)
	if err := t.flushRules(ctx, tx, shard); err != nil {
		return fmt.Errorf("add to the tallies of rules: %w", err)
	}
	if err := t.flushTypes(ctx, tx, shard); err != nil {
		return fmt.Errorf("add to the tallies of types: %w", err)
	}
	return nil
}

// shardOf returns the shard of a transaction: connections that are open at the
// same time seldom share one.
func shardOf(tx *db.Tx) int64 {
	if pg := tx.Postgres(); pg != nil {
		return int64(pg.Conn().PgConn().PID() % tallyShards)
	}
	return 0
}

func (t *tallies) flushRules(ctx context.Context, tx *db.Tx, shard int64) error {
	maps.DeleteFunc(t.rules, func(_ int64, n Tally) bool { return n == Tally{} })
	if len(t.rules) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(t.rules))
	with, args := list{
		ints("rule", keys),
		ints("shard", collect(keys, func(int64) int64 { return shard })),
		ints("compliant", collect(keys, func(k int64) int64 { return t.rules[k].Compliant })),
		ints("bad", collect(keys, func(k int64) int64 { return t.rules[k].NonCompliant })),
	}.with(tx)
	clear(t.rules)
	_, err := tx.Exec(ctx, with+`INSERT INTO rule_tally (rule, shard, compliant, non_compliant)
		SELECT rule, shard, compliant, bad FROM w WHERE true ORDER BY rule
		ON CONFLICT (rule, shard) DO UPDATE SET compliant = rule_tally.compliant + excluded.compliant,
		non_compliant = rule_tally.non_compliant + excluded.non_compliant`, args...)
	return err
}

func (t *tallies) flushTypes(ctx context.Context, tx *db.Tx, shard int64) error {
	if len(t.types) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(t.types), func(a, b typeInPlace) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.kind, b.kind))
	})
	with, args := list{
		ints("place", collect(keys, func(k typeInPlace) int64 { return k.place })),
		ints("type", collect(keys, func(k typeInPlace) int64 { return k.kind })),
		ints("shard", collect(keys, func(typeInPlace) int64 { return shard })),
		ints("live", collect(keys, func(k typeInPlace) int64 { return t.types[k].live })),
		ints("compliant", collect(keys, func(k typeInPlace) int64 { return t.types[k].Compliant })),
		ints("bad", collect(keys, func(k typeInPlace) int64 { return t.types[k].NonCompliant })),
	}.with(tx)
	clear(t.types)
	_, err := tx.Exec(ctx, with+`INSERT INTO type_tally (place, type, shard, live, compliant, non_compliant)
		SELECT place, type, shard, live, compliant, bad FROM w WHERE true ORDER BY place, type
		ON CONFLICT (place, type, shard) DO UPDATE SET live = type_tally.live + excluded.live,
		compliant = type_tally.compliant + excluded.compliant, non_compliant = type_tally.non_compliant + excluded.non_compliant`, args...)
	return err
}

// A Count is how many live, recorded resources of a type there are.
type Count struct {
	Type string
	N    int64
}

// Counts returns the counts of a place, the highest first; of only some types if
// any are given.
func Counts(ctx context.Context, tx *db.Tx, p config.Place, types []string) ([]Count, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	var out []Count
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var c Count
		if err := scan(&c.Type, &c.N); err != nil {
			return err
		}
		if c.N > 0 && (len(types) == 0 || slices.Contains(types, c.Type)) {
			out = append(out, c)
		}
		return nil
	}, `SELECT t.name, n.live FROM (SELECT type, CAST(sum(live) AS BIGINT) AS live FROM type_tally WHERE place = ? GROUP BY type) AS n
		JOIN resource_type t ON t.id = n.type`, place)
	if err != nil {
		return nil, fmt.Errorf("count resources: %w", err)
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Type, b.Type)) })
	return out, nil
}

// TallyRules returns how many verdicts there are of each of those rules, by the
// rule's id; rules without a verdict are left out.
func TallyRules(ctx context.Context, tx *db.Tx, ids []string) (map[string]Tally, error) {
	out := make(map[string]Tally, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	with, args := list{texts("public_id", ids)}.with(tx)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var t Tally
		err := scan(&id, &t.Compliant, &t.NonCompliant)
		if t != (Tally{}) {
			out[id] = t
		}
		return err
	}, with+`SELECT r.public_id, CAST(sum(y.compliant) AS BIGINT), CAST(sum(y.non_compliant) AS BIGINT) FROM w CROSS JOIN rule r CROSS JOIN rule_tally y
		WHERE r.public_id = w.public_id AND y.rule = r.id GROUP BY r.public_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the tallies of rules: %w", err)
	}
	return out, nil
}

// TallyType counts the resources of a type, or of every type, by their roll-up.
func TallyType(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (Tally, error) {
	var t Tally
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return t, err
	}
	if err := flushTallies(ctx, tx); err != nil {
		return t, err
	}
	query, args := `SELECT CAST(coalesce(sum(compliant), 0) AS BIGINT), CAST(coalesce(sum(non_compliant), 0) AS BIGINT) FROM type_tally WHERE place = ?`, []any{place}
	if resourceType != "" {
		types, err := typeIDs(ctx, tx, []string{resourceType})
		if err != nil {
			return t, err
		}
		query, args = query+` AND type = ?`, append(args, types[resourceType])
	}
	if err := tx.QueryRow(ctx, query, args...).Scan(&t.Compliant, &t.NonCompliant); err != nil {
		return t, fmt.Errorf("count resources by compliance: %w", err)
	}
	return t, nil
}

// A ResourceTally is the tally of one resource.
type ResourceTally struct {
	Type, ID string
	Tally
}

// TallyQuery selects resources with verdicts, after the given type and id. Empty
// members select everything.
type TallyQuery struct {
	Type, ID           string
	Compliance         []config.Compliance
	AfterType, AfterID string
	Limit              int
}

// TallyResources returns the tally of each resource that has a verdict which
// reads show, in the order of type and id.
func TallyResources(ctx context.Context, tx *db.Tx, p config.Place, q TallyQuery) ([]ResourceTally, error) {
	if q.Limit == 0 {
		q.Limit = 1 << 30
	}
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	kinds, err := typesIn(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	var out []ResourceTally
	for _, kind := range kinds {
		if kind.name < q.AfterType || q.Type != "" && kind.name != q.Type {
			continue
		}
		after := ""
		if kind.name == q.AfterType {
			after = q.AfterID
		}
		more, err := q.ofType(ctx, tx, place, kind, after, q.Limit-len(out))
		if err != nil {
			return nil, fmt.Errorf("read the tallies of resources: %w", err)
		}
		if out = append(out, more...); len(out) == q.Limit {
			break
		}
	}
	return out, nil
}

// ofType returns a page of one type: of each roll-up that is wanted, the first
// ones, in one order.
func (q TallyQuery) ofType(ctx context.Context, tx *db.Tx, place int64, kind kind, after string, limit int) ([]ResourceTally, error) {
	var out []ResourceTally
	for _, code := range []int64{codeCompliant, codeNonCompliant} {
		if len(q.Compliance) > 0 && !slices.Contains(q.Compliance, complianceOf(code)) {
			continue
		}
		query := `SELECT r.external_id, r.compliant, r.non_compliant FROM resource r
			WHERE r.type = ? AND r.place = ? AND r.rollup = ? AND r.rollup > 0 AND r.external_id > ?`
		args := []any{kind.id, place, code, after}
		if q.ID != "" {
			query, args = query+` AND r.external_id = ?`, append(args, q.ID)
		}
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			t := ResourceTally{Type: kind.name}
			err := scan(&t.ID, &t.Compliant, &t.NonCompliant)
			out = append(out, t)
			return err
		}, query+` ORDER BY r.external_id LIMIT ?`, append(args, limit)...)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b ResourceTally) int { return cmp.Compare(a.ID, b.ID) })
	return out[:min(len(out), limit)], nil
}
