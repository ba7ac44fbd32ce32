package deployment

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// Rule returns an organization rule of a place, or
// NoSuchOrganizationConfigRuleException.
func Rule(ctx context.Context, tx *db.Tx, p config.Place, name string) (config.OrganizationRule, error) {
	o, err := store.OrganizationRule(ctx, tx, p, name)
	if errors.Is(err, store.ErrNotFound) {
		err = configapi.NoSuchOrganizationConfigRuleException("The organization config rule '%s' provided in the request is invalid. Please check the organization config rule name.", name)
	}
	return o, err
}

// CheckRule checks what a rule means, outside of the transaction that puts it: with
// the errors of PutConfigRule, in the account that puts it.
func (d *Deployment) CheckRule(ctx context.Context, r config.OrganizationRule) error {
	r.ARN = "/" + r.Name
	_, err := d.prepareRule(ctx, r, r.Account)
	return err
}

// PutRule keeps an organization rule that was checked and has it deployed. Tags are
// those of a new one.
func (d *Deployment) PutRule(ctx context.Context, tx *db.Tx, r config.OrganizationRule, tags map[string]string) (config.OrganizationRule, error) {
	r.Kind = config.DeployedRule
	err := d.put(ctx, tx, &r.OrganizationDeployment, tags, func() error { return store.PutOrganizationRule(ctx, tx, r) })
	return r, err
}

// DeleteRule has an organization rule vanish from all members, and then itself.
func (d *Deployment) DeleteRule(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	return d.delete(ctx, tx, config.OrganizationDeployment{Place: p, Kind: config.DeployedRule}, func() (config.OrganizationDeployment, error) {
		r, err := Rule(ctx, tx, p, name)
		return r.OrganizationDeployment, err
	})
}

// prepareRule checks and compiles the rule of a member.
func (d *Deployment) prepareRule(ctx context.Context, r config.OrganizationRule, account string) (rule.Prepared, error) {
	its := r.For(account)
	its.CreatedBy = Principal
	return d.rules.Prepare(ctx, rule.Definition{Rule: its})
}

// memberRule puts the rule of a member, at once.
func (d *Deployment) memberRule(ctx context.Context, arn, account string) (putMember, error) {
	var r config.OrganizationRule
	err := d.db.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = store.OrganizationRuleByARN(ctx, tx, arn)
		return err
	})
	if err != nil {
		return nil, err
	}
	prepared, err := d.prepareRule(ctx, r, account)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *db.Tx, m *config.OrganizationMember) error {
		_, err := d.rules.Put(ctx, tx, prepared)
		if err == nil {
			m.Progress = config.OrganizationSuccessful
		}
		return err
	}, nil
}

// removeRule deletes the rule of a member; its results go after it.
func (d *Deployment) removeRule(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment, p config.Place) error {
	present, err := store.Rule(ctx, tx, p, o.MemberName())
	if errors.Is(err, store.ErrNotFound) || err == nil && present.State == config.RuleDeleting {
		return nil
	}
	if err != nil {
		return err
	}
	return d.rules.Delete(ctx, tx, p, o.MemberName(), Principal)
}
