package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A Judgment is a verdict with since when it is that.
type Judgment struct {
	RuleID string
	Key    config.ResourceKey
	Turned time.Time
	config.Verdict
}

// JudgmentsOn returns what every rule says of a resource, NOT_APPLICABLE too, in the
// order of the rules' names, up to limit.
func JudgmentsOn(ctx context.Context, tx *db.Tx, key config.ResourceKey, limit int) ([]Judgment, error) {
	id, err := resourceID(ctx, tx, key)
	if err != nil || id == 0 {
		return nil, err
	}
	var out []Judgment
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		j := Judgment{Key: key}
		var turned int64
		var name string
		v, err := scanVerdict(scan, &j.RuleID, &name, &turned)
		j.Verdict, j.Turned = v, db.Time(turned)
		j.Rule, j.ResourceType, j.ResourceID = name, key.Type, key.ID
		out = append(out, j)
		return err
	}, `SELECT u.public_id, u.name, v.turned, `+verdictColumns+` FROM verdict v JOIN rule u ON u.id = v.rule WHERE v.resource = ? LIMIT ?`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("read what is said of %s: %w", key, err)
	}
	slices.SortFunc(out, func(a, b Judgment) int { return strings.Compare(a.Rule, b.Rule) })
	return out, nil
}

// A FailurePosition is where a page of a rule's failures ends.
type FailurePosition struct{ Turned, Resource int64 }

// FailuresOf returns resources that do not comply with a rule, those that failed last
// first, and the position of the last one.
func FailuresOf(ctx context.Context, tx *db.Tx, r config.Rule, before FailurePosition, limit int) (out []Judgment, last FailurePosition, err error) {
	rules, err := ruleIDs(ctx, tx, []string{r.ID})
	if err != nil || len(rules) == 0 {
		return nil, last, err
	}
	if before == (FailurePosition{}) {
		before = FailurePosition{maxStateID, maxStateID}
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		j := Judgment{RuleID: r.ID, Key: config.ResourceKey{Place: r.Place}}
		v, err := scanVerdict(scan, &last.Turned, &last.Resource, &j.Key.Type, &j.Key.ID)
		j.Verdict, j.Turned = v, db.Time(last.Turned)
		j.Rule, j.ResourceType, j.ResourceID = r.Name, j.Key.Type, j.Key.ID
		out = append(out, j)
		return err
	}, `SELECT v.turned, v.resource, t.name, r.external_id, `+verdictColumns+`
		FROM (SELECT * FROM verdict WHERE rule = ? AND compliance = 2 AND (turned, resource) < (?, ?) ORDER BY turned DESC, resource DESC LIMIT ?) AS v
		JOIN resource r ON r.id = v.resource JOIN resource_type t ON t.id = r.type ORDER BY v.turned DESC, v.resource DESC`,
		rules[r.ID], before.Turned, before.Resource, limit)
	if err != nil {
		return nil, last, fmt.Errorf("list what fails %s: %w", r.Name, err)
	}
	return out, last, nil
}

// FailingSince returns since when the resource fails that has not complied with a rule
// for the longest time, when the last one began to, and how many began at a time or
// later, up to a most.
func FailingSince(ctx context.Context, tx *db.Tx, ruleID string, since time.Time, most int) (oldest, newest time.Time, fresh int, err error) {
	rules, err := ruleIDs(ctx, tx, []string{ruleID})
	if err != nil || len(rules) == 0 {
		return oldest, newest, 0, err
	}
	id := rules[ruleID]
	at := func(order string) (t time.Time, err error) {
		var us int64
		err = tx.QueryRow(ctx, `SELECT turned FROM verdict WHERE rule = ? AND compliance = 2 ORDER BY turned `+order+` LIMIT 1`, id).Scan(&us)
		if errors.Is(err, db.ErrNoRows) {
			return t, nil
		}
		return db.Time(us), err
	}
	if oldest, err = at("ASC"); err == nil {
		newest, err = at("DESC")
	}
	if err == nil {
		err = tx.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM verdict WHERE rule = ? AND compliance = 2 AND turned >= ? LIMIT ?) AS n`,
			id, db.Micros(since), most).Scan(&fresh)
	}
	if err != nil {
		return oldest, newest, 0, fmt.Errorf("read since when resources fail: %w", err)
	}
	return oldest, newest, fresh, nil
}

// RollUps returns the tallies of those resources that rules said anything of.
func RollUps(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey]Tally, error) {
	out := map[config.ResourceKey]Tally{}
	w, err := wanted(ctx, tx, p, keys)
	if err != nil || w.empty() {
		return out, err
	}
	with, args := w.with(tx)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var n int64
		var t Tally
		err := scan(&n, &t.Compliant, &t.NonCompliant)
		out[keys[n]] = t
		return err
	}, with+`SELECT w.n, r.compliant, r.non_compliant FROM w CROSS JOIN resource r
		WHERE r.type = w.type AND r.place = w.place AND r.external_id = w.id AND r.rollup > 0`, args...)
	if err != nil {
		return nil, fmt.Errorf("read tallies of resources: %w", err)
	}
	return out, nil
}
