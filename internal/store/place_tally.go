package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A PlaceTally counts the resources of a place: those that live and are recorded, and
// those with verdicts by their roll-up.
type PlaceTally struct {
	Live int64
	Tally
}

// TallyPlaces counts the resources of all places, from what is kept by type.
func TallyPlaces(ctx context.Context, tx *db.Tx) (map[config.Place]PlaceTally, error) {
	if err := flushTallies(ctx, tx); err != nil {
		return nil, err
	}
	out := map[config.Place]PlaceTally{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		var t PlaceTally
		err := scan(&p.Account, &p.Region, &t.Live, &t.Compliant, &t.NonCompliant)
		out[p] = t
		return err
	}, `SELECT p.account, p.region, n.live, n.good, n.bad FROM (SELECT place, CAST(sum(live) AS BIGINT) AS live,
			CAST(sum(compliant) AS BIGINT) AS good, CAST(sum(non_compliant) AS BIGINT) AS bad FROM type_tally GROUP BY place) AS n
		JOIN place p ON p.id = n.place`)
	if err != nil {
		return nil, fmt.Errorf("count resources by place: %w", err)
	}
	return out, nil
}
