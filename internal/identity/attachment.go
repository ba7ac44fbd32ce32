package identity

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

// maxAttached is how many managed policies one identity may have.
const maxAttached = 10

var attachedQuotas = map[Kind]string{Role: "PoliciesPerRole", User: "PoliciesPerUser", Group: "PoliciesPerGroup"}

// Attach gives an identity a managed policy. One that it has is no error.
func (s *Store) Attach(ctx context.Context, tx *db.Tx, account string, kind Kind, name, policyARN string) error {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	if err := attachable(ctx, tx, account, policyARN); err != nil {
		return err
	}
	return s.attach(ctx, tx, e, policyARN)
}

func (s *Store) attach(ctx context.Context, tx *db.Tx, e Entity, policyARN string) error {
	has, err := Attached(ctx, tx, e)
	if err != nil {
		return err
	}
	for _, p := range has {
		if p == policyARN {
			return nil
		}
	}
	if len(has) >= maxAttached {
		return exceeded(attachedQuotas[e.Kind], maxAttached)
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_attachment (account, kind, owner, policy) VALUES (?, ?, ?, ?)`, e.Account, e.Kind, e.folded(), policyARN)
	if err != nil {
		return fmt.Errorf("attach %s to %s %s: %w", policyARN, e.Kind, e.Name, err)
	}
	return s.changedWithPolicy(ctx, tx, e, policyARN)
}

// changedWithPolicy tells of an identity and of the policy, which counts by how
// many it is used.
func (s *Store) changedWithPolicy(ctx context.Context, tx *db.Tx, e Entity, policyARN string) error {
	if err := s.changed(ctx, tx, e); err != nil {
		return err
	}
	p, err := FindPolicy(ctx, tx, e.Account, policyARN)
	if isMissing(err) || err == nil && p.Account != e.Account {
		return nil
	}
	if err != nil {
		return err
	}
	return s.changed(ctx, tx, p)
}

// Detach takes a managed policy from an identity.
func (s *Store) Detach(ctx context.Context, tx *db.Tx, account string, kind Kind, name, policyARN string) error {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM identity_attachment WHERE account = ? AND kind = ? AND owner = ? AND policy = ?`, account, kind, e.folded(), policyARN)
	if err != nil {
		return fmt.Errorf("detach %s from %s %s: %w", policyARN, kind, name, err)
	}
	if n == 0 {
		return missing(Policy, policyARN)
	}
	return s.changedWithPolicy(ctx, tx, e, policyARN)
}

// Attached returns the ARNs of an identity's managed policies, in order.
func Attached(ctx context.Context, tx *db.Tx, e Entity) ([]string, error) {
	out, err := texts(ctx, tx, `SELECT policy FROM identity_attachment WHERE account = ? AND kind = ? AND owner = ? ORDER BY policy`, e.Account, e.Kind, e.folded())
	if err != nil {
		return nil, fmt.Errorf("read the policies of %s %s: %w", e.Kind, e.Name, err)
	}
	return out, nil
}

func texts(ctx context.Context, tx *db.Tx, query string, args ...any) (out []string, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		out = append(out, text)
		return err
	}, query, args...)
	return out, err
}

// UsersOfPolicy returns the identities of a kind that have a policy attached, or are
// bounded by it.
func UsersOfPolicy(ctx context.Context, tx *db.Tx, account, policyARN string, kind Kind, bounded bool) ([]Entity, error) {
	query := `SELECT ` + columns + ` FROM identity WHERE account = ? AND kind = ? AND folded IN
		(SELECT owner FROM identity_attachment a WHERE a.account = identity.account AND a.policy = ? AND a.kind = identity.kind) ORDER BY folded`
	if bounded {
		query = `SELECT ` + columns + ` FROM identity WHERE account = ? AND kind = ? AND bounded = ? ORDER BY folded`
	}
	return entities(ctx, tx, query, account, kind, policyARN)
}

func entities(ctx context.Context, tx *db.Tx, query string, args ...any) ([]Entity, error) {
	var out []Entity
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		e, err := scanEntity(scan)
		out = append(out, e)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	return out, nil
}

// An Inline is a policy that belongs to one identity.
type Inline struct{ Name, Document string }

// PutInline gives an identity an inline policy, or another document to one.
func (s *Store) PutInline(ctx context.Context, tx *db.Tx, account string, kind Kind, name string, p Inline) error {
	if err := CheckDocument(p.Document); err != nil {
		return err
	}
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	all, err := Inlines(ctx, tx, e)
	if err != nil {
		return err
	}
	size := sizeOf(p.Document)
	for _, other := range all {
		if other.Name != p.Name {
			size += sizeOf(other.Document)
		}
	}
	if limit := inlineSizes[kind]; size > limit {
		return iamapi.LimitExceededException("Maximum policy size of %d bytes exceeded for %s %s", limit, kind, e.Name)
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_inline (account, kind, owner, name, document) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, kind, owner, name) DO UPDATE SET document = excluded.document`, account, kind, e.folded(), p.Name, p.Document)
	if err != nil {
		return fmt.Errorf("write policy %s of %s %s: %w", p.Name, kind, name, err)
	}
	return s.changed(ctx, tx, e)
}

func noInline(kind Kind, name string) error {
	return iamapi.NoSuchEntityException("The %s policy with name %s cannot be found.", kind, name)
}

// FindInline returns an inline policy.
func FindInline(ctx context.Context, tx *db.Tx, e Entity, name string) (Inline, error) {
	p := Inline{Name: name}
	err := tx.QueryRow(ctx, `SELECT document FROM identity_inline WHERE account = ? AND kind = ? AND owner = ? AND name = ?`,
		e.Account, e.Kind, e.folded(), name).Scan(&p.Document)
	if errors.Is(err, db.ErrNoRows) {
		return p, noInline(e.Kind, name)
	}
	if err != nil {
		return p, fmt.Errorf("read policy %s of %s %s: %w", name, e.Kind, e.Name, err)
	}
	return p, nil
}

// Inlines returns an identity's inline policies by name.
func Inlines(ctx context.Context, tx *db.Tx, e Entity) ([]Inline, error) {
	var out []Inline
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p Inline
		err := scan(&p.Name, &p.Document)
		out = append(out, p)
		return err
	}, `SELECT name, document FROM identity_inline WHERE account = ? AND kind = ? AND owner = ? ORDER BY name`, e.Account, e.Kind, e.folded())
	if err != nil {
		return nil, fmt.Errorf("read the inline policies of %s %s: %w", e.Kind, e.Name, err)
	}
	return out, nil
}

// DeleteInline removes an inline policy.
func (s *Store) DeleteInline(ctx context.Context, tx *db.Tx, account string, kind Kind, name, policy string) error {
	e, err := s.open(ctx, tx, account, kind, name)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM identity_inline WHERE account = ? AND kind = ? AND owner = ? AND name = ?`, account, kind, e.folded(), policy)
	if err != nil {
		return fmt.Errorf("delete policy %s of %s %s: %w", policy, kind, name, err)
	}
	if n == 0 {
		return noInline(kind, policy)
	}
	return s.changed(ctx, tx, e)
}
