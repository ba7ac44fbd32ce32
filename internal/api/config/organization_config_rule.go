package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/deployment"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type organizationConfigRules struct {
	deploymentList[config.OrganizationRule]
}

func newOrganizationConfigRules(o Options) organizationConfigRules {
	return organizationConfigRules{deploymentList[config.OrganizationRule]{o, deployment.Rule, store.OrganizationRules,
		func(r config.OrganizationRule) config.OrganizationDeployment { return r.OrganizationDeployment }}}
}

func (o organizationConfigRules) register(s *configapi.Service) {
	s.PutOrganizationConfigRule(o.PutOrganizationConfigRule)
	s.DescribeOrganizationConfigRules(o.DescribeOrganizationConfigRules)
	s.DescribeOrganizationConfigRuleStatuses(o.DescribeOrganizationConfigRuleStatuses)
	s.GetOrganizationConfigRuleDetailedStatus(o.GetOrganizationConfigRuleDetailedStatus)
	s.GetOrganizationCustomRulePolicy(o.GetOrganizationCustomRulePolicy)
	s.DeleteOrganizationConfigRule(o.DeleteOrganizationConfigRule)
}

// PutOrganizationConfigRule has every member of the organization carry a rule.
func (o organizationConfigRules) PutOrganizationConfigRule(
	ctx context.Context, in *configapi.PutOrganizationConfigRuleInput,
) (*configapi.PutOrganizationConfigRuleOutput, error) {
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	r, err := organizationRuleFromShape(caller.Place(ctx), in)
	if err != nil {
		return nil, err
	}
	err = o.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := deployment.Administered(ctx, tx, r.Account)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := o.Deployment.CheckRule(ctx, r); err != nil {
		return nil, err
	}
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		r, err = o.Deployment.PutRule(ctx, tx, r, tags)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put organization rule %s: %w", r.Name, err)
	}
	return &configapi.PutOrganizationConfigRuleOutput{OrganizationConfigRuleArn: &r.ARN}, nil
}

// DescribeOrganizationConfigRules returns organization rules as they were put,
// without the text of a policy.
func (o organizationConfigRules) DescribeOrganizationConfigRules(
	ctx context.Context, in *configapi.DescribeOrganizationConfigRulesInput,
) (*configapi.DescribeOrganizationConfigRulesOutput, error) {
	out := &configapi.DescribeOrganizationConfigRulesOutput{OrganizationConfigRules: []configapi.OrganizationConfigRule{}}
	var err error
	out.NextToken, err = o.each(ctx, "DescribeOrganizationConfigRules", in.OrganizationConfigRuleNames, in.Limit, in.NextToken,
		func(_ *db.Tx, r config.OrganizationRule) error {
			out.OrganizationConfigRules = append(out.OrganizationConfigRules, organizationRuleShape(r))
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("describe organization rules: %w", err)
	}
	return out, nil
}

// DescribeOrganizationConfigRuleStatuses tells how far organization rules are in
// all accounts together.
func (o organizationConfigRules) DescribeOrganizationConfigRuleStatuses(
	ctx context.Context, in *configapi.DescribeOrganizationConfigRuleStatusesInput,
) (*configapi.DescribeOrganizationConfigRuleStatusesOutput, error) {
	out := &configapi.DescribeOrganizationConfigRuleStatusesOutput{OrganizationConfigRuleStatuses: []configapi.OrganizationConfigRuleStatus{}}
	var err error
	out.NextToken, err = o.each(ctx, "DescribeOrganizationConfigRuleStatuses", in.OrganizationConfigRuleNames, in.Limit, in.NextToken,
		func(tx *db.Tx, r config.OrganizationRule) error {
			s, err := deployment.StatusOf(ctx, tx, r.OrganizationDeployment)
			out.OrganizationConfigRuleStatuses = append(out.OrganizationConfigRuleStatuses, configapi.OrganizationConfigRuleStatus{
				OrganizationConfigRuleName: &r.Name, OrganizationRuleStatus: configapi.OrganizationRuleStatus(r.Operation + "_" + s.Progress),
				ErrorCode: optional(s.Code), ErrorMessage: optional(s.Message), LastUpdateTime: &r.Updated,
			})
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("describe the status of organization rules: %w", err)
	}
	return out, nil
}

// GetOrganizationConfigRuleDetailedStatus tells what became of an organization
// rule in each account. A page may be short of what the filters leave out.
func (o organizationConfigRules) GetOrganizationConfigRuleDetailedStatus(
	ctx context.Context, in *configapi.GetOrganizationConfigRuleDetailedStatusInput,
) (*configapi.GetOrganizationConfigRuleDetailedStatusOutput, error) {
	q := memberQuery{operation: "GetOrganizationConfigRuleDetailedStatus", name: *in.OrganizationConfigRuleName, limit: in.Limit, token: in.NextToken}
	if f := in.Filters; f != nil {
		q.account, q.status = text(f.AccountId), string(f.MemberAccountRuleStatus)
	}
	out := &configapi.GetOrganizationConfigRuleDetailedStatusOutput{OrganizationConfigRuleDetailedStatus: []configapi.MemberAccountStatus{}}
	var err error
	out.NextToken, err = o.members(ctx, q, func(r config.OrganizationDeployment, m config.OrganizationMember, status string) {
		out.OrganizationConfigRuleDetailedStatus = append(out.OrganizationConfigRuleDetailedStatus, configapi.MemberAccountStatus{
			AccountId: &m.Account, ConfigRuleName: new(r.MemberName()), MemberAccountRuleStatus: configapi.MemberAccountRuleStatus(status),
			ErrorCode: optional(m.Code), ErrorMessage: optional(m.Message), LastUpdateTime: &m.Updated,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("get the status of organization rule %s: %w", *in.OrganizationConfigRuleName, err)
	}
	return out, nil
}

// GetOrganizationCustomRulePolicy returns the text of an organization's policy
// rule.
func (o organizationConfigRules) GetOrganizationCustomRulePolicy(
	ctx context.Context, in *configapi.GetOrganizationCustomRulePolicyInput,
) (*configapi.GetOrganizationCustomRulePolicyOutput, error) {
	var r config.OrganizationRule
	err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = o.named(ctx, tx, *in.OrganizationConfigRuleName)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get organization policy: %w", err)
	}
	if r.Rule.Source.Policy == nil {
		return nil, configapi.NoSuchOrganizationConfigRuleException("The organization config rule '%s' provided in the request is not a custom policy rule.", r.Name)
	}
	return &configapi.GetOrganizationCustomRulePolicyOutput{PolicyText: &r.Rule.Source.Policy.Text}, nil
}

// DeleteOrganizationConfigRule has a rule vanish from all members.
func (o organizationConfigRules) DeleteOrganizationConfigRule(
	ctx context.Context, in *configapi.DeleteOrganizationConfigRuleInput,
) (*configapi.DeleteOrganizationConfigRuleOutput, error) {
	err := o.DB.Write(ctx, func(tx *db.Tx) error {
		return o.Deployment.DeleteRule(ctx, tx, caller.Place(ctx), *in.OrganizationConfigRuleName)
	})
	if err != nil {
		return nil, fmt.Errorf("delete organization rule %s: %w", *in.OrganizationConfigRuleName, err)
	}
	return &configapi.DeleteOrganizationConfigRuleOutput{}, nil
}
