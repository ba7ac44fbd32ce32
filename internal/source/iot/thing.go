package iot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/iotapi"
)

// maxAttributes is how many attributes a thing without a type has at most.
const maxAttributes = 50

// A Thing is the registry's entry of a device.
type Thing struct {
	config.Place
	Name       string
	ID         string
	Version    int64
	Attributes map[string]string
}

// ARN returns the thing's ARN.
func (t Thing) ARN() string { return arn.New("iot", t.Region, t.Account, "thing/"+t.Name).String() }

// FindThing returns a thing, or ResourceNotFoundException.
func FindThing(ctx context.Context, tx *db.Tx, p config.Place, name string) (Thing, error) {
	t := Thing{Place: p, Name: name}
	var attributes string
	err := tx.QueryRow(ctx, `SELECT id, version, attributes FROM iot_things WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name).
		Scan(&t.ID, &t.Version, &attributes)
	if errors.Is(err, db.ErrNoRows) {
		return t, iotapi.ResourceNotFoundException("Thing %s not found", name)
	}
	if err != nil {
		return t, fmt.Errorf("read thing %s: %w", name, err)
	}
	return t, json.Unmarshal([]byte(attributes), &t.Attributes)
}

// CreateThing makes a thing. The same one again is no error.
func (e *Engine) CreateThing(ctx context.Context, tx *db.Tx, t Thing) (Thing, error) {
	if err := tx.Lock(ctx, t.ARN()); err != nil {
		return t, err
	}
	old, err := FindThing(ctx, tx, t.Place, t.Name)
	switch {
	case err == nil && maps.Equal(old.Attributes, t.Attributes):
		return old, nil
	case err == nil:
		return t, iotapi.ResourceAlreadyExistsException("Thing %s already exists in account with different attributes", t.Name)
	case !isNotFound(err):
		return t, err
	}
	t.ID, t.Version = newID(), 1
	return t, writeThing(ctx, tx, t)
}

// ChangeThing lets f change a thing that has the version, 0 being any.
func (e *Engine) ChangeThing(ctx context.Context, tx *db.Tx, p config.Place, name string, version int64, f func(*Thing)) error {
	if err := tx.Lock(ctx, Thing{Place: p, Name: name}.ARN()); err != nil {
		return err
	}
	t, err := FindThing(ctx, tx, p, name)
	if err != nil {
		return err
	}
	if err := t.has(version); err != nil {
		return err
	}
	f(&t)
	t.Version++
	return writeThing(ctx, tx, t)
}

func (t Thing) has(version int64) error {
	if version != 0 && version != t.Version {
		return iotapi.VersionConflictException("The version for %s did not match the expected version.", t.Name)
	}
	return nil
}

// DeleteThing removes a thing that has the version, 0 being any. One that is not there
// is deleted.
func (e *Engine) DeleteThing(ctx context.Context, tx *db.Tx, p config.Place, name string, version int64) error {
	t, err := FindThing(ctx, tx, p, name)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.has(version); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM iot_things WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	return err
}

func writeThing(ctx context.Context, tx *db.Tx, t Thing) error {
	if len(t.Attributes) > maxAttributes {
		return invalid("A thing has up to %d attributes.", maxAttributes)
	}
	attributes, err := json.Marshal(t.Attributes)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO iot_things (account, region, name, id, version, attributes) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name) DO UPDATE SET version = excluded.version, attributes = excluded.attributes`,
		t.Account, t.Region, t.Name, t.ID, t.Version, string(attributes))
	if err != nil {
		return fmt.Errorf("write thing %s: %w", t.Name, err)
	}
	return nil
}

// Things lists things of a place by name, those after the given one.
func Things(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []Thing, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		t := Thing{Place: p}
		var attributes string
		if err := scan(&t.Name, &t.ID, &t.Version, &attributes); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(attributes), &t.Attributes)
		out = append(out, t)
		return err
	}, `SELECT name, id, version, attributes FROM iot_things WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
	return out, err
}
