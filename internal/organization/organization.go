// Package organization is the embedded AWS Organizations: which accounts belong
// together, in which units, who may administer a service for all of them, and how
// an account is asked to join.
//
// It has no policies, no billing and no mail: an account that is created exists at
// once, and one that is invited answers for itself. It stores the tables
// organization_*. Whoever has to follow the members is called in the transaction
// that changes them.
//
//	o := organization.New(now, announce)
//	org, err := o.Create(ctx, tx, "111111111111", "ALL")
package organization

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/organizationsapi"
)

// The two feature sets.
const (
	AllFeatures = "ALL"
	BillingOnly = "CONSOLIDATED_BILLING"
)

// An Organization is some accounts with one that manages them.
type Organization struct {
	ID         string // o-...
	Management string // the account
	Features   string
	Root       string // r-...
	Created    time.Time
}

// ARN returns the ARN of something in the organization: of a kind ("account",
// "ou", "root", "handshake") with an id.
func (o Organization) ARN(kind, id string) string {
	path := kind + "/" + o.ID
	if id != "" {
		path += "/" + id
	}
	return arn.New("organizations", "", o.Management, path).String()
}

// Organizations is what can be done. Announce is called with every account that
// joins or leaves.
type Organizations struct {
	now      func() time.Time
	announce func(ctx context.Context, tx *db.Tx, e config.MembershipChanged) error
}

// New returns it.
func New(now func() time.Time, announce func(context.Context, *db.Tx, config.MembershipChanged) error) *Organizations {
	return &Organizations{now, announce}
}

// ErrNone says that an account is in no organization.
var ErrNone = errors.New("the account is in no organization")

// Of returns the organization of an account, or ErrNone.
func Of(ctx context.Context, tx *db.Tx, account string) (Organization, error) {
	var o Organization
	var created int64
	err := tx.QueryRow(ctx, `SELECT o.id, o.management, o.features, o.root, o.created
		FROM organization_account a JOIN organization o ON o.id = a.organization WHERE a.account = ?`, account).
		Scan(&o.ID, &o.Management, &o.Features, &o.Root, &created)
	if errors.Is(err, db.ErrNoRows) {
		return o, ErrNone
	}
	if err != nil {
		return o, fmt.Errorf("read the organization of %s: %w", account, err)
	}
	o.Created = db.Time(created)
	return o, nil
}

// byID returns an organization.
func byID(ctx context.Context, tx *db.Tx, id string) (Organization, error) {
	var management string
	err := tx.QueryRow(ctx, `SELECT management FROM organization WHERE id = ?`, id).Scan(&management)
	if errors.Is(err, db.ErrNoRows) {
		return Organization{}, ErrNone
	}
	if err != nil {
		return Organization{}, fmt.Errorf("read organization %s: %w", id, err)
	}
	return Of(ctx, tx, management)
}

// Member returns the organization of an account for an operation that every
// member may call.
func Member(ctx context.Context, tx *db.Tx, account string) (Organization, error) {
	o, err := Of(ctx, tx, account)
	if errors.Is(err, ErrNone) {
		err = organizationsapi.AWSOrganizationsNotInUseException("Your account is not a member of an organization.")
	}
	return o, err
}

// Managed returns the organization that an account manages.
func Managed(ctx context.Context, tx *db.Tx, account string) (Organization, error) {
	o, err := Member(ctx, tx, account)
	if err == nil && o.Management != account {
		err = denied()
	}
	return o, err
}

// Read returns the organization of an account that manages it or administers any
// service for it.
func Read(ctx context.Context, tx *db.Tx, account string) (Organization, error) {
	o, err := Member(ctx, tx, account)
	if err != nil || o.Management == account {
		return o, err
	}
	delegated, err := Administers(ctx, tx, o, account, "")
	if err == nil && !delegated {
		err = denied()
	}
	return o, err
}

func denied() error {
	return organizationsapi.AccessDeniedException("You don't have permissions to access this resource.")
}

// invalid is the answer to input that the model cannot check.
func invalid(reason, format string, args ...any) error {
	return organizationsapi.InvalidInputException(format, args...).With("Reason", reason)
}

// violation is the answer to what an organization's limits forbid.
func violation(reason, format string, args ...any) error {
	return organizationsapi.ConstraintViolationException(format, args...).With("Reason", reason)
}

// Create makes an account the management account of a new organization.
func (s *Organizations) Create(ctx context.Context, tx *db.Tx, management, features string) (Organization, error) {
	o := Organization{ID: "o-" + newID(10), Management: management, Features: features, Root: "r-" + newID(4), Created: s.now()}
	if o.Features == "" {
		o.Features = AllFeatures
	}
	if err := lock(ctx, tx, management); err != nil {
		return o, err
	}
	if _, err := Of(ctx, tx, management); !errors.Is(err, ErrNone) {
		if err == nil {
			err = organizationsapi.AlreadyInOrganizationException("The provided account is already a member of an organization.")
		}
		return o, err
	}
	_, err := tx.Exec(ctx, `INSERT INTO organization (id, management, features, root, created) VALUES (?, ?, ?, ?, ?)`,
		o.ID, o.Management, o.Features, o.Root, db.Micros(o.Created))
	if err != nil {
		return o, fmt.Errorf("create an organization: %w", err)
	}
	return o, s.join(ctx, tx, o, Account{ID: management, Name: "management", Email: "management@" + management + ".example.com", Method: Invited})
}

// lock keeps others from putting an account into an organization, or out of one.
func lock(ctx context.Context, tx *db.Tx, account string) error {
	return tx.Lock(ctx, "organization of "+account)
}

// Delete dissolves an organization in which only the management account is left.
func (s *Organizations) Delete(ctx context.Context, tx *db.Tx, o Organization) error {
	accounts, err := Accounts(ctx, tx, o, "", "", 2)
	if err != nil {
		return err
	}
	if len(accounts) > 1 {
		return organizationsapi.OrganizationNotEmptyException("To delete an organization, you must first remove all member accounts (except the master).")
	}
	if err := s.leave(ctx, tx, o, o.Management); err != nil {
		return err
	}
	for _, table := range []string{"account", "unit", "creation", "handshake", "service", "delegate", "tag"} {
		if _, err := tx.Exec(ctx, `DELETE FROM organization_`+table+` WHERE organization = ?`, o.ID); err != nil {
			return fmt.Errorf("delete organization %s: %w", o.ID, err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM organization WHERE id = ?`, o.ID); err != nil {
		return fmt.Errorf("delete organization %s: %w", o.ID, err)
	}
	return nil
}

// newID returns n random lower-case letters and digits.
func newID(n int) string { return strings.ToLower(rand.Text())[:n] }

// notFound reports whether an error says that something is not there.
func notFound(err error) bool { return model.IsCode(err, "AccountNotFoundException") }
