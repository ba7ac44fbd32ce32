package stack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/template"
)

var exportName = regexp.MustCompile(`^[A-Za-z0-9:-]{1,255}$`)

// giveBack sets the outputs of a stack and what others may import. failure says
// why that cannot be.
func (s *Stacks) giveBack(ctx context.Context, tx *db.Tx, st *Stack, rows []Resource, plan *planned) (failure string, err error) {
	list, err := plan.Outputs(attributes(rows))
	if named, ok := errors.AsType[*template.Error](err); ok {
		return named.Error(), nil
	}
	if err != nil {
		return "", err
	}
	if err := lockNames(ctx, tx, st.Place); err != nil {
		return "", err
	}
	wanted := map[string]string{}
	st.Outputs = nil
	for _, o := range list {
		st.Outputs = append(st.Outputs, Output{Name: o.Name, Value: o.Value, Description: o.Description, Export: o.Export})
		if o.Export == "" {
			continue
		}
		if !exportName.MatchString(o.Export) {
			return fmt.Sprintf("Template format error: Export names must be alphanumeric, colons, or hyphens: %.300q", o.Export), nil
		}
		if _, twice := wanted[o.Export]; twice {
			return fmt.Sprintf("Template format error: Export with name %s is specified by more than one output.", o.Export), nil
		}
		wanted[o.Export] = o.Value
	}
	present, err := exports(ctx, tx, st.Place, "", 0)
	if err != nil {
		return "", err
	}
	for _, e := range present {
		v, again := wanted[e.Name]
		switch {
		case e.Stack != st.ID && again:
			return fmt.Sprintf("Export with name %s is already exported by stack %s. Rollback requested by user.", e.Name, nameOf(e.Stack)), nil
		case e.Stack != st.ID || again && v == e.Value:
			delete(wanted, e.Name)
			continue
		}
		if failure, err := inUse(ctx, tx, e, again); failure != "" || err != nil {
			return failure, err
		}
		if !again {
			if _, err := tx.Exec(ctx, `DELETE FROM stack_export WHERE account = ? AND region = ? AND name = ?`, st.Account, st.Region, e.Name); err != nil {
				return "", err
			}
		}
	}
	for name, value := range wanted {
		_, err := tx.Exec(ctx, `INSERT INTO stack_export (account, region, name, stack, value) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (account, region, name) DO UPDATE SET value = excluded.value`, st.Account, st.Region, name, st.ID, value)
		if err != nil {
			return "", err
		}
	}
	if err := s.keepImports(ctx, tx, *st, rows); err != nil {
		return "", err
	}
	return "", s.imports(ctx, tx, *st, plan.used)
}

// inUse says which stack uses an export that is to change or to go.
func inUse(ctx context.Context, tx *db.Tx, e Export, stays bool) (failure string, err error) {
	users, err := Imports(ctx, tx, e.Place, e.Name, "", 1)
	if err != nil || len(users) == 0 {
		return "", err
	}
	if stays {
		return fmt.Sprintf("Export %s cannot be updated as it is in use by %s", e.Name, users[0]), nil
	}
	return fmt.Sprintf("Export %s cannot be deleted as it is in use by %s", e.Name, users[0]), nil
}

// imports notes that a stack uses exports: they stay as long as it does.
func (s *Stacks) imports(ctx context.Context, tx *db.Tx, st Stack, names []string) error {
	for _, name := range names {
		_, err := tx.Exec(ctx, `INSERT INTO stack_import (account, region, name, stack) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, region, name, stack) DO NOTHING`, st.Account, st.Region, name, st.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// keepImports lets go of the exports that a stack no longer uses.
func (s *Stacks) keepImports(ctx context.Context, tx *db.Tx, st Stack, rows []Resource) error {
	if _, err := tx.Exec(ctx, `DELETE FROM stack_import WHERE stack = ?`, st.ID); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Generation != 0 {
			continue
		}
		if err := s.imports(ctx, tx, st, r.Imports); err != nil {
			return err
		}
	}
	return nil
}

// An Export is an output that others may import.
type Export struct {
	config.Place
	Name, Value, Stack string
}

// exports lists the exports of a place by name, after one of them; all if limit
// is 0.
func exports(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) (out []Export, err error) {
	query, args := `SELECT name, value, stack FROM stack_export WHERE account = ? AND region = ? AND name > ? ORDER BY name`, []any{p.Account, p.Region, after}
	if limit > 0 {
		query, args = query+` LIMIT ?`, append(args, limit)
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		e := Export{Place: p}
		err := scan(&e.Name, &e.Value, &e.Stack)
		out = append(out, e)
		return err
	}, query, args...)
	return out, err
}

// Imports lists the names of the stacks that use an export, after one of them.
func Imports(ctx context.Context, tx *db.Tx, p config.Place, export, after string, limit int) (out []string, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		out = append(out, name)
		return err
	}, `SELECT DISTINCT s.name FROM stack_import i JOIN stack s ON s.id = i.stack
		WHERE i.account = ? AND i.region = ? AND i.name = ? AND s.name > ? ORDER BY s.name LIMIT ?`, p.Account, p.Region, export, after, limit)
	return out, err
}

// mayGo refuses to delete a stack whose exports others use.
func mayGo(ctx context.Context, tx *db.Tx, st Stack) error {
	list, err := exports(ctx, tx, st.Place, "", 0)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(e Export) bool { return e.Stack != st.ID })
	for _, e := range list {
		failure, err := inUse(ctx, tx, e, false)
		if err != nil {
			return err
		}
		if failure != "" {
			return Invalid("%s", failure)
		}
	}
	return nil
}

// forget removes what a stack that is deleted no longer has.
func (s *Stacks) forget(ctx context.Context, tx *db.Tx, st Stack) error {
	if err := lockNames(ctx, tx, st.Place); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM stack_export WHERE stack = ?`, `DELETE FROM stack_import WHERE stack = ?`, `DELETE FROM stack_change_set WHERE stack = ?`,
		`DELETE FROM stack_answer WHERE stack = ?`,
		`DELETE FROM stack_template WHERE stack = ? AND slot <> 'now'`,
	} {
		if _, err := tx.Exec(ctx, statement, st.ID); err != nil {
			return err
		}
	}
	return nil
}
