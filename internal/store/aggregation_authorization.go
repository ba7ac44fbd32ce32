package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An AggregationRequest is somebody who wants to show a place and was not
// authorized.
type AggregationRequest struct {
	By config.Place
	ID int64 // of the aggregator
}

// AggregationRequests returns up to limit aggregators of others after the given
// one that name the account of a place and its region, whether authorized or not.
func AggregationRequests(ctx context.Context, tx *db.Tx, p config.Place, after AggregationRequest, limit int) ([]AggregationRequest, error) {
	var out []AggregationRequest
	n := 0
	for {
		var last AggregationRequest
		var read int
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			var def string
			if err := scan(&last.By.Account, &last.By.Region, &last.ID, &def); err != nil {
				return err
			}
			read++
			form, err := decoded[storedAggregator](tx, def)
			if err == nil && form.toAggregator().SourceRegions().Include(p.Region) && last.By.Account != p.Account && len(out) < limit {
				out = append(out, last)
			}
			return err
		}, `SELECT s.by_account, s.by_region, s.aggregator, a.definition FROM aggregation_source s JOIN aggregator a ON a.id = s.aggregator
			WHERE s.account = ? AND (s.by_account, s.by_region, s.aggregator) > (?, ?, ?)
			ORDER BY s.by_account, s.by_region, s.aggregator LIMIT ?`, p.Account, after.By.Account, after.By.Region, after.ID, limit)
		if err != nil {
			return nil, fmt.Errorf("read aggregation requests of %s: %w", p, err)
		}
		if n += read; read < limit || len(out) == limit {
			return out, nil
		}
		after = last
	}
}

// Refuse has a place not see the requests of somebody until the aggregator is put
// again.
func Refuse(ctx context.Context, tx *db.Tx, p, by config.Place) error {
	place, err := makePlace(ctx, tx, p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO aggregation_refusal (account, region, place) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, by.Account, by.Region, place)
	if err != nil {
		return fmt.Errorf("refuse the aggregation requests of %s: %w", by, err)
	}
	return nil
}

// Refused reports whether a place does not want to see somebody's requests.
func Refused(ctx context.Context, tx *db.Tx, p, by config.Place) (bool, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return false, err
	}
	var n int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM aggregation_refusal WHERE account = ? AND region = ? AND place = ?`, by.Account, by.Region, place).Scan(&n)
	return n > 0, err
}

// PutAuthorization keeps an authorization; one that is there stays as it is.
func PutAuthorization(ctx context.Context, tx *db.Tx, a config.AggregationAuthorization) (fresh bool, err error) {
	place, err := makePlace(ctx, tx, a.Place)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO aggregation_authorization (place, account, region, arn, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		place, a.Authorized.Account, a.Authorized.Region, a.ARN, db.Micros(a.Created))
	if err != nil {
		return false, fmt.Errorf("put the authorization of %s: %w", a.Authorized, err)
	}
	return n > 0, nil
}

// Authorization returns what a place lets somebody's aggregators show, or
// ErrNotFound.
func Authorization(ctx context.Context, tx *db.Tx, p, authorized config.Place) (config.AggregationAuthorization, error) {
	a := config.AggregationAuthorization{Place: p, Authorized: authorized}
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return a, err
	}
	var created int64
	err = tx.QueryRow(ctx, `SELECT arn, created FROM aggregation_authorization WHERE place = ? AND account = ? AND region = ?`,
		place, authorized.Account, authorized.Region).Scan(&a.ARN, &created)
	if errors.Is(err, db.ErrNoRows) {
		return a, ErrNotFound
	}
	a.Created = db.Time(created)
	return a, err
}

// Authorizations returns the authorizations of a place after the given one, in
// the order of whom they authorize.
func Authorizations(ctx context.Context, tx *db.Tx, p, after config.Place, limit int) ([]config.AggregationAuthorization, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.AggregationAuthorization
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		a := config.AggregationAuthorization{Place: p}
		var created int64
		err := scan(&a.Authorized.Account, &a.Authorized.Region, &a.ARN, &created)
		a.Created = db.Time(created)
		out = append(out, a)
		return err
	}, `SELECT account, region, arn, created FROM aggregation_authorization WHERE place = ? AND (account, region) > (?, ?)
		ORDER BY account, region LIMIT ?`, place, after.Account, after.Region, limit)
	if err != nil {
		return nil, fmt.Errorf("read the authorizations of %s: %w", p, err)
	}
	return out, nil
}

// DeleteAuthorization forgets an authorization, if there is one.
func DeleteAuthorization(ctx context.Context, tx *db.Tx, a config.AggregationAuthorization) error {
	place, err := placeID(ctx, tx, a.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM aggregation_authorization WHERE place = ? AND account = ? AND region = ?`, place, a.Authorized.Account, a.Authorized.Region)
	if err != nil {
		return fmt.Errorf("delete the authorization of %s: %w", a.Authorized, err)
	}
	return nil
}

// IsAggregation reports whether a place has an aggregator or an authorization of
// that ARN.
func IsAggregation(ctx context.Context, tx *db.Tx, p config.Place, arn string) (bool, error) {
	a, err := AggregatorByARN(ctx, tx, arn)
	if !errors.Is(err, ErrNotFound) {
		return err == nil && a.Place == p, err
	}
	_, whom, found := strings.Cut(arn, ":aggregation-authorization/")
	if !found {
		return false, nil
	}
	account, region, _ := strings.Cut(whom, "/")
	u, err := Authorization(ctx, tx, p, config.Place{Account: account, Region: region})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && u.ARN == arn, err
}
