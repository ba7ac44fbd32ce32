package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// storedDeployment is what the definitions of all kinds have.
type storedDeployment struct {
	Excluded []string `json:"excluded,omitzero"`
}

// putDeployment keeps an organization's rule or pack under its name, new or in
// place of the former one.
func putDeployment(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, definition any) error {
	def, err := encoded(definition)
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, o.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO organization_deployment (place, kind, name, arn, definition, operation, spreading, generation, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, kind, name) DO UPDATE SET definition = excluded.definition,
		operation = excluded.operation, spreading = excluded.spreading, generation = excluded.generation, updated = excluded.updated`,
		place, string(o.Kind), o.Name, o.ARN, def, o.Operation, o.Spreading, o.Generation, db.Micros(o.Updated))
	if err != nil {
		return fmt.Errorf("put organization %s %s: %w", o.Kind, o.Name, err)
	}
	return nil
}

// SetOrganizationDeployment notes what is being done with an organization's rule
// or pack, whose definition stays.
func SetOrganizationDeployment(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	_, err := tx.Exec(ctx, `UPDATE organization_deployment SET operation = ?, spreading = ?, generation = ?, updated = ? WHERE arn = ?`,
		o.Operation, o.Spreading, o.Generation, db.Micros(o.Updated), o.ARN)
	if err != nil {
		return fmt.Errorf("set the state of organization %s %s: %w", o.Kind, o.Name, err)
	}
	return nil
}

// EndSpread notes that all accounts were asked for a generation of an organization's
// rule or pack, unless it has been put or deleted since.
func EndSpread(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	if _, err := tx.Exec(ctx, `UPDATE organization_deployment SET spreading = ? WHERE arn = ? AND generation = ?`, false, o.ARN, o.Generation); err != nil {
		return fmt.Errorf("end the deployment of organization %s %s: %w", o.Kind, o.Name, err)
	}
	return nil
}

// OrganizationDeployment returns what an organization has deployed by its name, or
// ErrNotFound.
func OrganizationDeployment(ctx context.Context, tx *db.Tx, p config.Place, kind config.DeploymentKind, name string) (config.OrganizationDeployment, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.OrganizationDeployment{}, err
	}
	return oneOf(scanDeployments(ctx, tx, deploymentForm, `o.place = ? AND o.kind = ? AND o.name = ?`, place, string(kind), name))
}

// OrganizationDeploymentByARN is OrganizationDeployment by its ARN.
func OrganizationDeploymentByARN(ctx context.Context, tx *db.Tx, arn string) (config.OrganizationDeployment, error) {
	return oneOf(scanDeployments(ctx, tx, deploymentForm, `o.arn = ?`, arn))
}

// CountOrganizationDeployments returns how many of a kind a place has.
func CountOrganizationDeployments(ctx context.Context, tx *db.Tx, p config.Place, kind config.DeploymentKind) (n int, err error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM organization_deployment WHERE place = ? AND kind = ?`, place, string(kind)).Scan(&n)
	return n, err
}

// OrganizationDeploymentsOf returns what an account has deployed in all regions.
func OrganizationDeploymentsOf(ctx context.Context, tx *db.Tx, account string) ([]config.OrganizationDeployment, error) {
	return scanDeployments(ctx, tx, deploymentForm, `p.account = ?`, account)
}

// OrganizationDeploymentsOn returns what of organizations an account has, or is
// about to have, always in the same order.
func OrganizationDeploymentsOn(ctx context.Context, tx *db.Tx, account string) ([]config.OrganizationDeployment, error) {
	return scanDeployments(ctx, tx, deploymentForm, `o.id IN (SELECT m.deployment FROM organization_deployment_member m WHERE m.account = ?) ORDER BY o.id`, account)
}

func deploymentForm(o config.OrganizationDeployment, s storedDeployment) config.OrganizationDeployment {
	o.Excluded = s.Excluded
	return o
}

// oneOf returns the only one that was found, or ErrNotFound.
func oneOf[T any](found []T, err error) (one T, _ error) {
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return one, err
	}
	return found[0], nil
}

// deploymentsAfter returns those of a kind and a place after a name, in byte order
// of their names.
func deploymentsAfter[F, T any](
	ctx context.Context, tx *db.Tx, form func(config.OrganizationDeployment, F) T, p config.Place, kind config.DeploymentKind, after string, limit int,
) ([]T, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	return scanDeployments(ctx, tx, form, `o.place = ? AND o.kind = ? AND o.name > ? ORDER BY o.name LIMIT ?`, place, string(kind), after, limit)
}

// scanDeployments reads deployments, with what their form adds.
func scanDeployments[F, T any](
	ctx context.Context, tx *db.Tx, form func(config.OrganizationDeployment, F) T, where string, args ...any,
) (out []T, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var o config.OrganizationDeployment
		var kind, def string
		var updated int64
		err := scan(&o.Account, &o.Region, &kind, &o.Name, &o.ARN, &def, &o.Operation, &o.Spreading, &o.Generation, &updated)
		if err != nil {
			return err
		}
		o.Kind, o.Updated = config.DeploymentKind(kind), db.Time(updated)
		kept, err := decoded[F](tx, def)
		if err != nil {
			return fmt.Errorf("organization %s %s: %w", o.Kind, o.Name, err)
		}
		out = append(out, form(o, kept))
		return nil
	}, `SELECT p.account, p.region, o.kind, o.name, o.arn, o.definition, o.operation, o.spreading, o.generation, o.updated
		FROM organization_deployment o JOIN place p ON p.id = o.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read what organizations deploy: %w", err)
	}
	return out, nil
}

// DeleteOrganizationDeployment forgets an organization's rule or pack and what
// became of it in the members.
func DeleteOrganizationDeployment(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) error {
	for _, table := range []string{"organization_deployment_member", "organization_deployment_template"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE deployment = (SELECT id FROM organization_deployment WHERE arn = ?)`, o.ARN); err != nil {
			return fmt.Errorf("delete the %s of %s: %w", table, o.Name, err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM organization_deployment WHERE arn = ?`, o.ARN); err != nil {
		return fmt.Errorf("delete organization %s %s: %w", o.Kind, o.Name, err)
	}
	return nil
}

// IsOrganizationDeployment reports whether a place has an organization's rule or
// pack of that ARN.
func IsOrganizationDeployment(ctx context.Context, tx *db.Tx, p config.Place, arn string) (bool, error) {
	o, err := OrganizationDeploymentByARN(ctx, tx, arn)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && o.Place == p, err
}
