package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutAggregator keeps an aggregator under its name, new or in place of the former
// one, with the accounts of its source.
func PutAggregator(ctx context.Context, tx *db.Tx, a config.Aggregator) error {
	def, err := encoded(fromAggregator(a))
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, a.Place)
	if err != nil {
		return err
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO aggregator (place, name, arn, definition, created, updated) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (place, name) DO UPDATE SET definition = excluded.definition, updated = excluded.updated RETURNING id`,
		place, a.Name, a.ARN, def, db.Micros(a.Created), db.Micros(a.Updated)).Scan(&id)
	if err != nil {
		return fmt.Errorf("put aggregator %s: %w", a.Name, err)
	}
	if err := putSources(ctx, tx, id, a); err != nil {
		return fmt.Errorf("put the sources of aggregator %s: %w", a.Name, err)
	}
	return nil
}

// putSources replaces the accounts of an aggregator. An account that refused its
// requests is asked again.
func putSources(ctx context.Context, tx *db.Tx, id int64, a config.Aggregator) error {
	if _, err := tx.Exec(ctx, `DELETE FROM aggregation_source WHERE aggregator = ?`, id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM aggregation_refusal WHERE account = ? AND region = ?`, a.Account, a.Region); err != nil {
		return err
	}
	if a.Accounts == nil {
		return nil
	}
	n := int64(0)
	for chunk := range slices.Chunk(a.Accounts.IDs, maxRows) {
		with, args := list{
			ints("aggregator", collect(chunk, func(string) int64 { return id })),
			texts("account", chunk),
			ints("n", collect(chunk, func(string) int64 { n++; return n })),
			texts("by_account", collect(chunk, func(string) string { return a.Account })),
			texts("by_region", collect(chunk, func(string) string { return a.Region })),
		}.with(tx)
		_, err := tx.Exec(ctx, with+`INSERT INTO aggregation_source (aggregator, account, n, by_account, by_region)
			SELECT aggregator, account, n, by_account, by_region FROM w`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Aggregator returns an aggregator by its name, without the accounts of its
// source; or ErrNotFound.
func Aggregator(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Aggregator, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.Aggregator{}, err
	}
	return oneAggregator(ctx, tx, `a.place = ? AND a.name = ?`, place, name)
}

// AggregatorByARN is Aggregator by its ARN.
func AggregatorByARN(ctx context.Context, tx *db.Tx, arn string) (config.Aggregator, error) {
	return oneAggregator(ctx, tx, `a.arn = ?`, arn)
}

func oneAggregator(ctx context.Context, tx *db.Tx, where string, args ...any) (config.Aggregator, error) {
	all, err := scanAggregators(ctx, tx, where, args...)
	if err != nil {
		return config.Aggregator{}, err
	}
	if len(all) == 0 {
		return config.Aggregator{}, ErrNotFound
	}
	return all[0], nil
}

// Aggregators returns the aggregators of a place after a name, in byte order of
// their names, without the accounts of their sources.
func Aggregators(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.Aggregator, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	return scanAggregators(ctx, tx, `a.place = ? AND a.name > ? ORDER BY a.name LIMIT ?`, place, after, limit)
}

func scanAggregators(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.Aggregator, error) {
	var out []config.Aggregator
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		var name, arn, def string
		var created, updated int64
		if err := scan(&p.Account, &p.Region, &name, &arn, &def, &created, &updated); err != nil {
			return err
		}
		form, err := decoded[storedAggregator](tx, def)
		if err != nil {
			return fmt.Errorf("aggregator %s: %w", name, err)
		}
		a := form.toAggregator()
		a.Place, a.Name, a.ARN, a.Created, a.Updated = p, name, arn, db.Time(created), db.Time(updated)
		out = append(out, a)
		return nil
	}, `SELECT p.account, p.region, a.name, a.arn, a.definition, a.created, a.updated
		FROM aggregator a JOIN place p ON p.id = a.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read aggregators: %w", err)
	}
	return out, nil
}

// CountAggregators returns how many aggregators a place has.
func CountAggregators(ctx context.Context, tx *db.Tx, p config.Place) (n int, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM aggregator WHERE place = ?`, place).Scan(&n)
	return n, err
}

// ListedAccounts returns the accounts of an aggregator's source in the order in
// which they were put.
func ListedAccounts(ctx context.Context, tx *db.Tx, a config.Aggregator) ([]string, error) {
	type listed struct {
		n       int64
		account string
	}
	var found []listed
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var l listed
		err := scan(&l.n, &l.account)
		found = append(found, l)
		return err
	}, `SELECT s.n, s.account FROM aggregator a CROSS JOIN aggregation_source s WHERE a.arn = ? AND s.aggregator = a.id`, a.ARN)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of aggregator %s: %w", a.Name, err)
	}
	slices.SortFunc(found, func(x, y listed) int { return int(x.n - y.n) })
	return collect(found, func(l listed) string { return l.account }), nil
}

// SourceAccounts returns accounts of an aggregator's source from the given one
// on, in their order.
func SourceAccounts(ctx context.Context, tx *db.Tx, a config.Aggregator, from string, limit int) ([]string, error) {
	var id int64
	err := tx.QueryRow(ctx, `SELECT id FROM aggregator WHERE arn = ?`, a.ARN).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read aggregator %s: %w", a.Name, err)
	}
	var out []string
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var account string
		err := scan(&account)
		out = append(out, account)
		return err
	}, `SELECT account FROM aggregation_source WHERE aggregator = ? AND account >= ? ORDER BY account LIMIT ?`, id, from, limit)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of aggregator %s: %w", a.Name, err)
	}
	return out, nil
}

// DeleteAggregator forgets an aggregator.
func DeleteAggregator(ctx context.Context, tx *db.Tx, a config.Aggregator) error {
	if _, err := tx.Exec(ctx, `DELETE FROM aggregation_source WHERE aggregator = (SELECT id FROM aggregator WHERE arn = ?)`, a.ARN); err != nil {
		return fmt.Errorf("delete the sources of aggregator %s: %w", a.Name, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM aggregator WHERE arn = ?`, a.ARN); err != nil {
		return fmt.Errorf("delete aggregator %s: %w", a.Name, err)
	}
	return nil
}
