package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/model/iamapi"
)

// Alias returns the other name of an account, or "".
func Alias(ctx context.Context, tx *db.Tx, account string) (string, error) {
	var alias *string
	err := tx.QueryRow(ctx, `SELECT alias FROM identity_account WHERE account = ?`, account).Scan(&alias)
	if errors.Is(err, db.ErrNoRows) || err == nil && alias == nil {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the alias of %s: %w", account, err)
	}
	return *alias, nil
}

// SetAlias gives an account another name, in place of the one that it has. No two
// accounts have the same.
func (s *Store) SetAlias(ctx context.Context, tx *db.Tx, account, alias string) error {
	if err := tx.Lock(ctx, "alias "+alias); err != nil {
		return err
	}
	var owner string
	err := tx.QueryRow(ctx, `SELECT account FROM identity_account WHERE alias = ?`, alias).Scan(&owner)
	if err == nil && owner != account {
		return iamapi.EntityAlreadyExistsException("The account alias %s already exists.", alias)
	}
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("look for the alias %s: %w", alias, err)
	}
	return s.setAccount(ctx, tx, account, "alias", &alias)
}

// DropAlias takes an account's other name away.
func (s *Store) DropAlias(ctx context.Context, tx *db.Tx, account, alias string) error {
	has, err := Alias(ctx, tx, account)
	if err != nil {
		return err
	}
	if has != alias {
		return iamapi.NoSuchEntityException("The account alias %s cannot be found.", alias)
	}
	return s.setAccount(ctx, tx, account, "alias", nil)
}

// setAccount sets a column, alias or password, of an account's row.
func (s *Store) setAccount(ctx context.Context, tx *db.Tx, account, column string, value any) error {
	if err := lock(ctx, tx, account); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO identity_account (account, revision, password) VALUES (?, 1, '')
		ON CONFLICT (account) DO UPDATE SET revision = identity_account.revision + 1`, account)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE identity_account SET `+column+` = ? WHERE account = ?`, value, account)
	}
	if err != nil {
		return fmt.Errorf("set the %s of %s: %w", column, account, err)
	}
	return nil
}

// A PasswordPolicy is what an account asks of passwords. There are no passwords
// here: it is kept, recorded and checked by rules.
type PasswordPolicy struct {
	MinimumLength   int
	Symbols         bool
	Numbers         bool
	Uppercase       bool
	Lowercase       bool
	UsersMayChange  bool
	MaxAge          int   // in days; 0 is none
	ReusePrevention int   // 0 is none
	HardExpiry      *bool // nil if it was not set
}

// A passwordForm is how it is kept.
type passwordForm struct {
	MinimumLength   int   `json:"minimumLength"`
	Symbols         bool  `json:"symbols,omitempty"`
	Numbers         bool  `json:"numbers,omitempty"`
	Uppercase       bool  `json:"uppercase,omitempty"`
	Lowercase       bool  `json:"lowercase,omitempty"`
	UsersMayChange  bool  `json:"usersMayChange,omitempty"`
	MaxAge          int   `json:"maxAge,omitempty"`
	ReusePrevention int   `json:"reusePrevention,omitempty"`
	HardExpiry      *bool `json:"hardExpiry,omitempty"`
}

// Passwords returns an account's password policy, or NoSuchEntity.
func Passwords(ctx context.Context, tx *db.Tx, account string) (PasswordPolicy, error) {
	var p passwordForm
	var text string
	err := tx.QueryRow(ctx, `SELECT password FROM identity_account WHERE account = ?`, account).Scan(&text)
	if errors.Is(err, db.ErrNoRows) || err == nil && text == "" {
		return PasswordPolicy{}, iamapi.NoSuchEntityException("The Password Policy with domain name %s cannot be found.", account)
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &p)
	}
	if err != nil {
		return PasswordPolicy{}, fmt.Errorf("read the password policy of %s: %w", account, err)
	}
	return PasswordPolicy(p), nil
}

// SetPasswords replaces an account's password policy.
func (s *Store) SetPasswords(ctx context.Context, tx *db.Tx, account string, p PasswordPolicy) error {
	text, err := json.Marshal(passwordForm(p))
	if err != nil {
		return err
	}
	return s.setAccount(ctx, tx, account, "password", string(text))
}

// DropPasswords removes an account's password policy.
func (s *Store) DropPasswords(ctx context.Context, tx *db.Tx, account string) error {
	if _, err := Passwords(ctx, tx, account); err != nil {
		return err
	}
	return s.setAccount(ctx, tx, account, "password", "")
}

// Summary returns how much of everything an account has, and may have, by the names
// that IAM gives it.
func Summary(ctx context.Context, tx *db.Tx, account string) (map[string]int, error) {
	out := map[string]int{
		"UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500, "InstanceProfilesQuota": 1000,
		"PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": maxVersions, "PolicySizeQuota": maxManaged,
		"UserPolicySizeQuota": inlineSizes[User], "GroupPolicySizeQuota": inlineSizes[Group], "RolePolicySizeQuota": inlineSizes[Role],
		"AssumeRolePolicySizeQuota": maxTrust, "AccessKeysPerUserQuota": maxKeys, "GroupsPerUserQuota": maxGroups,
		"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached, "AttachedPoliciesPerRoleQuota": maxAttached,
		"SigningCertificatesPerUserQuota": 2, "ServerCertificatesQuota": 20, "GlobalEndpointTokenVersion": 1,
		"ServerCertificates": 0, "Providers": 0, "MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0,
		"AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0, "AccountPasswordPresent": 0,
	}
	for name, kind := range map[string]Kind{"Users": User, "Groups": Group, "Roles": Role, "Policies": Policy, "InstanceProfiles": Profile} {
		n, err := count(ctx, tx, account, kind)
		if err != nil {
			return nil, err
		}
		out[name] = n
	}
	var versions int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM identity_version WHERE account = ?`, account).Scan(&versions); err != nil {
		return nil, fmt.Errorf("count the versions of policies of %s: %w", account, err)
	}
	out["PolicyVersionsInUse"] = versions
	return out, nil
}
