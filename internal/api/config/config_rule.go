package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

type configRules struct{ Options }

func (c configRules) register(s *configapi.Service) {
	s.PutConfigRule(c.PutConfigRule)
	s.DeleteConfigRule(c.DeleteConfigRule)
	s.DescribeConfigRules(c.DescribeConfigRules)
	s.DescribeConfigRuleEvaluationStatus(c.DescribeConfigRuleEvaluationStatus)
	s.StartConfigRulesEvaluation(c.StartConfigRulesEvaluation)
	s.GetCustomRulePolicy(c.GetCustomRulePolicy)
}

// PutConfigRule creates or replaces a rule and asks for a first evaluation.
func (c configRules) PutConfigRule(ctx context.Context, in *configapi.PutConfigRuleInput) (*configapi.PutConfigRuleOutput, error) {
	if err := rule.CheckShape(in.ConfigRule); err != nil {
		return nil, err
	}
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	p, err := c.Rules.Prepare(ctx, rule.Definition{Rule: rule.FromShape(caller.Place(ctx), in.ConfigRule), Tags: tags})
	if err != nil {
		return nil, err
	}
	err = c.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := c.Rules.Put(ctx, tx, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put rule %s: %w", p.Name, err)
	}
	return &configapi.PutConfigRuleOutput{}, nil
}

// DeleteConfigRule has a rule and its results vanish.
func (c configRules) DeleteConfigRule(ctx context.Context, in *configapi.DeleteConfigRuleInput) (*configapi.DeleteConfigRuleOutput, error) {
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		return c.Rules.Delete(ctx, tx, caller.Place(ctx), *in.ConfigRuleName, "")
	})
	if err != nil {
		return nil, fmt.Errorf("delete rule %s: %w", *in.ConfigRuleName, err)
	}
	return &configapi.DeleteConfigRuleOutput{}, nil
}

// namedRules returns the rules of those names, each of which must exist; without
// names, a page of all rules after one, with one more than n if there are more.
func namedRules(ctx context.Context, tx *db.Tx, p config.Place, names []string, after string, n int) ([]config.Rule, error) {
	if len(names) == 0 {
		return store.Rules(ctx, tx, p, after, n+1)
	}
	var out []config.Rule
	for _, name := range names {
		r, err := rule.Named(ctx, tx, p, name)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// rulePage is how many rules the pages of operations without a limit have.
const rulePage = 25

// DescribeConfigRules returns the named rules, or pages of all of them in the
// byte order of their names.
func (c configRules) DescribeConfigRules(ctx context.Context, in *configapi.DescribeConfigRulesInput) (*configapi.DescribeConfigRulesOutput, error) {
	mode := ""
	if in.Filters != nil {
		mode = string(in.Filters.EvaluationMode)
	}
	p := caller.Place(ctx)
	out := &configapi.DescribeConfigRulesOutput{ConfigRules: []configapi.ConfigRule{}}
	after, ok := c.Tokens.Decode("DescribeConfigRules", text(in.NextToken), p.String(), mode)
	if !ok {
		return nil, invalidNextToken()
	}
	var rules []config.Rule
	err := c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		rules, err = namedRules(ctx, tx, p, in.ConfigRuleNames, after, rulePage)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe rules: %w", err)
	}
	if len(in.ConfigRuleNames) == 0 && len(rules) > rulePage {
		rules = rules[:rulePage]
		out.NextToken = new(c.Tokens.Encode("DescribeConfigRules", rules[rulePage-1].Name, p.String(), mode))
	}
	for _, r := range rules {
		if mode == "" || r.InMode(mode) {
			out.ConfigRules = append(out.ConfigRules, ruleShape(r))
		}
	}
	return out, nil
}

// statusPage is how many rules a page has without a limit: all that there can be.
const statusPage = 1000

// DescribeConfigRuleEvaluationStatus tells how rules fare.
func (c configRules) DescribeConfigRuleEvaluationStatus(
	ctx context.Context, in *configapi.DescribeConfigRuleEvaluationStatusInput,
) (*configapi.DescribeConfigRuleEvaluationStatusOutput, error) {
	p, n := caller.Place(ctx), limit(in.Limit, statusPage)
	after, ok := c.Tokens.Decode("DescribeConfigRuleEvaluationStatus", text(in.NextToken), p.String())
	if !ok {
		return nil, invalidNextToken()
	}
	out := &configapi.DescribeConfigRuleEvaluationStatusOutput{ConfigRulesEvaluationStatus: []configapi.ConfigRuleEvaluationStatus{}}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := namedRules(ctx, tx, p, in.ConfigRuleNames, after, n)
		if err != nil {
			return err
		}
		for i, r := range rules {
			if i == n && len(in.ConfigRuleNames) == 0 {
				out.NextToken = new(c.Tokens.Encode("DescribeConfigRuleEvaluationStatus", rules[i-1].Name, p.String()))
				break
			}
			st, err := store.RuleStatus(ctx, tx, r.ID)
			if err != nil {
				return err
			}
			failed, one, err := store.RuleFailures(ctx, tx, r)
			if err != nil {
				return err
			}
			st.LastErrorMessage = withFailures(st.LastErrorMessage, failed, one)
			out.ConfigRulesEvaluationStatus = append(out.ConfigRulesEvaluationStatus, statusShape(r, st))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe rule status: %w", err)
	}
	return out, nil
}

// StartConfigRulesEvaluation has rules judge what is recorded. A rule can be
// asked once a minute.
func (c configRules) StartConfigRulesEvaluation(
	ctx context.Context, in *configapi.StartConfigRulesEvaluationInput,
) (*configapi.StartConfigRulesEvaluationOutput, error) {
	if len(in.ConfigRuleNames) == 0 {
		return nil, configapi.InvalidParameterValueException("At least one config rule name must be specified in ConfigRuleNames.")
	}
	p := caller.Place(ctx)
	err := c.DB.Write(ctx, func(tx *db.Tx) error {
		return c.Rules.Evaluate(ctx, tx, p, in.ConfigRuleNames)
	})
	if err != nil {
		return nil, fmt.Errorf("start evaluation: %w", err)
	}
	return &configapi.StartConfigRulesEvaluationOutput{}, nil
}

// GetCustomRulePolicy returns the text of a custom policy rule.
func (c configRules) GetCustomRulePolicy(
	ctx context.Context, in *configapi.GetCustomRulePolicyInput,
) (*configapi.GetCustomRulePolicyOutput, error) {
	var r config.Rule
	err := c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = rule.Named(ctx, tx, caller.Place(ctx), text(in.ConfigRuleName))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get policy: %w", err)
	}
	if r.Source.Policy == nil {
		return nil, configapi.NoSuchConfigRuleException("The ConfigRule '%s' provided in the request is not a custom policy rule.", r.Name)
	}
	return &configapi.GetCustomRulePolicyOutput{PolicyText: &r.Source.Policy.Text}, nil
}
