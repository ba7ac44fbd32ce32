package events

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
)

// PutRule makes or replaces a rule.
func (o operations) PutRule(ctx context.Context, in *eventsapi.PutRuleInput) (*eventsapi.PutRuleOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	r := eventbus.Rule{
		Place: p, Bus: bus, Name: *in.Name, Pattern: model.Deref(in.EventPattern), Schedule: model.Deref(in.ScheduleExpression), State: string(in.State),
		Description: model.Deref(in.Description), Role: model.Deref(in.RoleArn), Tags: tagsOf(in.Tags),
	}
	if r.State == "" {
		r.State = string(eventsapi.RuleStateEnabled)
	}
	err = o.bus.Write(ctx, func(tx *db.Tx) (err error) {
		r, err = o.bus.PutRule(ctx, tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &eventsapi.PutRuleOutput{RuleArn: new(r.ARN())}, nil
}

// DescribeRule tells of a rule.
func (o operations) DescribeRule(ctx context.Context, in *eventsapi.DescribeRuleInput) (*eventsapi.DescribeRuleOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	var r eventbus.Rule
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = eventbus.FindRule(ctx, tx, p, bus, *in.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	s := ruleShape(r)
	return &eventsapi.DescribeRuleOutput{
		Name: s.Name, Arn: s.Arn, EventPattern: s.EventPattern, ScheduleExpression: s.ScheduleExpression, State: s.State, Description: s.Description,
		RoleArn: s.RoleArn, EventBusName: s.EventBusName, CreatedBy: &r.Account,
	}, nil
}

func ruleShape(r eventbus.Rule) eventsapi.Rule {
	return eventsapi.Rule{
		Name: &r.Name, Arn: new(r.ARN()), EventPattern: model.Optional(r.Pattern), ScheduleExpression: model.Optional(r.Schedule), State: eventsapi.RuleState(r.State),
		Description: model.Optional(r.Description), RoleArn: model.Optional(r.Role), EventBusName: &r.Bus,
	}
}

// ListRules lists rules of a bus by name.
func (o operations) ListRules(ctx context.Context, in *eventsapi.ListRulesInput) (*eventsapi.ListRulesOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	prefix, limit := model.Deref(in.NamePrefix), pageSize(in.Limit)
	after, err := o.after("ListRules", in.NextToken, bus, prefix)
	if err != nil {
		return nil, err
	}
	var list []eventbus.Rule
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = eventbus.Rules(ctx, tx, p, bus, prefix, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListRulesOutput{Rules: []eventsapi.Rule{}}
	list, out.NextToken = page(o, "ListRules", list, limit, func(r eventbus.Rule) string { return r.Name }, bus, prefix)
	for _, r := range list {
		out.Rules = append(out.Rules, ruleShape(r))
	}
	return out, nil
}

// EnableRule has a rule take events again.
func (o operations) EnableRule(ctx context.Context, in *eventsapi.EnableRuleInput) (*eventsapi.EnableRuleOutput, error) {
	return nil, o.setState(ctx, in.EventBusName, *in.Name, eventsapi.RuleStateEnabled)
}

// DisableRule has a rule take no events.
func (o operations) DisableRule(ctx context.Context, in *eventsapi.DisableRuleInput) (*eventsapi.DisableRuleOutput, error) {
	return nil, o.setState(ctx, in.EventBusName, *in.Name, eventsapi.RuleStateDisabled)
}

func (o operations) setState(ctx context.Context, nameOrARN *string, rule string, state eventsapi.RuleState) error {
	p, bus, err := ownBus(ctx, nameOrARN)
	if err != nil {
		return err
	}
	return o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.SetState(ctx, tx, p, bus, rule, string(state)) })
}

// DeleteRule removes a rule that has no targets.
func (o operations) DeleteRule(ctx context.Context, in *eventsapi.DeleteRuleInput) (*eventsapi.DeleteRuleOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return nil, o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.DeleteRule(ctx, tx, p, bus, *in.Name) })
}
