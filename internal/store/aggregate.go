package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// Places are some places of several accounts, in the order of account and region:
// what an aggregator shows, or a part of it. Reads of many places take up to
// MaxPlaces of them. First one statement says which have anything at all; a page
// is then read place by place, so that each read enters an index in the middle.
type Places []Placed

// A Placed is a place with the id that it is kept under.
type Placed struct {
	config.Place
	id         int64
	Authorized bool // it authorized the one who was asked about
}

// MaxPlaces is how many places one read takes.
const MaxPlaces = maxRows

// PlacesShownTo returns all places of some accounts that anything was ever kept
// of, and whether they authorized an aggregator's place.
func PlacesShownTo(ctx context.Context, tx *db.Tx, accounts []string, by config.Place) (Places, error) {
	var out Places
	for chunk := range slices.Chunk(accounts, maxRows) {
		with, args := list{texts("account", chunk)}.with(tx)
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var p Placed
			err := scan(&p.id, &p.Account, &p.Region, &p.Authorized)
			out = append(out, p)
			return err
		}, with+`SELECT p.id, p.account, p.region, EXISTS (SELECT 1 FROM aggregation_authorization u
			WHERE u.place = p.id AND u.account = ? AND u.region = ?)
			FROM w CROSS JOIN place p WHERE p.account = w.account`, append(args, by.Account, by.Region)...)
		if err != nil {
			return nil, fmt.Errorf("read the places of accounts: %w", err)
		}
	}
	slices.SortFunc(out, func(a, b Placed) int { return a.Compare(b.Place) })
	return out, nil
}

// list returns the places as rows named w.
func (ps Places) list() list {
	return list{ints("place", collect(ps, func(p Placed) int64 { return p.id }))}
}

// having returns the places for which a condition on w.place holds.
func (ps Places) having(ctx context.Context, tx *db.Tx, condition string, args ...any) (Places, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	with, rows := ps.list().with(tx)
	found := map[int64]bool{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		found[id] = true
		return err
	}, with+`SELECT w.place FROM w WHERE `+condition, append(rows, args...)...)
	if err != nil {
		return nil, fmt.Errorf("look which places have anything: %w", err)
	}
	var out Places
	for _, p := range ps {
		if found[p.id] {
			out = append(out, p)
		}
	}
	return out, nil
}

// WithResources returns the places that have live resources as the query selects
// them.
func (ps Places) WithResources(ctx context.Context, tx *db.Tx, q ResourceQuery) (Places, error) {
	types, err := typeIDs(ctx, tx, []string{q.Type})
	if err != nil || types[q.Type] == 0 {
		return nil, err
	}
	where, args := "", []any{types[q.Type]}
	if q.Name != "" {
		where, args = ` AND r.name <> '' AND r.name = ?`, append(args, q.Name)
	}
	if len(q.IDs) > 0 {
		in, ids := db.In(q.IDs)
		where, args = where+` AND r.external_id IN `+in, append(args, ids...)
	}
	return ps.having(ctx, tx, `EXISTS (SELECT 1 FROM resource r WHERE r.type = ? AND r.place = w.place AND `+isLive+where+`)`, args...)
}

// CountTypes returns how many live, recorded resources the places have together,
// by type.
func (ps Places) CountTypes(ctx context.Context, tx *db.Tx) (map[string]int64, error) {
	if err := flushTallies(ctx, tx); err != nil || len(ps) == 0 {
		return nil, err
	}
	out := map[string]int64{}
	with, args := ps.list().with(tx)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		var n int64
		err := scan(&name, &n)
		out[name] = n
		return err
	}, with+`, n AS (SELECT y.type, CAST(sum(y.live) AS BIGINT) AS live FROM w CROSS JOIN type_tally y WHERE y.place = w.place GROUP BY y.type)
		SELECT t.name, n.live FROM n JOIN resource_type t ON t.id = n.type`, args...)
	if err != nil {
		return nil, fmt.Errorf("count resources of places by type: %w", err)
	}
	maps.DeleteFunc(out, func(_ string, n int64) bool { return n == 0 })
	return out, nil
}

// Count returns how many live, recorded resources of some types, or of all, each
// of the places has.
func (ps Places) Count(ctx context.Context, tx *db.Tx, types []string) (map[config.Place]int64, error) {
	if err := flushTallies(ctx, tx); err != nil || len(ps) == 0 {
		return nil, err
	}
	with, args := ps.list().with(tx)
	where := ""
	if len(types) > 0 {
		known, err := typeIDs(ctx, tx, types)
		if err != nil || len(known) == 0 {
			return nil, err
		}
		in, ids := db.In(slices.Sorted(maps.Values(known)))
		where, args = ` AND y.type IN `+in, append(args, ids...)
	}
	out, byID := map[config.Place]int64{}, ps.byID()
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id, n int64
		err := scan(&id, &n)
		if n != 0 {
			out[byID[id]] = n
		}
		return err
	}, with+`SELECT y.place, CAST(sum(y.live) AS BIGINT) FROM w CROSS JOIN type_tally y WHERE y.place = w.place`+where+` GROUP BY y.place`, args...)
	if err != nil {
		return nil, fmt.Errorf("count resources of places: %w", err)
	}
	return out, nil
}

