package retention

import (
	"context"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

const (
	pageSize  = 500 // resources in a step: others wait for its transaction on SQLite
	placePage = 200 // places in a step that finds nothing in them
	logEvery  = 1000
)

func (r *Retention) carry(ctx context.Context, tx *db.Tx, _ *stepJob) error {
	more, err := store.CarryForward(ctx, tx, r.now(), pageSize)
	if err == nil && !more {
		return errDone
	}
	return err
}

// expireResources goes on to the next places until one has something to delete,
// and stays at it until it has no more.
func (r *Retention) expireResources(ctx context.Context, tx *db.Tx, a *stepJob) error {
	return r.eachPlace(ctx, tx, a, func(k store.Kept) (more bool, err error) {
		n, err := store.ExpireResources(ctx, tx, k, a.Began, pageSize)
		return n == pageSize, err
	})
}

func (r *Retention) expireHistory(ctx context.Context, tx *db.Tx, a *stepJob) error {
	return r.eachPlace(ctx, tx, a, func(k store.Kept) (more bool, err error) {
		after := config.ResourceKey{Place: k.Place, Type: a.Type, ID: a.ID}
		next, err := store.ExpireHistory(ctx, tx, k, a.Began, after, pageSize)
		a.Type, a.ID = next.Type, next.ID
		return next.ID != "", err
	})
}

// eachPlace does one step in some places after the one that is done. A step that
// takes long, or is not the last of its place, ends the transaction.
func (r *Retention) eachPlace(ctx context.Context, tx *db.Tx, a *stepJob, do func(store.Kept) (more bool, err error)) error {
	places, err := store.AllKept(ctx, tx, a.Place, placePage)
	if err != nil {
		return err
	}
	began := time.Now()
	for i, k := range places {
		more, err := do(k)
		if err != nil || more {
			return err
		}
		a.Place = k.Place
		if time.Since(began) > maxStep && i+1 < len(places) {
			return nil
		}
	}
	if len(places) < placePage {
		return errDone
	}
	return nil
}

// maxStep is how long a transaction goes on to further places.
const maxStep = 100 * time.Millisecond

func (r *Retention) expireMonths(ctx context.Context, tx *db.Tx, a *stepJob) error {
	next, more, err := store.ExpireMonth(ctx, tx, a.Began, a.Resource, pageSize)
	a.Resource = next
	if err == nil && !more {
		return errDone
	}
	return err
}
