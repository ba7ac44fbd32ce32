package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A FoundResource is one that has a text as its id, its name or its ARN.
type FoundResource struct {
	config.ResourceKey
	Name, ARN string
	Status    config.ItemStatus
}

// FindResources returns resources of an account, or of all if it is empty, that were
// ever recorded and have exactly that id, name or ARN. Each type of each place is
// asked by its index.
func FindResources(ctx context.Context, tx *db.Tx, account, text string, limit int) ([]FoundResource, error) {
	if err := flushTallies(ctx, tx); err != nil || text == "" {
		return nil, err
	}
	const columns = `SELECT p.account, p.region, t.name, r.external_id, r.name, r.arn, r.status`
	const kinds = ` FROM (SELECT DISTINCT place, type FROM type_tally) AS k CROSS JOIN resource r CROSS JOIN place p CROSS JOIN resource_type t
		WHERE r.type = k.type AND r.place = k.place AND p.id = r.place AND t.id = r.type AND r.status > 0 AND `
	const mine = ` AND (? = '' OR p.account = ?) LIMIT ?`
	var out []FoundResource
	seen := map[config.ResourceKey]bool{}
	for _, query := range []string{
		columns + ` FROM resource r JOIN place p ON p.id = r.place JOIN resource_type t ON t.id = r.type
			WHERE r.arn <> '' AND r.arn = ? AND r.status > 0` + mine,
		columns + kinds + `r.external_id = ?` + mine,
		columns + kinds + `r.name <> '' AND r.name = ?` + mine,
	} {
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var f FoundResource
			var status int64
			err := scan(&f.Account, &f.Region, &f.Type, &f.ID, &f.Name, &f.ARN, &status)
			f.Status = statusOf(status)
			if !seen[f.ResourceKey] && len(out) < limit {
				seen[f.ResourceKey] = true
				out = append(out, f)
			}
			return err
		}, query, text, account, account, limit+len(out))
		if err != nil {
			return nil, fmt.Errorf("find resources: %w", err)
		}
	}
	return out, nil
}
