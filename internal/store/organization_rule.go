package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

type storedOrganizationRule struct {
	Rule     storedRule `json:"rule"`
	Excluded []string   `json:"excluded,omitzero"`
	Debug    []string   `json:"debug,omitzero"`
}

func fromOrganizationRule(o config.OrganizationRule) storedOrganizationRule {
	return storedOrganizationRule{fromRule(o.Rule), o.Excluded, o.DebugAccounts}
}

func (s storedOrganizationRule) toOrganizationRule() config.OrganizationRule {
	return config.OrganizationRule{Rule: s.Rule.toRule(), Excluded: s.Excluded, DebugAccounts: s.Debug}
}

// PutOrganizationRule keeps an organization rule under its name, new or in place
// of the former one.
func PutOrganizationRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule) error {
	def, err := encoded(fromOrganizationRule(o))
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, o.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO organization_rule (place, name, arn, definition, operation, spreading, generation, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, name) DO UPDATE SET definition = excluded.definition, operation = excluded.operation,
		spreading = excluded.spreading, generation = excluded.generation, updated = excluded.updated`,
		place, o.Name, o.ARN, def, o.Operation, o.Spreading, o.Generation, db.Micros(o.Updated))
	if err != nil {
		return fmt.Errorf("put organization rule %s: %w", o.Name, err)
	}
	return nil
}

// OrganizationRule returns an organization rule by its name, or ErrNotFound.
func OrganizationRule(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationRule, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.OrganizationRule{}, err
	}
	return oneOrganizationRule(ctx, tx, `o.place = ? AND o.name = ?`, place, name)
}

// OrganizationRuleByARN is OrganizationRule by its ARN.
func OrganizationRuleByARN(ctx context.Context, tx *db.Tx, arn string) (config.OrganizationRule, error) {
	return oneOrganizationRule(ctx, tx, `o.arn = ?`, arn)
}

func oneOrganizationRule(ctx context.Context, tx *db.Tx, where string, args ...any) (config.OrganizationRule, error) {
	all, err := scanOrganizationRules(ctx, tx, where, args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return config.OrganizationRule{}, err
	}
	return all[0], nil
}

// OrganizationRules returns the organization rules of a place after a name, in
// byte order of their names.
func OrganizationRules(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.OrganizationRule, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil || place == 0 {
		return nil, err
	}
	return scanOrganizationRules(ctx, tx, `o.place = ? AND o.name > ? ORDER BY o.name LIMIT ?`, place, after, limit)
}

// OrganizationRulesOf returns the organization rules of an account in all regions.
func OrganizationRulesOf(ctx context.Context, tx *db.Tx, account string) ([]config.OrganizationRule, error) {
	return scanOrganizationRules(ctx, tx, `p.account = ?`, account)
}

// OrganizationRulesOn returns the organization rules that an account has, or is
// about to have.
func OrganizationRulesOn(ctx context.Context, tx *db.Tx, account string) ([]config.OrganizationRule, error) {
	return scanOrganizationRules(ctx, tx, `o.id IN (SELECT m.rule FROM organization_rule_member m WHERE m.account = ?)`, account)
}

func scanOrganizationRules(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.OrganizationRule, error) {
	var out []config.OrganizationRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var kept config.OrganizationRule
		var def string
		var updated int64
		err := scan(&kept.Account, &kept.Region, &kept.Name, &kept.ARN, &def, &kept.Operation, &kept.Spreading, &kept.Generation, &updated)
		if err != nil {
			return err
		}
		form, err := decoded[storedOrganizationRule](tx, def)
		if err != nil {
			return fmt.Errorf("organization rule %s: %w", kept.Name, err)
		}
		o := form.toOrganizationRule()
		kept.Rule, kept.Excluded, kept.DebugAccounts, kept.Updated = o.Rule, o.Excluded, o.DebugAccounts, db.Time(updated)
		out = append(out, kept)
		return nil
	}, `SELECT p.account, p.region, o.name, o.arn, o.definition, o.operation, o.spreading, o.generation, o.updated
		FROM organization_rule o JOIN place p ON p.id = o.place WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read organization rules: %w", err)
	}
	return out, nil
}

