package cloudfront

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/db"
	api "plumb/internal/model/cloudfrontapi"
)

// An Invalidation is a list of paths that the caches forget.
type Invalidation struct {
	ID        string
	Number    int // of the distribution's
	Reference string
	Created   time.Time
	Paths     []string
}

const maxPaths = 3000

func scanInvalidation(scan func(...any) error) (i Invalidation, err error) {
	var created int64
	var paths string
	if err := scan(&i.ID, &i.Number, &i.Reference, &created, &paths); err != nil {
		return i, err
	}
	i.Created = db.Time(created)
	err = json.Unmarshal([]byte(paths), &i.Paths)
	return i, err
}

const invalidationColumns = `id, number, reference, created, paths`

// Invalidate has the caches of all servers forget paths of a distribution.
func (s *Distributions) Invalidate(ctx context.Context, tx *db.Tx, account, distribution string, i Invalidation) (Invalidation, error) {
	if err := lock(ctx, tx); err != nil {
		return i, err
	}
	d, err := Find(ctx, tx, account, distribution)
	if err != nil {
		return i, err
	}
	if len(i.Paths) == 0 || len(i.Paths) > maxPaths {
		return i, api.InvalidArgument("Your request must have between 1 and %d paths.", maxPaths)
	}
	for _, p := range i.Paths {
		if !strings.HasPrefix(p, "/") || strings.Contains(strings.TrimSuffix(p, "*"), "*") {
			return i, api.InvalidArgument("Your request contains one or more invalid invalidation paths.")
		}
	}
	there, err := scanInvalidation(tx.QueryRow(ctx, `SELECT `+invalidationColumns+` FROM cloudfront_invalidations WHERE distribution = ? AND reference = ?`,
		d.ID, i.Reference).Scan)
	if err == nil {
		return there, nil
	}
	if !errors.Is(err, db.ErrNoRows) {
		return i, err
	}
	i.ID, i.Number, i.Created = newID(), d.Invalidated+1, s.now()
	paths, _ := json.Marshal(i.Paths) // text cannot fail
	_, err = tx.Exec(ctx, `INSERT INTO cloudfront_invalidations (distribution, id, number, reference, created, paths) VALUES (?, ?, ?, ?, ?, ?)`,
		d.ID, i.ID, i.Number, i.Reference, db.Micros(i.Created), string(paths))
	if err != nil {
		return i, fmt.Errorf("write an invalidation of distribution %s: %w", d.ID, err)
	}
	_, err = tx.Exec(ctx, `UPDATE cloudfront_distributions SET invalidated = ? WHERE id = ?`, i.Number, d.ID)
	return i, err
}

// Invalidations lists those of a distribution from the newest on, below a number.
func Invalidations(ctx context.Context, tx *db.Tx, distribution string, below, limit int) (out []Invalidation, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		i, err := scanInvalidation(scan)
		out = append(out, i)
		return err
	}, `SELECT `+invalidationColumns+` FROM cloudfront_invalidations WHERE distribution = ? AND number < ? ORDER BY number DESC LIMIT ?`, distribution, below, limit)
	return out, err
}

// FindInvalidation returns one, or the error NoSuchInvalidation.
func FindInvalidation(ctx context.Context, tx *db.Tx, distribution, id string) (Invalidation, error) {
	i, err := scanInvalidation(tx.QueryRow(ctx, `SELECT `+invalidationColumns+` FROM cloudfront_invalidations WHERE distribution = ? AND id = ?`,
		distribution, id).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return i, api.NoSuchInvalidation("The specified invalidation does not exist.")
	}
	return i, err
}
