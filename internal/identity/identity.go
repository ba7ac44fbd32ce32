package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iamapi"
)

// Options say what happens around the identities.
type Options struct {
	// Announce is told of every change of a role, user, group or policy, in its
	// transaction. The key's region is empty: they are in none. Nil is nobody.
	Announce func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error
}

// A Store is the identities of every account.
type Store struct {
	now func() time.Time
	o   Options
}

// New returns it.
func New(now func() time.Time, o Options) *Store { return &Store{now, o} }

// lock has the changes of an account's identities wait for each other.
func lock(ctx context.Context, tx *db.Tx, account string) error {
	return tx.Lock(ctx, "identities of "+account)
}

// Revision returns a number that grows with every change of an account's
// identities.
func Revision(ctx context.Context, tx *db.Tx, account string) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT revision FROM identity_account WHERE account = ?`, account).Scan(&n)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the revision of %s: %w", account, err)
	}
	return n, nil
}

func isMissing(err error) bool { return model.IsCode(err, "NoSuchEntity") }

// quotas are IAM's, with the names that its answers give them.
var quotas = map[Kind]struct {
	name string
	max  int
}{
	Role: {"RolesPerAccount", 1000}, User: {"UsersPerAccount", 5000}, Group: {"GroupsPerAccount", 300},
	Policy: {"PoliciesPerAccount", 1500}, Profile: {"InstanceProfilesPerAccount", 1000},
}

func exceeded(quota string, limit int) error {
	return iamapi.LimitExceededException("Cannot exceed quota for %s: %d", quota, limit)
}

func checkQuota(ctx context.Context, tx *db.Tx, e Entity) error {
	n, err := count(ctx, tx, e.Account, e.Kind)
	if q := quotas[e.Kind]; err == nil && n >= q.max {
		err = exceeded(q.name, q.max)
	}
	return err
}

const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return iamapi.LimitExceededException("The number of tags has reached the maximum limit.")
	}
	for k, v := range tags {
		switch {
		case k == "" || utf8.RuneCountInString(k) > 128 || utf8.RuneCountInString(v) > 256:
			return iamapi.InvalidInputException("The tag %s is too long.", k)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return iamapi.InvalidInputException("Tag keys beginning with \"aws:\" are reserved.")
		}
	}
	return nil
}

// A leftover is what keeps an entity from being deleted.
type leftover struct{ query, text string }

var leftovers = map[Kind][]leftover{
	Role: {
		{`SELECT 1 FROM identity_member WHERE account = ? AND kind = 'instance-profile' AND member = ?`, "must remove roles from instance profile first."},
		{`SELECT 1 FROM identity_attachment WHERE account = ? AND kind = 'role' AND owner = ?`, "must detach all policies first."},
		{`SELECT 1 FROM identity_inline WHERE account = ? AND kind = 'role' AND owner = ?`, "must delete policies first."},
	},
	User: {
		{`SELECT 1 FROM identity_member WHERE account = ? AND kind = 'group' AND member = ?`, "must remove users from group first."},
		{`SELECT 1 FROM identity_attachment WHERE account = ? AND kind = 'user' AND owner = ?`, "must detach all policies first."},
		{`SELECT 1 FROM identity_inline WHERE account = ? AND kind = 'user' AND owner = ?`, "must delete policies first."},
		{`SELECT 1 FROM identity_key WHERE account = ? AND owner = ?`, "must delete access keys first."},
	},
	Group: {
		{`SELECT 1 FROM identity_member WHERE account = ? AND kind = 'group' AND owner = ?`, "must remove users from group first."},
		{`SELECT 1 FROM identity_attachment WHERE account = ? AND kind = 'group' AND owner = ?`, "must detach all policies first."},
		{`SELECT 1 FROM identity_inline WHERE account = ? AND kind = 'group' AND owner = ?`, "must delete policies first."},
	},
	Profile: {
		{`SELECT 1 FROM identity_member WHERE account = ? AND kind = 'instance-profile' AND owner = ?`, "must remove roles from instance profile first."},
	},
}

// checkFree returns DeleteConflict while something hangs on an entity.
func checkFree(ctx context.Context, tx *db.Tx, e Entity) error {
	if e.Kind == Policy {
		return checkUnused(ctx, tx, e)
	}
	if e.Login != nil {
		return iamapi.DeleteConflictException("Cannot delete entity, must delete login profile first.")
	}
	for _, l := range leftovers[e.Kind] {
		var one int
		err := tx.QueryRow(ctx, l.query+` LIMIT 1`, e.Account, e.folded()).Scan(&one)
		if err == nil {
			return iamapi.DeleteConflictException("Cannot delete entity, %s", l.text)
		}
		if !errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("look what hangs on %s %s: %w", e.Kind, e.Name, err)
		}
	}
	return nil
}

// Now is the time by the store's clock.
func (s *Store) Now() time.Time { return s.now() }
