package store

import (
	"context"
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

// A FailingTime says since when resources fail a rule: the one that has for the longest
// time, and the one that began last; and how many began lately.
type FailingTime struct {
	Oldest, Newest time.Time
	Fresh          int
}

// FailingTimes returns the times of rules, by their ids; those that nothing fails are
// left out. What began at since or later is counted up to a most for each rule.
func FailingTimes(ctx context.Context, tx *db.Tx, ruleIDs []string, since time.Time, most int) (map[string]FailingTime, error) {
	out := map[string]FailingTime{}
	for chunk := range slices.Chunk(ruleIDs, maxRows) {
		with, args := list{texts("public_id", chunk)}.with(tx)
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var id string
			var oldest, newest *int64
			var t FailingTime
			if err := scan(&id, &oldest, &newest, &t.Fresh); err != nil || oldest == nil {
				return err
			}
			t.Oldest, t.Newest = db.Time(*oldest), db.Time(*newest)
			out[id] = t
			return nil
		}, with+`SELECT w.public_id,
			(SELECT v.turned FROM verdict v WHERE v.rule = u.id AND v.compliance = 2 ORDER BY v.turned LIMIT 1),
			(SELECT v.turned FROM verdict v WHERE v.rule = u.id AND v.compliance = 2 ORDER BY v.turned DESC LIMIT 1),
			(SELECT count(*) FROM (SELECT 1 FROM verdict v WHERE v.rule = u.id AND v.compliance = 2 AND v.turned >= ? LIMIT ?) AS n)
			FROM w CROSS JOIN rule u WHERE u.public_id = w.public_id`, append(args, db.Micros(since), most)...)
		if err != nil {
			return nil, fmt.Errorf("read since when resources fail: %w", err)
		}
	}
	return out, nil
}

// RollUps returns the tallies of those resources that have verdicts.
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
