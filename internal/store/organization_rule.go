package store

import (
	"context"

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
	return organizationRuleForm(config.OrganizationDeployment{}, s)
}

func organizationRuleForm(o config.OrganizationDeployment, s storedOrganizationRule) config.OrganizationRule {
	o.Excluded = s.Excluded
	return config.OrganizationRule{OrganizationDeployment: o, Rule: s.Rule.toRule(), DebugAccounts: s.Debug}
}

// PutOrganizationRule keeps an organization rule under its name, new or in place
// of the former one.
func PutOrganizationRule(ctx context.Context, tx *db.Tx, o config.OrganizationRule) error {
	return putDeployment(ctx, tx, o.OrganizationDeployment, fromOrganizationRule(o))
}

// OrganizationRule returns an organization rule by its name, or ErrNotFound.
func OrganizationRule(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationRule, error) {
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.OrganizationRule{}, err
	}
	return oneOf(scanDeployments(ctx, tx, organizationRuleForm, `o.place = ? AND o.kind = ? AND o.name = ?`, place, string(config.DeployedRule), name))
}

// OrganizationRuleByARN is OrganizationRule by its ARN.
func OrganizationRuleByARN(ctx context.Context, tx *db.Tx, arn string) (config.OrganizationRule, error) {
	return oneOf(scanDeployments(ctx, tx, organizationRuleForm, `o.arn = ?`, arn))
}

// OrganizationRules returns the organization rules of a place after a name, in
// byte order of their names.
func OrganizationRules(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]config.OrganizationRule, error) {
	return deploymentsAfter(ctx, tx, organizationRuleForm, p, config.DeployedRule, after, limit)
}
