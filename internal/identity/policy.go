package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

// The sizes that IAM allows documents to have, white space aside.
const (
	maxManaged = 6144
	maxTrust   = 2048
)

// inlineSizes is what the inline policies of an owner may have together.
var inlineSizes = map[Kind]int{Role: 10240, User: 2048, Group: 5120}

const maxVersions = 5

// A Version is one version of a managed policy.
type Version struct {
	Number   int
	Document string
	Created  time.Time
}

// CreatePolicy makes a managed policy with its first version.
func (s *Store) CreatePolicy(ctx context.Context, tx *db.Tx, e Entity, document string) (Entity, error) {
	if err := checkManaged(document); err != nil {
		return e, err
	}
	e.Default, e.Latest, e.Updated = 1, 1, s.now()
	e, err := s.Create(ctx, tx, e)
	if err != nil {
		return e, err
	}
	return e, insertVersion(ctx, tx, e, Version{1, document, e.Created})
}

func checkManaged(document string) error {
	if err := CheckDocument(document); err != nil {
		return err
	}
	if sizeOf(document) > maxManaged {
		return exceeded("PolicySize", maxManaged)
	}
	return nil
}

func insertVersion(ctx context.Context, tx *db.Tx, e Entity, v Version) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_version (account, policy, number, document, created) VALUES (?, ?, ?, ?, ?)`,
		e.Account, e.folded(), v.Number, v.Document, db.Micros(v.Created))
	if err != nil {
		return fmt.Errorf("write version %d of policy %s: %w", v.Number, e.Name, err)
	}
	return nil
}

// policyName returns the name in a policy's ARN if it is one of the account.
func policyName(account, policyARN string) (string, bool) {
	a, err := arn.Parse(policyARN)
	rest, ok := strings.CutPrefix(a.Resource, "policy/")
	if err != nil || !ok || a.Service != "iam" || a.Region != "" || a.Account != account {
		return "", false
	}
	return rest[strings.LastIndexByte(rest, '/')+1:], true
}

// FindPolicy returns the managed policy of an ARN, one of the account or AWS's own.
func FindPolicy(ctx context.Context, tx *db.Tx, account, policyARN string) (Entity, error) {
	if m, ok := ManagedByAWS(policyARN); ok {
		return m.entity(), nil
	}
	name, ok := policyName(account, policyARN)
	if !ok {
		return Entity{}, missing(Policy, policyARN)
	}
	e, err := Find(ctx, tx, account, Policy, name)
	if isMissing(err) || err == nil && e.ARN() != policyARN {
		return e, missing(Policy, policyARN)
	}
	return e, err
}

// attachable returns NoSuchEntity unless an account has a policy, or AWS does.
func attachable(ctx context.Context, tx *db.Tx, account, policyARN string) error {
	_, err := FindPolicy(ctx, tx, account, policyARN)
	if isMissing(err) {
		err = iamapi.NoSuchEntityException("Policy %s does not exist or is not attachable.", policyARN)
	}
	return err
}

// openPolicy finds a policy of the account that is to be changed.
func (s *Store) openPolicy(ctx context.Context, tx *db.Tx, account, policyARN string) (Entity, error) {
	if err := lock(ctx, tx, account); err != nil {
		return Entity{}, err
	}
	if _, ok := ManagedByAWS(policyARN); ok {
		return Entity{}, iamapi.UnmodifiableEntityException("Policy %s is managed by AWS and cannot be changed.", policyARN)
	}
	return FindPolicy(ctx, tx, account, policyARN)
}

// ChangePolicy lets f change a policy of the account and writes it.
func (s *Store) ChangePolicy(ctx context.Context, tx *db.Tx, account, policyARN string, f func(*Entity) error) error {
	e, err := s.openPolicy(ctx, tx, account, policyARN)
	if err != nil {
		return err
	}
	if err := f(&e); err != nil {
		return err
	}
	if err := s.check(ctx, tx, e); err != nil {
		return err
	}
	return s.write(ctx, tx, e)
}

// AddVersion adds a version to a policy, which is in force if asDefault is set.
func (s *Store) AddVersion(ctx context.Context, tx *db.Tx, account, policyARN, document string, asDefault bool) (Version, Entity, error) {
	if err := checkManaged(document); err != nil {
		return Version{}, Entity{}, err
	}
	e, err := s.openPolicy(ctx, tx, account, policyARN)
	if err != nil {
		return Version{}, e, err
	}
	all, err := Versions(ctx, tx, e)
	if err != nil {
		return Version{}, e, err
	}
	if len(all) >= maxVersions {
		return Version{}, e, iamapi.LimitExceededException("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	e.Latest++
	v := Version{e.Latest, document, s.now()}
	if asDefault {
		e.Default = v.Number
	}
	e.Updated = v.Created
	if err := insertVersion(ctx, tx, e, v); err != nil {
		return v, e, err
	}
	return v, e, s.write(ctx, tx, e)
}

func noVersion(policyARN string, number int) error {
	return iamapi.NoSuchEntityException("Policy %s version v%d does not exist or is not attachable.", policyARN, number)
}

// FindVersion returns a version of a policy.
func FindVersion(ctx context.Context, tx *db.Tx, e Entity, number int) (Version, error) {
	if m, ok := ManagedByAWS(e.ARN()); ok {
		if number != m.entity().Default {
			return Version{}, noVersion(e.ARN(), number)
		}
		return m.version(), nil
	}
	v := Version{Number: number}
	var created int64
	err := tx.QueryRow(ctx, `SELECT document, created FROM identity_version WHERE account = ? AND policy = ? AND number = ?`,
		e.Account, e.folded(), number).Scan(&v.Document, &created)
	if errors.Is(err, db.ErrNoRows) {
		return v, noVersion(e.ARN(), number)
	}
	if err != nil {
		return v, fmt.Errorf("read version %d of policy %s: %w", number, e.Name, err)
	}
	v.Created = db.Time(created)
	return v, nil
}

// Versions returns all versions of a policy, the newest first.
func Versions(ctx context.Context, tx *db.Tx, e Entity) ([]Version, error) {
	if m, ok := ManagedByAWS(e.ARN()); ok {
		return []Version{m.version()}, nil
	}
	var out []Version
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var v Version
		var created int64
		err := scan(&v.Number, &v.Document, &created)
		v.Created = db.Time(created)
		out = append(out, v)
		return err
	}, `SELECT number, document, created FROM identity_version WHERE account = ? AND policy = ? ORDER BY number DESC`, e.Account, e.folded())
	if err != nil {
		return nil, fmt.Errorf("read the versions of policy %s: %w", e.Name, err)
	}
	return out, nil
}

// DeleteVersion removes a version that is not in force.
func (s *Store) DeleteVersion(ctx context.Context, tx *db.Tx, account, policyARN string, number int) error {
	e, err := s.openPolicy(ctx, tx, account, policyARN)
	if err != nil {
		return err
	}
	if _, err := FindVersion(ctx, tx, e, number); err != nil {
		return err
	}
	if e.Default == number {
		return iamapi.DeleteConflictException("Cannot delete the default version of a policy.")
	}
	_, err = tx.Exec(ctx, `DELETE FROM identity_version WHERE account = ? AND policy = ? AND number = ?`, account, e.folded(), number)
	if err != nil {
		return fmt.Errorf("delete version %d of policy %s: %w", number, e.Name, err)
	}
	return s.write(ctx, tx, e)
}

// SetDefault puts another version of a policy in force.
func (s *Store) SetDefault(ctx context.Context, tx *db.Tx, account, policyARN string, number int) error {
	return s.ChangePolicy(ctx, tx, account, policyARN, func(e *Entity) error {
		if _, err := FindVersion(ctx, tx, *e, number); err != nil {
			return err
		}
		e.Default, e.Updated = number, s.now()
		return nil
	})
}

// DeletePolicy removes a policy that nobody uses and that has one version.
func (s *Store) DeletePolicy(ctx context.Context, tx *db.Tx, account, policyARN string) error {
	e, err := s.openPolicy(ctx, tx, account, policyARN)
	if err != nil {
		return err
	}
	if err := checkUnused(ctx, tx, e); err != nil {
		return err
	}
	return s.remove(ctx, tx, e)
}

func checkUnused(ctx context.Context, tx *db.Tx, e Entity) error {
	attached, bounding, err := Usage(ctx, tx, e.Account, e.ARN())
	if err != nil {
		return err
	}
	if attached+bounding > 0 {
		return iamapi.DeleteConflictException("Cannot delete a policy attached to entities.")
	}
	all, err := Versions(ctx, tx, e)
	if err == nil && len(all) > 1 {
		err = iamapi.DeleteConflictException("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	return err
}

// Usage returns how many identities of an account have a policy attached, and how
// many are bounded by it.
func Usage(ctx context.Context, tx *db.Tx, account, policyARN string) (attached, bounding int, err error) {
	err = tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM identity_attachment WHERE account = ? AND policy = ?),
		(SELECT count(*) FROM identity WHERE account = ? AND bounded = ?)`, account, policyARN, account, policyARN).Scan(&attached, &bounding)
	if err != nil {
		err = fmt.Errorf("count who uses policy %s: %w", policyARN, err)
	}
	return attached, bounding, err
}