func (ps Places) byID() map[int64]config.Place {
	out := make(map[int64]config.Place, len(ps))
	for _, p := range ps {
		out[p.id] = p.Place
	}
	return out
}

// TallyByRule counts the rules of each of the places by their roll-up; rules
// without results are in neither count.
func (ps Places) TallyByRule(ctx context.Context, tx *db.Tx) (map[config.Place]Tally, error) {
	return ps.tallyEach(ctx, tx, "rules", `SELECT u.place AS place, u.id AS rule, sum(y.compliant) AS good, sum(y.non_compliant) AS bad
		FROM w CROSS JOIN rule u CROSS JOIN rule_tally y WHERE u.place = w.place AND y.rule = u.id GROUP BY u.place, u.id`)
}

// tallyEach counts things of each of the places by their roll-up. each selects for
// a thing its place and how many resources comply with it, good, and do not, bad;
// the places are in w.
func (ps Places) tallyEach(ctx context.Context, tx *db.Tx, things, each string) (map[config.Place]Tally, error) {
	if err := flushTallies(ctx, tx); err != nil || len(ps) == 0 {
		return nil, err
	}
	out, byID := map[config.Place]Tally{}, ps.byID()
	with, args := ps.list().with(tx)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		var t Tally
		err := scan(&id, &t.Compliant, &t.NonCompliant)
		if t != (Tally{}) {
			out[byID[id]] = t
		}
		return err
	}, with+`, n AS (`+each+`)
		SELECT place, CAST(sum(CASE WHEN bad = 0 AND good > 0 THEN 1 ELSE 0 END) AS BIGINT),
			CAST(sum(CASE WHEN bad > 0 THEN 1 ELSE 0 END) AS BIGINT) FROM n GROUP BY place`, args...)
	if err != nil {
		return nil, fmt.Errorf("count %s of places: %w", things, err)
	}
	return out, nil
}

// A RuleResult is a rule's name with its tally.
type RuleResult struct {
	Name string
	Tally
}

// A RuleResultQuery selects rules with results, of one place, after a name. Empty
// members select everything.
type RuleResultQuery struct {
	Name       string
	Compliance config.Compliance // COMPLIANT or NON_COMPLIANT
	After      string
	Limit      int
}

// wanted is the condition on a rule u that the query selects.
func (q RuleResultQuery) wanted() (string, []any) {
	const bad = `(SELECT sum(y.non_compliant) FROM rule_tally y WHERE y.rule = u.id) > 0`
	const good = `(SELECT sum(y.compliant) FROM rule_tally y WHERE y.rule = u.id) > 0`
	where := map[config.Compliance]string{
		"": "(" + bad + " OR " + good + ")", config.NonCompliant: bad, config.Compliant: good + " AND NOT " + bad,
	}[q.Compliance]
	if q.Name != "" {
		return where + ` AND u.name = ?`, []any{q.Name}
	}
	return where, nil
}

// WithResults returns the places that have such rules.
func (ps Places) WithResults(ctx context.Context, tx *db.Tx, q RuleResultQuery) (Places, error) {
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	where, args := q.wanted()
	return ps.having(ctx, tx, `EXISTS (SELECT 1 FROM rule u WHERE u.place = w.place AND `+where+`)`, args...)
}

// RuleResults returns the rules of a place that have results, in byte order of
// their names.
func RuleResults(ctx context.Context, tx *db.Tx, p config.Place, q RuleResultQuery) ([]RuleResult, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	where, args := q.wanted()
	var out []RuleResult
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var r RuleResult
		err := scan(&r.Name, &r.Compliant, &r.NonCompliant)
		out = append(out, r)
		return err
	}, `SELECT u.name, (SELECT CAST(sum(y.compliant) AS BIGINT) FROM rule_tally y WHERE y.rule = u.id),
			(SELECT CAST(sum(y.non_compliant) AS BIGINT) FROM rule_tally y WHERE y.rule = u.id)
		FROM rule u WHERE u.place = ? AND u.name > ? AND `+where+` ORDER BY u.name LIMIT ?`,
		append(append([]any{place, q.After}, args...), q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read the results of rules of %s: %w", p, err)
	}
	return out, nil
}
