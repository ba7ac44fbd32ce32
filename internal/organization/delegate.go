package organization

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
)

// The principals of AWS Config: for what is aggregated, and for rules and packs of
// an organization.
const (
	Aggregating = "config.amazonaws.com"
	Deploying   = "config-multiaccountsetup.amazonaws.com"
)

// maxDelegates is how many accounts may administer one of AWS Config's principals.
const maxDelegates = 3

// A Service is one that may act in all accounts, or that an account administers
// for them.
type Service struct {
	Principal string
	Enabled   time.Time
}

var principalForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$`)

func checkPrincipal(principal string) error {
	if principalForm.MatchString(principal) {
		return nil
	}
	return invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal.")
}

// EnableService lets a service act in all accounts. It may be so already.
func (s *Organizations) EnableService(ctx context.Context, tx *db.Tx, o Organization, principal string) error {
	if err := checkPrincipal(principal); err != nil {
		return err
	}
	if o.Features != AllFeatures {
		return violation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", "The organization is not in all features mode.")
	}
	_, err := tx.Exec(ctx, `INSERT INTO organization_service (organization, principal, enabled) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		o.ID, principal, db.Micros(s.now()))
	return err
}

// DisableService takes that back. A service that accounts administer stays.
func (s *Organizations) DisableService(ctx context.Context, tx *db.Tx, o Organization, principal string) error {
	if err := checkPrincipal(principal); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM organization_service WHERE organization = ? AND principal = ?`, o.ID, principal)
	return err
}

// Services returns services that may act in all accounts after one, by name.
func Services(ctx context.Context, tx *db.Tx, o Organization, after string, limit int) ([]Service, error) {
	return scanServices(ctx, tx, `SELECT principal, enabled FROM organization_service WHERE organization = ? AND principal > ? ORDER BY principal LIMIT ?`, o.ID, after, limit)
}

// ServiceEnabled reports whether a service may act in all accounts.
func ServiceEnabled(ctx context.Context, tx *db.Tx, o Organization, principal string) (bool, error) {
	found, err := scanServices(ctx, tx, `SELECT principal, enabled FROM organization_service WHERE organization = ? AND principal = ?`, o.ID, principal)
	return len(found) > 0, err
}

func scanServices(ctx context.Context, tx *db.Tx, query string, args ...any) ([]Service, error) {
	var out []Service
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var s Service
		var enabled int64
		err := scan(&s.Principal, &enabled)
		s.Enabled = db.Time(enabled)
		out = append(out, s)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the services of an organization: %w", err)
	}
	return out, nil
}

// Administers reports whether a member administers a service for the others, or
// any service if none is named.
func Administers(ctx context.Context, tx *db.Tx, o Organization, account, principal string) (bool, error) {
	found, err := DelegatedServices(ctx, tx, o, account, "", 1000)
	return slices.ContainsFunc(found, func(s Service) bool { return principal == "" || s.Principal == principal }), err
}

// DelegatedServices returns the services that a member administers after one, by
// name.
func DelegatedServices(ctx context.Context, tx *db.Tx, o Organization, account, after string, limit int) ([]Service, error) {
	return scanServices(ctx, tx, `SELECT principal, enabled FROM organization_delegate WHERE organization = ? AND account = ? AND principal > ?
		ORDER BY principal LIMIT ?`, o.ID, account, after, limit)
}

// A Delegate is a member that administers a service, and since when.
type Delegate struct {
	Account
	Enabled time.Time
}

// Delegates returns members that administer a service, or any if none is named,
// after one, in the order of their ids.
func Delegates(ctx context.Context, tx *db.Tx, o Organization, principal, after string, limit int) ([]Delegate, error) {
	first := map[string]time.Time{}
	var order []string
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var account, by string
		var enabled int64
		if err := scan(&account, &by, &enabled); err != nil {
			return err
		}
		if account <= after || principal != "" && by != principal {
			return nil
		}
		if at, twice := first[account]; !twice || db.Time(enabled).Before(at) {
			if !twice {
				order = append(order, account)
			}
			first[account] = db.Time(enabled)
		}
		return nil
	}, `SELECT account, principal, enabled FROM organization_delegate WHERE organization = ?`, o.ID)
	if err != nil {
		return nil, fmt.Errorf("read delegated administrators: %w", err)
	}
	slices.SortFunc(order, strings.Compare)
	var out []Delegate
	for _, id := range order[:min(len(order), limit)] {
		a, err := Find(ctx, tx, o, id)
		if err != nil {
			return nil, err
		}
		out = append(out, Delegate{a, first[id]})
	}
	return out, nil
}

// Register has a member administer a service for the others.
func (s *Organizations) Register(ctx context.Context, tx *db.Tx, o Organization, account, principal string) error {
	if err := checkPrincipal(principal); err != nil {
		return err
	}
	if err := tx.Lock(ctx, "delegates of "+o.ID); err != nil {
		return err
	}
	if err := lock(ctx, tx, account); err != nil { // it cannot leave meanwhile
		return err
	}
	if _, err := Find(ctx, tx, o, account); err != nil {
		return err
	}
	enabled, err := ServiceEnabled(ctx, tx, o, principal)
	if err != nil {
		return err
	}
	already, err := Administers(ctx, tx, o, account, principal)
	if err != nil {
		return err
	}
	others, err := Delegates(ctx, tx, o, principal, "", maxDelegates)
	switch {
	case err != nil:
		return err
	case account == o.Management:
		return violation("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", "You cannot register master account/yourself as delegated administrator for your organization.")
	case !enabled:
		return violation("SERVICE_ACCESS_NOT_ENABLED", "You attempted to register a delegated administrator before you enabled service access of %s.", principal)
	case already:
		return organizationsapi.AccountAlreadyRegisteredException("The provided account is already a delegated administrator for your organization.")
	case len(others) == maxDelegates:
		return violation("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED", "The service %s has %d delegated administrators, which is the limit.", principal, maxDelegates)
	}
	_, err = tx.Exec(ctx, `INSERT INTO organization_delegate (organization, account, principal, enabled) VALUES (?, ?, ?, ?)`,
		o.ID, account, principal, db.Micros(s.now()))
	return err
}

// Deregister takes that back.
func (s *Organizations) Deregister(ctx context.Context, tx *db.Tx, o Organization, account, principal string) error {
	if err := checkPrincipal(principal); err != nil {
		return err
	}
	if _, err := Find(ctx, tx, o, account); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM organization_delegate WHERE organization = ? AND account = ? AND principal = ?`, o.ID, account, principal)
	if err == nil && n == 0 {
		err = organizationsapi.AccountNotRegisteredException("The provided account is not a registered delegated administrator for your organization.")
	}
	return err
}
