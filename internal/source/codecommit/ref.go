package codecommit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit/git"
)

const (
	heads = "refs/heads/"
	tags  = "refs/tags/"
)

// Refs returns the references of a repository by name.
func Refs(ctx context.Context, tx *db.Tx, repository string) (out []git.Ref, err error) {
	err = db.Each(ctx, tx, func(row func(...any) error) error {
		var r git.Ref
		err := row(&r.Name, &r.ID, &r.Target)
		out = append(out, r)
		return err
	}, `SELECT name, id, target FROM codecommit_ref WHERE repository = ? ORDER BY name`, repository)
	return out, err
}

// FindRef returns a reference; there is false if it is not there.
func FindRef(ctx context.Context, tx *db.Tx, repository, name string) (r git.Ref, there bool, err error) {
	r.Name = name
	err = tx.QueryRow(ctx, `SELECT id, target FROM codecommit_ref WHERE repository = ? AND name = ?`, repository, name).Scan(&r.ID, &r.Target)
	if errors.Is(err, db.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Branch returns the commit at the tip of a branch, or the error BranchDoesNotExistException.
func Branch(ctx context.Context, tx *db.Tx, repository, name string) (string, error) {
	if err := CheckBranch(name); err != nil {
		return "", err
	}
	r, there, err := FindRef(ctx, tx, repository, heads+name)
	if err == nil && !there {
		err = api.BranchDoesNotExistException("Branch %s does not exist", name)
	}
	return r.ID, err
}

// CheckBranch returns InvalidBranchNameException for what no branch is called.
func CheckBranch(name string) error {
	if len(name) > 256 || !git.ValidRef(heads+name) {
		return api.InvalidBranchNameException("%s is not a valid branch name", name)
	}
	return nil
}

// An Update is a change of references, with the objects that it needs.
type Update struct {
	Commands []git.Command
	Objects  []git.Object
	Atomic   bool
	targets  map[string]git.Object // what the new ids lead to, by id
}

// prepare reads what the update leads to.
func (u *Update) prepare(s git.Source) error {
	u.targets = map[string]git.Object{}
	from := freshWith(u.Objects, s)
	for _, c := range u.Commands {
		if c.New == git.Zero {
			continue
		}
		o, err := git.Peel(from, c.New)
		if errors.Is(err, git.ErrNone) {
			continue // it is refused for that
		}
		if err != nil {
			return err
		}
		o.Zlib = nil
		u.targets[c.New] = o
	}
	return nil
}

// Apply does an update, and says of each command that was not done why. What the commands
// need is written with them, and nothing if none is done. Triggers are told by jobs.
func (r *Repositories) Apply(ctx context.Context, tx *db.Tx, x Repository, u Update) (refused map[string]string, err error) {
	if err := lock(ctx, tx, x.Place); err != nil {
		return nil, err
	}
	prepared := x.ID
	x, err = Find(ctx, tx, x.Place, x.Name)
	if err == nil && x.ID != prepared { // another one is called so by now, without the objects
		err = api.RepositoryDoesNotExistException("%s does not exist", x.Name)
	}
	if err != nil {
		return nil, err
	}
	list, err := Refs(ctx, tx, x.ID)
	if err != nil {
		return nil, err
	}
	s := state{x, map[string]git.Ref{}}
	for _, ref := range list {
		s.refs[ref.Name] = ref
	}
	refused = map[string]string{}
	var done []change
	seen := map[string]bool{}
	for _, c := range u.Commands {
		reason := s.refuses(c, u.targets)
		if seen[c.Ref] {
			reason = "it is named twice"
		}
		seen[c.Ref] = true
		if reason != "" {
			refused[c.Ref] = reason
			continue
		}
		done = append(done, s.change(c, u.targets))
	}
	if u.Atomic && len(refused) > 0 {
		for _, c := range done {
			refused[c.ref] = "atomic push failed"
		}
		done = nil
	}
	if len(done) == 0 {
		return refused, nil
	}
	return refused, r.write(ctx, tx, s.Repository, u.Objects, done)
}

// A change is one of a reference.
type change struct {
	ref          string
	before, now  git.Ref // without an id where there is none
	isNew, isEnd bool
}

// A state is a repository while references change.
type state struct {
	Repository
	refs map[string]git.Ref
}

// refuses returns why a command is not done; nothing if it is.
func (s *state) refuses(c git.Command, targets map[string]git.Object) string {
	before, there := s.refs[c.Ref]
	if !there {
		before.ID = git.Zero
	}
	target, known := targets[c.New]
	switch {
	case !git.ValidRef(c.Ref):
		return "funny refname"
	case before.ID != c.Old:
		return "the reference has changed: fetch first"
	case c.New == git.Zero && c.Ref == heads+s.DefaultBranch:
		return "the default branch cannot be deleted"
	case c.New == git.Zero:
		return ""
	case !known:
		return "its object is missing"
	case strings.HasPrefix(c.Ref, heads) && (target.Kind != git.Commit || target.ID != c.New):
		return "a branch names a commit"
	case strings.HasPrefix(c.Ref, heads) && len(c.Ref) > len(heads)+256:
		return "its name is too long"
	}
	if !there {
		for name := range s.refs {
			if strings.HasPrefix(name, c.Ref+"/") || strings.HasPrefix(c.Ref, name+"/") {
				return "it conflicts with " + name
			}
		}
	}
	return ""
}

// change notes a command that is done. The first branch of a repository is the default one.
func (s *state) change(c git.Command, targets map[string]git.Object) change {
	out := change{ref: c.Ref, before: s.refs[c.Ref], isNew: c.Old == git.Zero, isEnd: c.New == git.Zero}
	if out.isEnd {
		delete(s.refs, c.Ref)
		return out
	}
	out.now = git.Ref{Name: c.Ref, ID: c.New, Target: targets[c.New].ID}
	s.refs[c.Ref] = out.now
	if name, ok := strings.CutPrefix(c.Ref, heads); ok && s.DefaultBranch == "" {
		s.DefaultBranch = name
	}
	return out
}

func (r *Repositories) write(ctx context.Context, tx *db.Tx, x Repository, list []git.Object, done []change) error {
	if err := keep(ctx, tx, x.ID, list); err != nil {
		return err
	}
	for _, c := range done {
		query, args := `DELETE FROM codecommit_ref WHERE repository = ? AND name = ?`, []any{x.ID, c.ref}
		if !c.isEnd {
			query = `INSERT INTO codecommit_ref (repository, name, id, target) VALUES (?, ?, ?, ?)
				ON CONFLICT (repository, name) DO UPDATE SET id = excluded.id, target = excluded.target`
			args = append(args, c.now.ID, c.now.Target)
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("write reference %s: %w", c.ref, err)
		}
	}
	x.Changed = r.now()
	if err := save(ctx, tx, x); err != nil {
		return err
	}
	return r.happened(ctx, tx, x, caller.From(ctx), done)
}

// Do prepares an update and applies it: for one command, whose refusal is an error.
func (r *Repositories) Do(ctx context.Context, x Repository, c git.Command, list []git.Object) error {
	u := Update{Commands: []git.Command{c}, Objects: list}
	if err := u.prepare(r.objectsOf(ctx, x.ID)); err != nil {
		return err
	}
	var refused map[string]string
	err := r.db.Write(ctx, func(tx *db.Tx) (err error) {
		refused, err = r.Apply(ctx, tx, x, u)
		return err
	})
	if err == nil && refused[c.Ref] != "" {
		return Refused(refused[c.Ref])
	}
	return err
}

// Refused is why a reference was not changed.
type Refused string

func (r Refused) Error() string { return string(r) }
