package config

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/deployment"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type organizationConfigRules struct{ Options }

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
	r, err := organizationRuleFromShape(place(ctx), in)
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
	if err := o.Deployment.Check(ctx, r); err != nil {
		return nil, err
	}
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		r, err = o.Deployment.Put(ctx, tx, deployment.Definition{OrganizationRule: r, Tags: tags})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put organization rule %s: %w", r.Name, err)
	}
	return &configapi.PutOrganizationConfigRuleOutput{OrganizationConfigRuleArn: &r.ARN}, nil
}

// page returns the named organization rules, each of which must exist, or a page
// of all of them with one more than n if there are more.
func (o organizationConfigRules) page(ctx context.Context, tx *db.Tx, names []string, after string, n int) (found []config.OrganizationRule, err error) {
	p := place(ctx)
	if _, err := deployment.Administered(ctx, tx, p.Account); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return store.OrganizationRules(ctx, tx, p, after, n+1)
	}
	for _, name := range names {
		r, err := deployment.Named(ctx, tx, p, name)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// each calls f with the named organization rules or those of a page, and returns
// the token of the next one. Names switch paging off.
func (o organizationConfigRules) each(
	ctx context.Context, operation string, names []string, max *int32, token *string, f func(*db.Tx, config.OrganizationRule) error,
) (next *string, err error) {
	n := limit(max, 100)
	pages, after := pager{o.Tokens, operation, []string{place(ctx).String()}}, []string{""}
	if len(names) == 0 {
		if after, err = pages.after(token, 1); err != nil {
			return nil, err
		}
	}
	err = o.DB.Read(ctx, func(tx *db.Tx) error {
		found, err := o.page(ctx, tx, names, after[0], n)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			found, next = cut(pages, found, n, func(r config.OrganizationRule) []string { return []string{r.Name} })
		}
		for _, r := range found {
			if err := f(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return next, err
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
			s, err := deployment.StatusOf(ctx, tx, r)
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
	n, account, status := limit(in.Limit, 100), "", ""
	if f := in.Filters; f != nil {
		account, status = text(f.AccountId), string(f.MemberAccountRuleStatus)
	}
	pages := pager{o.Tokens, "GetOrganizationConfigRuleDetailedStatus", []string{place(ctx).String(), *in.OrganizationConfigRuleName, account, status}}
	after, err := pages.after(in.NextToken, 1)
	if err != nil {
		return nil, err
	}
	out := &configapi.GetOrganizationConfigRuleDetailedStatusOutput{OrganizationConfigRuleDetailedStatus: []configapi.MemberAccountStatus{}}
	err = o.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := o.page(ctx, tx, []string{*in.OrganizationConfigRuleName}, "", 1)
		if err != nil {
			return err
		}
		var found []config.MemberRule
		if account == "" {
			found, err = store.MemberRules(ctx, tx, rules[0], after[0], n+1)
		} else {
			var m config.MemberRule
			if m, err = store.MemberRule(ctx, tx, rules[0], account); errors.Is(err, store.ErrNotFound) {
				return nil
			}
			found = append(found, m)
		}
		if err != nil {
			return err
		}
		found, out.NextToken = cut(pages, found, n, func(m config.MemberRule) []string { return []string{m.Account} })
		for _, m := range found {
			shape := memberShape(rules[0], m)
			if status == "" || status == string(shape.MemberAccountRuleStatus) {
				out.OrganizationConfigRuleDetailedStatus = append(out.OrganizationConfigRuleDetailedStatus, shape)
			}
		}
		return nil
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
	err := o.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := o.page(ctx, tx, []string{*in.OrganizationConfigRuleName}, "", 1)
		if err == nil {
			r = rules[0]
		}
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
	err := o.DB.Write(ctx, func(tx *db.Tx) error { return o.Deployment.Delete(ctx, tx, place(ctx), *in.OrganizationConfigRuleName) })
	if err != nil {
		return nil, fmt.Errorf("delete organization rule %s: %w", *in.OrganizationConfigRuleName, err)
	}
	return &configapi.DeleteOrganizationConfigRuleOutput{}, nil
}
