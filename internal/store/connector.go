package store

import (
	"context"
	"fmt"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// ConnectorARN returns the ARN of a place's connector.
func ConnectorARN(p config.Place, name string) string {
	return arn.New("config", p.Region, p.Account, "connector/"+name).String()
}

// AddConnector keeps a new connector.
func AddConnector(ctx context.Context, tx *db.Tx, c config.Connector) error {
	place, err := makePlace(ctx, tx, c.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO connector (place, name, tenant, client, created) VALUES (?, ?, ?, ?, ?)`,
		place, c.Name, c.Tenant, c.Client, db.Micros(c.Created))
	if err != nil {
		return fmt.Errorf("add connector %s: %w", c.Name, err)
	}
	return nil
}

// LockConnectors has others wait that add or delete connectors of a place, or
// recorders that use them.
func LockConnectors(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "connectors of "+p.String())
}

// Connector returns a connector by its ARN, or ErrNotFound.
func Connector(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.Connector, error) {
	all, err := Connectors(ctx, tx, p, "", maxRows)
	if err != nil {
		return config.Connector{}, err
	}
	for _, c := range all {
		if c.ARN == name {
			return c, nil
		}
	}
	return config.Connector{}, ErrNotFound
}

// Connectors returns up to limit connectors of a place after a name, by name.
func Connectors(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.Connector, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	var out []config.Connector
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		c := config.Connector{Place: p}
		var created int64
		err := scan(&c.Name, &c.Tenant, &c.Client, &created)
		c.Created, c.ARN = db.Time(created), ConnectorARN(p, c.Name)
		out = append(out, c)
		return err
	}, `SELECT name, tenant, client, created FROM connector WHERE place = ? AND name > ? ORDER BY name LIMIT ?`, place, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read connectors of %s: %w", p, err)
	}
	return out, nil
}

// DeleteConnector forgets a connector.
func DeleteConnector(ctx context.Context, tx *db.Tx, c config.Connector) error {
	place, err := placeID(ctx, tx, c.Place)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM connector WHERE place = ? AND name = ?`, place, c.Name); err != nil {
		return fmt.Errorf("delete connector %s: %w", c.Name, err)
	}
	return nil
}
