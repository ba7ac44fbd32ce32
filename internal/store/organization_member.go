package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutOrganizationMember keeps what became of an organization's rule or pack in an
// account.
func PutOrganizationMember(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, m config.OrganizationMember) error {
	_, err := tx.Exec(ctx, `INSERT INTO organization_deployment_member (deployment, account, operation, progress, code, message, since, updated, handed)
		VALUES ((SELECT id FROM organization_deployment WHERE arn = ?), ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (deployment, account) DO UPDATE SET
		operation = excluded.operation, progress = excluded.progress, code = excluded.code, message = excluded.message,
		since = excluded.since, updated = excluded.updated, handed = excluded.handed`,
		o.ARN, m.Account, m.Operation, m.Progress, m.Code, m.Message, db.Micros(m.Since), db.Micros(m.Updated), m.Handed)
	if err != nil {
		return fmt.Errorf("put organization %s %s of %s: %w", o.Kind, o.Name, m.Account, err)
	}
	return nil
}

// DeleteOrganizationMember forgets what became of an organization's rule or pack
// in an account.
func DeleteOrganizationMember(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) error {
	_, err := tx.Exec(ctx, `DELETE FROM organization_deployment_member
		WHERE deployment = (SELECT id FROM organization_deployment WHERE arn = ?) AND account = ?`, o.ARN, account)
	if err != nil {
		return fmt.Errorf("delete organization %s %s of %s: %w", o.Kind, o.Name, account, err)
	}
	return nil
}

// OrganizationMembers returns what became of an organization's rule or pack in
// accounts after one, in their order.
func OrganizationMembers(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, after string, limit int) ([]config.OrganizationMember, error) {
	var id int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM organization_deployment WHERE arn = ?`, o.ARN).Scan(&id); err != nil {
		return nil, fmt.Errorf("read organization %s %s: %w", o.Kind, o.Name, err)
	}
	return scanMembers(ctx, tx, `m.deployment = ? AND m.account > ? ORDER BY m.account LIMIT ?`, id, after, limit)
}

// OrganizationMember returns what became of an organization's rule or pack in an
// account, or ErrNotFound.
func OrganizationMember(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, account string) (config.OrganizationMember, error) {
	return oneOf(scanMembers(ctx, tx, `m.deployment = (SELECT id FROM organization_deployment WHERE arn = ?) AND m.account = ?`, o.ARN, account))
}

func scanMembers(ctx context.Context, tx *db.Tx, where string, args ...any) ([]config.OrganizationMember, error) {
	var out []config.OrganizationMember
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var m config.OrganizationMember
		var since, updated int64
		err := scan(&m.Account, &m.Operation, &m.Progress, &m.Code, &m.Message, &since, &updated, &m.Handed)
		m.Since, m.Updated = db.Time(since), db.Time(updated)
		out = append(out, m)
		return err
	}, `SELECT m.account, m.operation, m.progress, m.code, m.message, m.since, m.updated, m.handed
		FROM organization_deployment_member m WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read what became of what an organization deploys: %w", err)
	}
	return out, nil
}

// A MemberProgress is how many accounts are how far with an organization's rule or
// pack.
type MemberProgress struct {
	Progress, Code, Account string // the account is one of them
	N                       int
}

// MemberProgresses returns how far the accounts are, by progress and error.
func MemberProgresses(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) ([]MemberProgress, error) {
	var out []MemberProgress
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p MemberProgress
		err := scan(&p.Progress, &p.Code, &p.Account, &p.N)
		out = append(out, p)
		return err
	}, `SELECT m.progress, m.code, min(m.account), count(*) FROM organization_deployment o CROSS JOIN organization_deployment_member m
		WHERE o.arn = ? AND m.deployment = o.id GROUP BY m.progress, m.code`, o.ARN)
	if err != nil {
		return nil, fmt.Errorf("count how far organization %s %s is: %w", o.Kind, o.Name, err)
	}
	return out, nil
}
