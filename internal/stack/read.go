package stack

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
)

// A Listing selects stacks of a place, the newest first.
type Listing struct {
	config.Place
	Deleted  bool // those that were deleted, too
	Statuses []string
	Before   Position
	Limit    int
}

// A Position is where a stack stands in the list.
type Position struct {
	Created time.Time
	ID      string
}

// kept is how long a stack that was deleted can be seen, as with AWS.
const kept = 90 * 24 * time.Hour

// List lists stacks.
func (s *Stacks) List(ctx context.Context, l Listing) (out []Stack, err error) {
	where, args := `account = ? AND region = ?`, []any{l.Account, l.Region}
	if !l.Deleted {
		where += ` AND live`
	}
	if len(l.Statuses) > 0 {
		in, values := db.In(l.Statuses)
		where, args = where+` AND status IN `+in, append(args, values...)
	}
	if l.Before.ID != "" {
		where, args = where+` AND (created, id) < (?, ?)`, append(args, db.Micros(l.Before.Created), l.Before.ID)
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			st, err := scanStack(scan)
			if !st.Gone() || s.Now().Sub(st.Deleted) < kept {
				out = append(out, st)
			}
			return err
		}, `SELECT `+stackColumns+` FROM stack WHERE `+where+` ORDER BY created DESC, id DESC LIMIT ?`, append(args, l.Limit)...)
	})
	return out, err
}

// Events returns up to limit events of a stack, the newest first, before one of
// them.
func (s *Stacks) Events(ctx context.Context, p config.Place, name string, before int64, limit int) (st Stack, out []Event, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if st, err = find(ctx, tx, p, name); err != nil {
			return err
		}
		out, err = events(ctx, tx, st.ID, before, limit)
		return err
	})
	if errors.Is(err, errNotFound) {
		err = Invalid("Stack [%s] does not exist", name)
	}
	return st, out, err
}

// Resources returns the resources that a stack has, by their logical ids.
func (s *Stacks) Resources(ctx context.Context, p config.Place, name string) (st Stack, out []Resource, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if st, err = find(ctx, tx, p, name); err != nil {
			return err
		}
		out, err = resourcesOf(ctx, tx, st.ID)
		return err
	})
	out = slices.DeleteFunc(out, func(r Resource) bool { return r.Generation > 0 || r.Status == "" })
	return st, out, missing(err, name)
}

// Holder returns the stack that a physical resource is in.
func (s *Stacks) Holder(ctx context.Context, p config.Place, physical string) (st Stack, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := resourcesWhere(ctx, tx, `account = ? AND region = ? AND physical = ? AND generation = 0`, p.Account, p.Region, physical)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if st, err = byID(ctx, tx, r.Stack); err != nil || !st.Gone() {
				return err
			}
		}
		return errNotFound
	})
	if errors.Is(err, errNotFound) {
		err = Invalid("Stack for %s does not exist", physical)
	}
	return st, err
}

// TemplateOf returns the template of a stack, or of one of its change sets, with the
// parameters that it is read with.
func (s *Stacks) TemplateOf(ctx context.Context, w Who, name, changeSet string) (text string, given []Parameter, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if changeSet != "" {
			set, st, err := findChangeSet(ctx, tx, w, name, changeSet)
			if err == nil {
				given = set.Parameters
				text, err = templateOf(ctx, tx, st.ID, set.ID)
			}
			return err
		}
		st, err := find(ctx, tx, w.Place, name)
		if err != nil {
			return missing(err, name)
		}
		given = st.Parameters
		for _, slot := range []string{present, coming} {
			if text, err = templateOf(ctx, tx, st.ID, slot); err != nil || text != "" {
				return err
			}
		}
		return nil
	})
	return text, given, err
}

// Exports lists what is exported in a place, by name, after one of them.
func (s *Stacks) Exports(ctx context.Context, p config.Place, after string, limit int) (out []Export, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = exports(ctx, tx, p, after, limit)
		return err
	})
	return out, err
}

// Importers lists the names of the stacks that use an export, after one of them.
func (s *Stacks) Importers(ctx context.Context, p config.Place, export, after string, limit int) (out []string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = Imports(ctx, tx, p, export, after, limit)
		return err
	})
	return out, err
}

// Holds reports whether a request that names a stack or a change set is about one
// of this server's.
func (s *Stacks) Holds(ctx context.Context, p config.Place, name string) (held bool, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := find(ctx, tx, p, name)
		if errors.Is(err, errNotFound) && strings.Contains(name, ":changeSet/") {
			_, _, err = findChangeSet(ctx, tx, Who{Place: p}, "", name)
			if _, named := errors.AsType[*model.Error](err); named {
				return nil
			}
		}
		if errors.Is(err, errNotFound) {
			return nil
		}
		held = err == nil
		return err
	})
	return held, err
}
