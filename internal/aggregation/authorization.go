package aggregation

import (
	"context"
	"errors"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Authorize lets the aggregators of an account, in one region, show a place. It
// returns the authorization, which may have been there before.
func (g *Aggregation) Authorize(ctx context.Context, tx *db.Tx, p, whom config.Place, tags map[string]string) (config.AggregationAuthorization, error) {
	a := config.AggregationAuthorization{Place: p, Authorized: whom, Created: g.now()}
	if err := checkRegion("AuthorizedAwsRegion", whom.Region); err != nil {
		return a, err
	}
	a.ARN = arn.New("config", p.Region, p.Account, "aggregation-authorization/"+whom.Account+"/"+whom.Region).String()
	fresh, err := store.PutAuthorization(ctx, tx, a)
	if err != nil {
		return a, err
	}
	if fresh {
		return a, store.PutTags(ctx, tx, p, a.ARN, tags)
	}
	return store.Authorization(ctx, tx, p, whom)
}

// Withdraw takes an authorization back, if there is one.
func (g *Aggregation) Withdraw(ctx context.Context, tx *db.Tx, p, whom config.Place) error {
	a, err := store.Authorization(ctx, tx, p, whom)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := store.DeleteTags(ctx, tx, p, a.ARN, nil); err != nil {
		return err
	}
	return store.DeleteAuthorization(ctx, tx, a)
}

// Pending returns up to limit accounts with regions, after the given one, whose
// aggregators name the place and may not show it yet.
func (g *Aggregation) Pending(ctx context.Context, tx *db.Tx, p, after config.Place, limit int) ([]config.Place, error) {
	var out []config.Place
	at := store.AggregationRequest{By: after, ID: lastID}
	for len(out) < limit {
		found, err := store.AggregationRequests(ctx, tx, p, at, limit)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			at = store.AggregationRequest{By: r.By, ID: lastID}
			if len(out) == limit || len(out) > 0 && out[len(out)-1] == r.By {
				continue // another aggregator of the same
			}
			open, err := isOpen(ctx, tx, p, r.By)
			if err != nil {
				return nil, err
			}
			if open {
				out = append(out, r.By)
			}
		}
		if len(found) < limit {
			break
		}
	}
	return out, nil
}

// lastID is after the ids of all aggregators.
const lastID = 1<<31 - 1

// isOpen reports whether somebody's request is neither granted nor refused.
func isOpen(ctx context.Context, tx *db.Tx, p, by config.Place) (bool, error) {
	_, err := store.Authorization(ctx, tx, p, by)
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	refused, err := store.Refused(ctx, tx, p, by)
	return !refused, err
}

// Refuse has a place not see somebody's request, if there is one, until that
// account puts an aggregator again.
func (g *Aggregation) Refuse(ctx context.Context, tx *db.Tx, p, by config.Place) error {
	found, err := store.AggregationRequests(ctx, tx, p, store.AggregationRequest{By: by}, 1)
	if err != nil || len(found) == 0 || found[0].By != by {
		return err
	}
	return store.Refuse(ctx, tx, p, by)
}
