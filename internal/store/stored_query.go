package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// StoredQueryARN returns the ARN of a place's stored query.
func StoredQueryARN(p config.Place, name, id string) string {
	return arn.New("config", p.Region, p.Account, "stored-query/"+name+"/"+id).String()
}

// HoldStoredQueries has others wait that put stored queries of a place.
func HoldStoredQueries(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "stored queries of "+p.String())
}

// PutStoredQuery keeps a stored query, in place of one of the same name.
func PutStoredQuery(ctx context.Context, tx *db.Tx, q config.StoredQuery) error {
	place, err := makePlace(ctx, tx, q.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO stored_query (place, name, public_id, description, expression, changed) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, name) DO UPDATE SET public_id = excluded.public_id, description = excluded.description,
		expression = excluded.expression, changed = excluded.changed`,
		place, q.Name, q.ID, q.Description, q.Expression, db.Micros(q.Changed))
	if err != nil {
		return fmt.Errorf("put stored query %s: %w", q.Name, err)
	}
	return nil
}

const storedQueryColumns = `name, public_id, description, expression, changed`

func scanStoredQuery(p config.Place, scan func(...any) error) (config.StoredQuery, error) {
	q := config.StoredQuery{Place: p}
	var changed int64
	err := scan(&q.Name, &q.ID, &q.Description, &q.Expression, &changed)
	q.ARN, q.Changed = StoredQueryARN(p, q.Name, q.ID), db.Time(changed)
	return q, err
}

// StoredQuery returns a stored query by its name, or ErrNotFound.
func StoredQuery(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.StoredQuery, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.StoredQuery{}, err
	}
	q, err := scanStoredQuery(p, tx.QueryRow(ctx, `SELECT `+storedQueryColumns+` FROM stored_query WHERE place = ? AND name = ?`, place, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return q, ErrNotFound
	}
	if err != nil {
		return q, fmt.Errorf("read stored query %s: %w", name, err)
	}
	return q, nil
}

// StoredQueries returns up to limit stored queries of a place after a name, by
// name.
func StoredQueries(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []config.StoredQuery, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		q, err := scanStoredQuery(p, scan)
		out = append(out, q)
		return err
	}, `SELECT `+storedQueryColumns+` FROM stored_query WHERE place = ? AND name > ? ORDER BY name LIMIT ?`, place, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the stored queries of %s: %w", p, err)
	}
	return out, nil
}

// CountStoredQueries returns how many stored queries a place has.
func CountStoredQueries(ctx context.Context, tx *db.Tx, p config.Place) (n int, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM stored_query WHERE place = ?`, place).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the stored queries of %s: %w", p, err)
	}
	return n, nil
}

// DeleteStoredQuery forgets a stored query and its tags.
func DeleteStoredQuery(ctx context.Context, tx *db.Tx, q config.StoredQuery) error {
	place, err := placeID(ctx, tx, q.Place)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM stored_query WHERE place = ? AND name = ?`, place, q.Name); err != nil {
		return fmt.Errorf("delete stored query %s: %w", q.Name, err)
	}
	return DeleteTags(ctx, tx, q.Place, q.ARN, nil)
}
