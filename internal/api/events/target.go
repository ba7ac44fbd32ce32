package events

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
)

// PutTargets adds targets to a rule.
func (o operations) PutTargets(ctx context.Context, in *eventsapi.PutTargetsInput) (*eventsapi.PutTargetsOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	var targets []eventbus.Target
	for _, t := range in.Targets {
		if t.KinesisParameters != nil || t.RunCommandParameters != nil || t.EcsParameters != nil || t.BatchParameters != nil || t.HttpParameters != nil ||
			t.RedshiftDataParameters != nil || t.SageMakerPipelineParameters != nil || t.AppSyncParameters != nil {
			return nil, model.ValidationException("Target %s has parameters of a service that no events are sent to here.", *t.Id)
		}
		targets = append(targets, targetFromShape(t))
	}
	err = o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.PutTargets(ctx, tx, p, bus, *in.Rule, targets) })
	if err != nil {
		return nil, err
	}
	return &eventsapi.PutTargetsOutput{FailedEntryCount: new(int32(0)), FailedEntries: []eventsapi.PutTargetsResultEntry{}}, nil
}

func targetFromShape(t eventsapi.Target) eventbus.Target {
	out := eventbus.Target{ID: *t.Id, ARN: *t.Arn, Role: model.Deref(t.RoleArn), Input: model.Deref(t.Input), Path: model.Deref(t.InputPath)}
	if t.InputTransformer != nil {
		out.Transformer = &eventbus.Transformer{Paths: t.InputTransformer.InputPathsMap, Template: model.Deref(t.InputTransformer.InputTemplate)}
	}
	if t.SqsParameters != nil {
		out.Group = model.Deref(t.SqsParameters.MessageGroupId)
	}
	if t.DeadLetterConfig != nil {
		out.DeadLetters = model.Deref(t.DeadLetterConfig.Arn)
	}
	if t.RetryPolicy != nil {
		out.GivenRetries, out.GivenAge = t.RetryPolicy.MaximumRetryAttempts, t.RetryPolicy.MaximumEventAgeInSeconds
	}
	return out
}

func targetShape(t eventbus.Target) eventsapi.Target {
	out := eventsapi.Target{
		Id: &t.ID, Arn: &t.ARN, RoleArn: model.Optional(t.Role), Input: model.Optional(t.Input), InputPath: model.Optional(t.Path), DeadLetterConfig: deadLetters(t.DeadLetters),
	}
	if t.Transformer != nil {
		out.InputTransformer = &eventsapi.InputTransformer{InputPathsMap: t.Transformer.Paths, InputTemplate: &t.Transformer.Template}
	}
	if t.Group != "" {
		out.SqsParameters = &eventsapi.SqsParameters{MessageGroupId: &t.Group}
	}
	if t.GivenRetries != nil || t.GivenAge != nil {
		out.RetryPolicy = &eventsapi.RetryPolicy{MaximumRetryAttempts: t.GivenRetries, MaximumEventAgeInSeconds: t.GivenAge}
	}
	return out
}

// RemoveTargets takes targets from a rule.
func (o operations) RemoveTargets(ctx context.Context, in *eventsapi.RemoveTargetsInput) (*eventsapi.RemoveTargetsOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	err = o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.RemoveTargets(ctx, tx, p, bus, *in.Rule, in.Ids) })
	if err != nil {
		return nil, err
	}
	return &eventsapi.RemoveTargetsOutput{FailedEntryCount: new(int32(0)), FailedEntries: []eventsapi.RemoveTargetsResultEntry{}}, nil
}

// ListTargetsByRule lists the targets of a rule by id.
func (o operations) ListTargetsByRule(ctx context.Context, in *eventsapi.ListTargetsByRuleInput) (*eventsapi.ListTargetsByRuleOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	limit := pageSize(in.Limit)
	after, err := o.after("ListTargetsByRule", in.NextToken, bus, *in.Rule)
	if err != nil {
		return nil, err
	}
	var list []eventbus.Target
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = eventbus.Targets(ctx, tx, p, bus, *in.Rule, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListTargetsByRuleOutput{Targets: []eventsapi.Target{}}
	list, out.NextToken = page(o, "ListTargetsByRule", list, limit, func(t eventbus.Target) string { return t.ID }, bus, *in.Rule)
	for _, t := range list {
		out.Targets = append(out.Targets, targetShape(t))
	}
	return out, nil
}

// ListRuleNamesByTarget lists the rules of a bus that send to a target.
func (o operations) ListRuleNamesByTarget(ctx context.Context, in *eventsapi.ListRuleNamesByTargetInput) (*eventsapi.ListRuleNamesByTargetOutput, error) {
	p, bus, err := ownBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	limit := pageSize(in.Limit)
	after, err := o.after("ListRuleNamesByTarget", in.NextToken, bus, *in.TargetArn)
	if err != nil {
		return nil, err
	}
	var names []string
	err = o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		names, err = eventbus.RulesOfTarget(ctx, tx, p, bus, *in.TargetArn, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListRuleNamesByTargetOutput{RuleNames: []string{}}
	names, out.NextToken = page(o, "ListRuleNamesByTarget", names, limit, func(name string) string { return name }, bus, *in.TargetArn)
	out.RuleNames = append(out.RuleNames, names...)
	return out, nil
}
