package organization

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
)

// A Unit is an organizational unit.
type Unit struct{ ID, Parent, Name string }

const (
	maxUnits = 2000
	maxDepth = 5
)

var errNoParent = errors.New("no such root or unit")

// parentExists returns errNoParent for what is neither the root nor a unit.
func parentExists(ctx context.Context, tx *db.Tx, o Organization, id string) error {
	if id == o.Root {
		return nil
	}
	units, err := scanUnits(ctx, tx, `organization = ? AND id = ?`, o.ID, id)
	if err == nil && len(units) == 0 {
		err = errNoParent
	}
	return err
}

// Parent returns ParentNotFoundException for what is neither the root nor a unit.
func Parent(ctx context.Context, tx *db.Tx, o Organization, id string) error {
	err := parentExists(ctx, tx, o, id)
	if errors.Is(err, errNoParent) {
		err = organizationsapi.ParentNotFoundException("You specified parent that doesn't exist.")
	}
	return err
}

// FindUnit returns a unit, or OrganizationalUnitNotFoundException.
func FindUnit(ctx context.Context, tx *db.Tx, o Organization, id string) (Unit, error) {
	units, err := scanUnits(ctx, tx, `organization = ? AND id = ?`, o.ID, id)
	if err == nil && len(units) == 0 {
		return Unit{}, organizationsapi.OrganizationalUnitNotFoundException("You specified an organizational unit that doesn't exist.")
	}
	if err != nil {
		return Unit{}, err
	}
	return units[0], nil
}

// Units returns the units right below a parent after one, in the order of their
// ids.
func Units(ctx context.Context, tx *db.Tx, o Organization, parent, after string, limit int) ([]Unit, error) {
	return scanUnits(ctx, tx, `organization = ? AND parent = ? AND id > ? ORDER BY id LIMIT ?`, o.ID, parent, after, limit)
}

func scanUnits(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Unit, error) {
	var out []Unit
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var u Unit
		err := scan(&u.ID, &u.Parent, &u.Name)
		out = append(out, u)
		return err
	}, `SELECT id, parent, name FROM organization_unit WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read organizational units: %w", err)
	}
	return out, nil
}

// CreateUnit makes a unit below a parent.
func (s *Organizations) CreateUnit(ctx context.Context, tx *db.Tx, o Organization, parent, name string, tags map[string]string) (Unit, error) {
	u := Unit{ID: "ou-" + strings.TrimPrefix(o.Root, "r-") + "-" + newID(8), Parent: parent, Name: name}
	if err := tx.Lock(ctx, "units of "+o.ID); err != nil {
		return u, err
	}
	if err := Parent(ctx, tx, o, parent); err != nil {
		return u, err
	}
	if err := checkUnit(ctx, tx, o, u); err != nil {
		return u, err
	}
	if err := nameIsFree(ctx, tx, o, u); err != nil {
		return u, err
	}
	_, err := tx.Exec(ctx, `INSERT INTO organization_unit (organization, id, parent, name) VALUES (?, ?, ?, ?)`, o.ID, u.ID, u.Parent, u.Name)
	if err != nil {
		return u, fmt.Errorf("create unit %s: %w", u.Name, err)
	}
	return u, PutTags(ctx, tx, o, u.ID, tags)
}

// checkUnit checks how many units there are, and how deep the new one is.
func checkUnit(ctx context.Context, tx *db.Tx, o Organization, u Unit) error {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM organization_unit WHERE organization = ?`, o.ID).Scan(&n); err != nil {
		return fmt.Errorf("count units: %w", err)
	}
	if n >= maxUnits {
		return violation("OU_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of OUs, %d.", maxUnits)
	}
	depth := 1
	for at := u.Parent; at != o.Root; depth++ {
		above, err := FindUnit(ctx, tx, o, at)
		if err != nil {
			return err
		}
		at = above.Parent
	}
	if depth > maxDepth {
		return violation("OU_DEPTH_LIMIT_EXCEEDED", "You have exceeded the allowed depth of the OU tree, %d.", maxDepth)
	}
	return nil
}

func nameIsFree(ctx context.Context, tx *db.Tx, o Organization, u Unit) error {
	same, err := scanUnits(ctx, tx, `organization = ? AND parent = ? AND name = ?`, o.ID, u.Parent, u.Name)
	if err == nil && len(same) > 0 && same[0].ID != u.ID {
		err = organizationsapi.DuplicateOrganizationalUnitException("An OU with the same name already exists.")
	}
	return err
}

// RenameUnit gives a unit another name.
func (s *Organizations) RenameUnit(ctx context.Context, tx *db.Tx, o Organization, id, name string) (Unit, error) {
	if err := tx.Lock(ctx, "units of "+o.ID); err != nil {
		return Unit{}, err
	}
	u, err := FindUnit(ctx, tx, o, id)
	if err != nil || name == "" {
		return u, err
	}
	u.Name = name
	if err := nameIsFree(ctx, tx, o, u); err != nil {
		return u, err
	}
	_, err = tx.Exec(ctx, `UPDATE organization_unit SET name = ? WHERE organization = ? AND id = ?`, name, o.ID, id)
	return u, err
}

// DeleteUnit forgets a unit that has nothing below it.
func (s *Organizations) DeleteUnit(ctx context.Context, tx *db.Tx, o Organization, id string) error {
	if err := tx.Lock(ctx, "units of "+o.ID); err != nil {
		return err
	}
	u, err := FindUnit(ctx, tx, o, id)
	if err != nil {
		return err
	}
	units, err := Units(ctx, tx, o, u.ID, "", 1)
	if err != nil {
		return err
	}
	accounts, err := Accounts(ctx, tx, o, u.ID, "", 1)
	if err != nil {
		return err
	}
	if len(units)+len(accounts) > 0 {
		return organizationsapi.OrganizationalUnitNotEmptyException("The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try again.")
	}
	if _, err := tx.Exec(ctx, `DELETE FROM organization_unit WHERE organization = ? AND id = ?`, o.ID, u.ID); err != nil {
		return fmt.Errorf("delete unit %s: %w", u.ID, err)
	}
	return DeleteTags(ctx, tx, o, u.ID, nil)
}
