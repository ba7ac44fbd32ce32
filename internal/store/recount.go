package store

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/db"
)

// A Difference is a tally that was not what counting gives.
type Difference struct {
	Of            string // what is counted, for people
	Kept, Counted []int64
	correct       string // adds the difference, given as arguments, to what is kept
	args          []any
}

// Recount counts what the tallies should be in one state of the store and
// returns the differences. It reads every verdict.
func Recount(ctx context.Context, tx *db.Tx) ([]Difference, error) {
	var out []Difference
	for _, count := range []func(context.Context, *db.Tx) ([]Difference, error){recountResources, recountRules, recountTypes} {
		some, err := count(ctx, tx)
		if err != nil {
			return nil, fmt.Errorf("recount: %w", err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// Correct adds the differences to the tallies. It can come later than Recount:
// what was counted right meanwhile stays right.
func Correct(ctx context.Context, tx *db.Tx, differences []Difference) error {
	for _, d := range differences {
		if _, err := tx.Exec(ctx, d.correct, d.args...); err != nil {
			return fmt.Errorf("correct the tally of %s: %w", d.Of, err)
		}
	}
	return nil
}

// count1 and count2 count compliant and non-compliant verdicts.
const (
	count1 = `CAST(coalesce(sum(CASE WHEN v.compliance = 1 THEN 1 ELSE 0 END), 0) AS BIGINT)`
	count2 = `CAST(coalesce(sum(CASE WHEN v.compliance = 2 THEN 1 ELSE 0 END), 0) AS BIGINT)`
)

func recountResources(ctx context.Context, tx *db.Tx) ([]Difference, error) {
	return differences(ctx, tx, 2, func(of string, id []int64, add []int64) Difference {
		return Difference{
			Of: "resource " + of,
			correct: `UPDATE resource SET compliant = compliant + ?, non_compliant = non_compliant + ?,
				rollup = CASE WHEN non_compliant + ? > 0 THEN 2 WHEN compliant + ? > 0 THEN 1 ELSE 0 END WHERE id = ?`,
			args: []any{add[0], add[1], add[1], add[0], id[0]},
		}
	}, `SELECT t.name || '/' || r.external_id, r.id, 0, r.compliant, r.non_compliant, n.one, n.two
		FROM (SELECT r.id, `+count1+` AS one, `+count2+` AS two FROM resource r LEFT JOIN verdict v ON v.resource = r.id GROUP BY r.id) AS n
		JOIN resource r ON r.id = n.id JOIN resource_type t ON t.id = r.type
		WHERE r.compliant <> n.one OR r.non_compliant <> n.two
			OR r.rollup <> CASE WHEN n.two > 0 THEN 2 WHEN n.one > 0 THEN 1 ELSE 0 END`)
}

func recountRules(ctx context.Context, tx *db.Tx) ([]Difference, error) {
	return differences(ctx, tx, 2, func(of string, id []int64, add []int64) Difference {
		return Difference{
			Of: "rule " + of,
			correct: `INSERT INTO rule_tally (rule, shard, compliant, non_compliant) VALUES (?, 0, ?, ?) ON CONFLICT (rule, shard) DO UPDATE
				SET compliant = rule_tally.compliant + excluded.compliant, non_compliant = rule_tally.non_compliant + excluded.non_compliant`,
			args: []any{id[0], add[0], add[1]},
		}
	}, `SELECT u.name, u.id, 0, k.one, k.two, n.one, n.two
		FROM (SELECT u.id, `+count1+` AS one, `+count2+` AS two FROM rule u LEFT JOIN verdict v ON v.rule = u.id GROUP BY u.id) AS n
		JOIN (SELECT u.id, CAST(coalesce(sum(y.compliant), 0) AS BIGINT) AS one, CAST(coalesce(sum(y.non_compliant), 0) AS BIGINT) AS two
			FROM rule u LEFT JOIN rule_tally y ON y.rule = u.id GROUP BY u.id) AS k ON k.id = n.id
		JOIN rule u ON u.id = n.id
		WHERE k.one <> n.one OR k.two <> n.two`)
}

// recountTypes rolls resources up by their verdicts, not by their own tallies.
func recountTypes(ctx context.Context, tx *db.Tx) ([]Difference, error) {
	return differences(ctx, tx, 3, func(of string, id []int64, add []int64) Difference {
		return Difference{
			Of: "type " + of,
			correct: `INSERT INTO type_tally (place, type, shard, live, compliant, non_compliant) VALUES (?, ?, 0, ?, ?, ?)
				ON CONFLICT (place, type, shard) DO UPDATE SET live = type_tally.live + excluded.live,
				compliant = type_tally.compliant + excluded.compliant, non_compliant = type_tally.non_compliant + excluded.non_compliant`,
			args: []any{id[0], id[1], add[0], add[1], add[2]},
		}
	}, `SELECT t.name || ' in ' || p.account || '/' || p.region, b.place, b.type, coalesce(k.live, 0), coalesce(k.one, 0), coalesce(k.two, 0),
			coalesce(n.live, 0), coalesce(n.one, 0), coalesce(n.two, 0)
		FROM (SELECT place, type FROM resource UNION SELECT place, type FROM type_tally) AS b
		JOIN place p ON p.id = b.place JOIN resource_type t ON t.id = b.type
		LEFT JOIN (SELECT place, type, CAST(sum(live) AS BIGINT) AS live, CAST(sum(compliant) AS BIGINT) AS one,
			CAST(sum(non_compliant) AS BIGINT) AS two FROM type_tally GROUP BY place, type) AS k ON k.place = b.place AND k.type = b.type
		LEFT JOIN (SELECT r.place, r.type, CAST(sum(CASE WHEN r.status IN (1, 2) THEN 1 ELSE 0 END) AS BIGINT) AS live,
			CAST(sum(CASE WHEN v.worst = 1 THEN 1 ELSE 0 END) AS BIGINT) AS one, CAST(sum(CASE WHEN v.worst = 2 THEN 1 ELSE 0 END) AS BIGINT) AS two
			FROM resource r LEFT JOIN (SELECT resource, max(compliance) AS worst FROM verdict WHERE compliance IN (1, 2) GROUP BY resource) AS v
			ON v.resource = r.id GROUP BY r.place, r.type) AS n ON n.place = b.place AND n.type = b.type
		WHERE coalesce(k.live, 0) <> coalesce(n.live, 0) OR coalesce(k.one, 0) <> coalesce(n.one, 0) OR coalesce(k.two, 0) <> coalesce(n.two, 0)`)
}

// differences reads rows of a name, two ids, n kept numbers and n counted ones.
func differences(
	ctx context.Context, tx *db.Tx, n int, difference func(of string, id, add []int64) Difference, query string,
) ([]Difference, error) {
	var out []Difference
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var of string
		numbers := make([]int64, 2+2*n)
		dest := []any{&of}
		for i := range numbers {
			dest = append(dest, &numbers[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		kept, counted := numbers[2:2+n], numbers[2+n:]
		add := slices.Clone(counted)
		for i := range add {
			add[i] -= kept[i]
		}
		d := difference(of, numbers[:2], add)
		d.Kept, d.Counted = kept, counted
		out = append(out, d)
		return nil
	}, query)
	return out, err
}
