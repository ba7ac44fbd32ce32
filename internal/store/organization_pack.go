package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

type storedOrganizationPack struct {
	DeliveryBucket string        `json:"deliveryBucket,omitempty"`
	DeliveryPrefix string        `json:"deliveryPrefix,omitempty"`
	Parameters     []storedValue `json:"parameters,omitzero"`
	Excluded       []string      `json:"excluded,omitzero"`
}

func fromOrganizationPack(o config.OrganizationPack) storedOrganizationPack {
	s := storedOrganizationPack{DeliveryBucket: o.DeliveryBucket, DeliveryPrefix: o.DeliveryPrefix, Excluded: o.Excluded}
	if o.Parameters != nil {
		s.Parameters = collect(o.Parameters, func(v config.PackParameter) storedValue { return storedValue(v) })
	}
	return s
}

func (s storedOrganizationPack) toOrganizationPack() config.OrganizationPack {
	return organizationPackForm(config.OrganizationDeployment{}, s)
}

func organizationPackForm(o config.OrganizationDeployment, s storedOrganizationPack) config.OrganizationPack {
	o.Excluded = s.Excluded
	p := config.OrganizationPack{OrganizationDeployment: o, DeliveryBucket: s.DeliveryBucket, DeliveryPrefix: s.DeliveryPrefix}
	if s.Parameters != nil {
		p.Parameters = collect(s.Parameters, func(v storedValue) config.PackParameter { return config.PackParameter(v) })
	}
	return p
}

// PutOrganizationPack keeps an organization's conformance pack under its name,
// with its template.
func PutOrganizationPack(ctx context.Context, tx *db.Tx, o config.OrganizationPack, template string) error {
	if err := putDeployment(ctx, tx, o.OrganizationDeployment, fromOrganizationPack(o)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO organization_deployment_template (deployment, body)
		VALUES ((SELECT id FROM organization_deployment WHERE arn = ?), ?) ON CONFLICT (deployment) DO UPDATE SET body = excluded.body`, o.ARN, template)
	if err != nil {
		return fmt.Errorf("put the template of organization pack %s: %w", o.Name, err)
	}
	return nil
}

// OrganizationPack returns an organization's conformance pack by its name, or
// ErrNotFound.
func OrganizationPack(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationPack, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.OrganizationPack{}, err
	}
	return oneOf(scanDeployments(ctx, tx, organizationPackForm, `o.place = ? AND o.kind = ? AND o.name = ?`, place, string(config.DeployedPack), name))
}

// OrganizationPackByARN is OrganizationPack by its ARN.
func OrganizationPackByARN(ctx context.Context, tx *db.Tx, arn string) (config.OrganizationPack, error) {
	return oneOf(scanDeployments(ctx, tx, organizationPackForm, `o.arn = ?`, arn))
}

// OrganizationPacks returns the organization packs of a place after a name, in
// byte order of their names.
func OrganizationPacks(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.OrganizationPack, error) {
	return deploymentsAfter(ctx, tx, organizationPackForm, p, config.DeployedPack, after, limit)
}

// OrganizationPackTemplate returns the template that an organization pack was last
// put with.
func OrganizationPackTemplate(ctx context.Context, tx *db.Tx, arn string) (body string, err error) {
	err = tx.QueryRow(ctx, `SELECT t.body FROM organization_deployment o JOIN organization_deployment_template t ON t.deployment = o.id
		WHERE o.arn = ?`, arn).Scan(&body)
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read the template of %s: %w", arn, err)
	}
	return body, nil
}
