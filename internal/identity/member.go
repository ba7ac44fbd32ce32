package identity

import (
	"context"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

// memberOf says what a group or an instance profile has.
var memberOf = map[Kind]Kind{Group: User, Profile: Role}

const maxGroups = 10

// Join puts a user into a group, or a role into an instance profile. A user who is
// in the group is no error; a profile has room for one role.
func (s *Store) Join(ctx context.Context, tx *db.Tx, account string, kind Kind, owner, member string) error {
	o, m, err := s.pair(ctx, tx, account, kind, owner, member)
	if err != nil {
		return err
	}
	has, of := `SELECT count(*) FROM identity_member WHERE account = ? AND kind = ? AND owner = ?`, o.folded()
	if kind == Group {
		has, of = `SELECT count(*) FROM identity_member WHERE account = ? AND kind = ? AND member = ?`, m.folded()
	}
	var n, already int
	if err := tx.QueryRow(ctx, has, account, kind, of).Scan(&n); err != nil {
		return fmt.Errorf("count the members of %s: %w", owner, err)
	}
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM identity_member WHERE account = ? AND kind = ? AND owner = ? AND member = ?`,
		account, kind, o.folded(), m.folded()).Scan(&already); err != nil {
		return fmt.Errorf("look for %s in %s: %w", member, owner, err)
	}
	switch {
	case kind == Profile && n > 0:
		return exceeded("InstanceSessionsPerInstanceProfile", 1)
	case already > 0:
		return nil
	case n >= maxGroups:
		return exceeded("GroupsPerUser", maxGroups)
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_member (account, kind, owner, member) VALUES (?, ?, ?, ?)`, account, kind, o.folded(), m.folded())
	if err != nil {
		return fmt.Errorf("put %s into %s: %w", member, owner, err)
	}
	return s.changedBoth(ctx, tx, o, m)
}

// Leave takes a user out of a group, or a role out of an instance profile.
func (s *Store) Leave(ctx context.Context, tx *db.Tx, account string, kind Kind, owner, member string) error {
	o, m, err := s.pair(ctx, tx, account, kind, owner, member)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM identity_member WHERE account = ? AND kind = ? AND owner = ? AND member = ?`, account, kind, o.folded(), m.folded())
	switch {
	case err != nil:
		return fmt.Errorf("take %s out of %s: %w", member, owner, err)
	case n == 0 && kind == Profile:
		return iamapi.NoSuchEntityException("The role with name %s cannot be found.", member)
	case n == 0:
		return iamapi.NoSuchEntityException("User %s not in group %s", member, owner)
	}
	return s.changedBoth(ctx, tx, o, m)
}

func (s *Store) pair(ctx context.Context, tx *db.Tx, account string, kind Kind, owner, member string) (o, m Entity, err error) {
	if o, err = s.open(ctx, tx, account, kind, owner); err != nil {
		return o, m, err
	}
	m, err = s.open(ctx, tx, account, memberOf[kind], member)
	return o, m, err
}

func (s *Store) changedBoth(ctx context.Context, tx *db.Tx, o, m Entity) error {
	if err := s.changed(ctx, tx, o); err != nil {
		return err
	}
	return s.changed(ctx, tx, m)
}

// Members returns the users of a group, or the role of an instance profile.
func Members(ctx context.Context, tx *db.Tx, e Entity) ([]Entity, error) {
	return entities(ctx, tx, `SELECT `+columns+` FROM identity WHERE account = ? AND kind = ? AND folded IN
		(SELECT member FROM identity_member WHERE account = ? AND kind = ? AND owner = ?) ORDER BY folded`,
		e.Account, memberOf[e.Kind], e.Account, e.Kind, e.folded())
}

// Containers returns the groups of a user, or the instance profiles of a role.
func Containers(ctx context.Context, tx *db.Tx, kind Kind, e Entity) ([]Entity, error) {
	return entities(ctx, tx, `SELECT `+columns+` FROM identity WHERE account = ? AND kind = ? AND folded IN
		(SELECT owner FROM identity_member WHERE account = ? AND kind = ? AND member = ?) ORDER BY folded`,
		e.Account, kind, e.Account, kind, e.folded())
}
