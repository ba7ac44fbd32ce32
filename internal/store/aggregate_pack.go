package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A PackResult is how many rules a conformance pack has, and how many of them
// comply and do not comply. The others have no results.
type PackResult struct {
	Name string
	Tally
	Rules int64
}

// WithPacks returns the places that have conformance packs.
func (ps Places) WithPacks(ctx context.Context, tx *db.Tx) (Places, error) {
	return ps.having(ctx, tx, `EXISTS (SELECT 1 FROM conformance_pack c WHERE c.place = w.place)`)
}

// badRule and goodRule say what the verdicts of rule m of a pack add up to.
const (
	badRule  = `coalesce((SELECT sum(y.non_compliant) FROM rule_tally y WHERE y.rule = m.rule), 0) > 0`
	goodRule = `coalesce((SELECT sum(y.compliant) FROM rule_tally y WHERE y.rule = m.rule), 0) > 0`
)

// PackResults returns what the rules of the conformance packs of a place say, in
// byte order of the packs' names. They are at most as many as a place may have.
func PackResults(ctx context.Context, tx *db.Tx, p config.Place) ([]PackResult, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	var out []PackResult
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var r PackResult
		err := scan(&r.Name, &r.Rules, &r.Compliant, &r.NonCompliant)
		out = append(out, r)
		return err
	}, `SELECT c.name, (SELECT count(*) FROM conformance_pack_rule m WHERE m.pack = c.id),
			(SELECT count(*) FROM conformance_pack_rule m WHERE m.pack = c.id AND `+goodRule+` AND NOT `+badRule+`),
			(SELECT count(*) FROM conformance_pack_rule m WHERE m.pack = c.id AND `+badRule+`)
		FROM conformance_pack c WHERE c.place = ? ORDER BY c.name`, place)
	if err != nil {
		return nil, fmt.Errorf("read the results of conformance packs of %s: %w", p, err)
	}
	return out, nil
}

// TallyByPack counts the conformance packs of each of the places by their roll-up;
// packs without results are in neither count.
func (ps Places) TallyByPack(ctx context.Context, tx *db.Tx) (map[config.Place]Tally, error) {
	return ps.tallyEach(ctx, tx, "conformance packs", `SELECT c.place AS place, c.id AS pack, sum(y.compliant) AS good, sum(y.non_compliant) AS bad
		FROM w CROSS JOIN conformance_pack c CROSS JOIN conformance_pack_rule m CROSS JOIN rule_tally y
		WHERE c.place = w.place AND m.pack = c.id AND y.rule = m.rule GROUP BY c.place, c.id`)
}
