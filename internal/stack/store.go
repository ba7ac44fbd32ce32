package stack

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// errNotFound says that there is no such stack, resource or change set.
var errNotFound = errors.New("not found")

const stackColumns = "id, account, region, name, status, parent, created, body"

func scanStack(scan func(...any) error) (s Stack, err error) {
	var created int64
	var body string
	if err := scan(&s.ID, &s.Account, &s.Region, &s.Name, &s.Status, &s.Parent, &created, &body); err != nil {
		return s, err
	}
	s.Created = db.Time(created)
	return s, fromStack(body, &s)
}

// find returns a stack by its ARN, or a live one by its name.
func find(ctx context.Context, tx *db.Tx, p config.Place, name string) (Stack, error) {
	where, args := `account = ? AND region = ? AND name = ? AND live`, []any{p.Account, p.Region, name}
	if nameOf(name) != name {
		where, args = `account = ? AND region = ? AND id = ?`, []any{p.Account, p.Region, name}
	}
	return oneStack(ctx, tx, where, args...)
}

func byID(ctx context.Context, tx *db.Tx, id string) (Stack, error) {
	return oneStack(ctx, tx, `id = ?`, id)
}

func oneStack(ctx context.Context, tx *db.Tx, where string, args ...any) (Stack, error) {
	s, err := scanStack(tx.QueryRow(ctx, `SELECT `+stackColumns+` FROM stack WHERE `+where, args...).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return s, errNotFound
	}
	return s, err
}

// lock makes those who change a stack wait for each other.
func lock(ctx context.Context, tx *db.Tx, id string) error { return tx.Lock(ctx, "stack "+id) }

// lockNames makes those who change names or exports of a place wait for each
// other.
func lockNames(ctx context.Context, tx *db.Tx, p config.Place) error {
	return tx.Lock(ctx, "stacks of "+p.String())
}

func putStack(ctx context.Context, tx *db.Tx, s Stack) error {
	body, err := toStack(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO stack (`+stackColumns+`, live) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body, live = excluded.live`,
		s.ID, s.Account, s.Region, s.Name, s.Status, s.Parent, db.Micros(s.Created), body, !s.Gone())
	if err != nil {
		return fmt.Errorf("keep stack %s: %w", s.ID, err)
	}
	return nil
}

// The slots of templates.
const (
	present = "now"
	coming  = "next"
)

func putTemplate(ctx context.Context, tx *db.Tx, stack, slot, text string) error {
	_, err := tx.Exec(ctx, `INSERT INTO stack_template (stack, slot, body) VALUES (?, ?, ?)
		ON CONFLICT (stack, slot) DO UPDATE SET body = excluded.body`, stack, slot, text)
	return err
}

// templateOf returns a template, empty if there is none in the slot.
func templateOf(ctx context.Context, tx *db.Tx, stack, slot string) (text string, err error) {
	err = tx.QueryRow(ctx, `SELECT body FROM stack_template WHERE stack = ? AND slot = ?`, stack, slot).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return text, err
}

func dropTemplate(ctx context.Context, tx *db.Tx, stack, slot string) error {
	_, err := tx.Exec(ctx, `DELETE FROM stack_template WHERE stack = ? AND slot = ?`, stack, slot)
	return err
}

const resourceColumns = "stack, id, generation, type, physical, state, status, body"

func scanResource(scan func(...any) error) (r Resource, err error) {
	var typ, physical, st, body string
	if err := scan(&r.Stack, &r.ID, &r.Generation, &typ, &physical, &st, &r.Status, &body); err != nil {
		return r, err
	}
	return r, fromResource(body, &r)
}

func resourcesWhere(ctx context.Context, tx *db.Tx, where string, args ...any) (out []Resource, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r, err := scanResource(scan)
		out = append(out, r)
		return err
	}, `SELECT `+resourceColumns+` FROM stack_resource WHERE `+where+` ORDER BY stack, id, generation`, args...)
	return out, err
}

// resourcesOf returns all resources of a stack, with those that updates left
// behind.
func resourcesOf(ctx context.Context, tx *db.Tx, stack string) ([]Resource, error) {
	return resourcesWhere(ctx, tx, `stack = ?`, stack)
}

func resourceOf(ctx context.Context, tx *db.Tx, stack, id string, generation int) (Resource, error) {
	list, err := resourcesWhere(ctx, tx, `stack = ? AND id = ? AND generation = ?`, stack, id, generation)
	if err == nil && len(list) == 0 {
		err = errNotFound
	}
	if err != nil {
		return Resource{}, err
	}
	return list[0], nil
}

func putResource(ctx context.Context, tx *db.Tx, s Stack, r Resource) error {
	body, err := toResource(r)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO stack_resource (`+resourceColumns+`, account, region) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (stack, id, generation) DO UPDATE SET type = excluded.type, physical = excluded.physical, state = excluded.state,
		status = excluded.status, body = excluded.body`,
		s.ID, r.ID, r.Generation, r.Type, r.Physical, string(r.State), r.Status, body, s.Account, s.Region)
	if err != nil {
		return fmt.Errorf("keep resource %s of %s: %w", r.ID, s.ID, err)
	}
	return nil
}

func dropResource(ctx context.Context, tx *db.Tx, r Resource) error {
	_, err := tx.Exec(ctx, `DELETE FROM stack_resource WHERE stack = ? AND id = ? AND generation = ?`, r.Stack, r.ID, r.Generation)
	return err
}