// DeleteOrganizationRule forgets an organization rule and what became of it in
// the members.
func DeleteOrganizationRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule) error {
	if _, err := tx.Exec(ctx, `DELETE FROM organization_rule_member WHERE rule = (SELECT id FROM organization_rule WHERE arn = ?)`, o.ARN); err != nil {
		return fmt.Errorf("delete the members of organization rule %s: %w", o.Name, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM organization_rule WHERE arn = ?`, o.ARN); err != nil {
		return fmt.Errorf("delete organization rule %s: %w", o.Name, err)
	}
	return nil
}

// PutMemberRule keeps what became of an organization rule in an account.
func PutMemberRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule, m config.MemberRule) error {
	_, err := tx.Exec(ctx, `INSERT INTO organization_rule_member (rule, account, operation, progress, code, message, since, updated)
		VALUES ((SELECT id FROM organization_rule WHERE arn = ?), ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (rule, account) DO UPDATE SET
		operation = excluded.operation, progress = excluded.progress, code = excluded.code, message = excluded.message,
		since = excluded.since, updated = excluded.updated`,
		o.ARN, m.Account, m.Operation, m.Progress, m.Code, m.Message, db.Micros(m.Since), db.Micros(m.Updated))
	if err != nil {
		return fmt.Errorf("put organization rule %s of %s: %w", o.Name, m.Account, err)
	}
	return nil
}

// DeleteMemberRule forgets what became of an organization rule in an account.
func DeleteMemberRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule, account string) error {
	_, err := tx.Exec(ctx, `DELETE FROM organization_rule_member WHERE rule = (SELECT id FROM organization_rule WHERE arn = ?) AND account = ?`, o.ARN, account)
	if err != nil {
		return fmt.Errorf("delete organization rule %s of %s: %w", o.Name, account, err)
	}
	return nil
}

// MemberRules returns what became of an organization rule in accounts after one,
// in their order.
func MemberRules(ctx context.Context, tx *db.Tx, o config.OrganizationRule, after string, limit int) ([]config.MemberRule, error) {
	var id int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM organization_rule WHERE arn = ?`, o.ARN).Scan(&id); err != nil {
		return nil, fmt.Errorf("read organization rule %s: %w", o.Name, err)
	}
	return scanMemberRules(ctx, tx, `m.rule = ? AND m.account > ? ORDER BY m.account LIMIT ?`, id, after, limit)
}

// MemberRule returns what became of an organization rule in an account, or
// ErrNotFound.
func MemberRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule, account string) (config.MemberRule, error) {
	found, err := scanMemberRules(ctx, tx, `m.rule = (SELECT id FROM organization_rule WHERE arn = ?) AND m.account = ?`, o.ARN, account)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return config.MemberRule{Account: account}, err
	}
	return found[0], nil
}

func scanMemberRules(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.MemberRule, error) {
	var out []config.MemberRule
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var m config.MemberRule
		var since, updated int64
		err := scan(&m.Account, &m.Operation, &m.Progress, &m.Code, &m.Message, &since, &updated)
		m.Since, m.Updated = db.Time(since), db.Time(updated)
		out = append(out, m)
		return err
	}, `SELECT m.account, m.operation, m.progress, m.code, m.message, m.since, m.updated FROM organization_rule_member m WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read what became of an organization rule: %w", err)
	}
	return out, nil
}

// A MemberProgress is how many accounts are how far with an organization rule.
type MemberProgress struct {
	Progress, Code, Account string // the account is one of them
	N                       int
}

// MemberProgresses returns how far the accounts are, by progress and error.
func MemberProgresses(ctx context.Context, tx *db.Tx, o config.OrganizationRule) ([]MemberProgress, error) {
	var out []MemberProgress
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p MemberProgress
		err := scan(&p.Progress, &p.Code, &p.Account, &p.N)
		out = append(out, p)
		return err
	}, `SELECT m.progress, m.code, min(m.account), count(*) FROM organization_rule o CROSS JOIN organization_rule_member m
		WHERE o.arn = ? AND m.rule = o.id GROUP BY m.progress, m.code`, o.ARN)
	if err != nil {
		return nil, fmt.Errorf("count how far organization rule %s is: %w", o.Name, err)
	}
	return out, nil
}

// IsOrganizationRule reports whether a place has an organization rule of that ARN.
func IsOrganizationRule(ctx context.Context, tx *db.Tx, p config.Place, arn string) (bool, error) {
	o, err := OrganizationRuleByARN(ctx, tx, arn)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && o.Place == p, err
}
