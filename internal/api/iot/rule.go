package iot

import (
	"context"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iotapi"
	"plumb/internal/source/iot"
	"plumb/internal/source/iot/sql"
)

// CreateTopicRule makes a rule. Its tags are not kept.
func (o operations) CreateTopicRule(ctx context.Context, in *iotapi.CreateTopicRuleInput) (*iotapi.CreateTopicRuleOutput, error) {
	r, err := o.ruleOf(ctx, *in.RuleName, in.TopicRulePayload)
	if err != nil {
		return nil, err
	}
	return &iotapi.CreateTopicRuleOutput{}, o.change(ctx, func(tx *db.Tx) error { return o.engine.CreateRule(ctx, tx, r) })
}

// ReplaceTopicRule puts another rule in the place of the one of its name.
func (o operations) ReplaceTopicRule(ctx context.Context, in *iotapi.ReplaceTopicRuleInput) (*iotapi.ReplaceTopicRuleOutput, error) {
	r, err := o.ruleOf(ctx, *in.RuleName, in.TopicRulePayload)
	if err != nil {
		return nil, err
	}
	return &iotapi.ReplaceTopicRuleOutput{}, o.change(ctx, func(tx *db.Tx) error { return o.engine.ReplaceRule(ctx, tx, r) })
}

// change writes, and tells who listens for devices.
func (o operations) change(ctx context.Context, f func(tx *db.Tx) error) error {
	if err := o.engine.Write(ctx, f); err != nil {
		return err
	}
	o.engine.Changed(ctx)
	return nil
}

func (o operations) ruleOf(ctx context.Context, name string, in *iotapi.TopicRulePayload) (iot.Rule, error) {
	r := iot.Rule{Place: caller.Place(ctx), Name: name, SQL: *in.Sql, Version: model.Deref(in.AwsIotSqlVersion), Description: model.Deref(in.Description),
		Enabled: !model.Deref(in.RuleDisabled)}
	for _, shape := range in.Actions {
		a, err := actionOf(shape)
		if err != nil {
			return r, err
		}
		r.Actions = append(r.Actions, a)
	}
	if in.ErrorAction != nil {
		a, err := actionOf(*in.ErrorAction)
		if err != nil {
			return r, err
		}
		r.ErrorAction = &a
	}
	return r, nil
}

// actionOf reads an action. Those of other services are refused.
func actionOf(in iotapi.Action) (out iot.Action, err error) {
	n := 0
	if a := in.Lambda; a != nil {
		out, n = iot.Action{Type: iot.ActionLambda, Target: *a.FunctionArn}, n+1
	}
	if a := in.Sns; a != nil {
		if a.MessageFormat == iotapi.MessageFormatJson {
			return out, invalid("Messages to topics are sent as they are here: the format JSON is not served.")
		}
		out, n = iot.Action{Type: iot.ActionSNS, Target: *a.TargetArn, Role: *a.RoleArn, Format: string(a.MessageFormat)}, n+1
	}
	if a := in.Sqs; a != nil {
		out, n = iot.Action{Type: iot.ActionSQS, Target: *a.QueueUrl, Role: *a.RoleArn, Base64: model.Deref(a.UseBase64)}, n+1
	}
	if a := in.S3; a != nil {
		out, n = iot.Action{Type: iot.ActionS3, Target: *a.BucketName, Role: *a.RoleArn, Key: *a.Key, ACL: string(a.CannedAcl)}, n+1
	}
	if n != 1 {
		return out, invalid("An action is exactly one of lambda, sns, sqs and s3 here.")
	}
	return out, nil
}

func actionShape(a iot.Action) iotapi.Action {
	switch a.Type {
	case iot.ActionLambda:
		return iotapi.Action{Lambda: &iotapi.LambdaAction{FunctionArn: &a.Target}}
	case iot.ActionSNS:
		return iotapi.Action{Sns: &iotapi.SnsAction{TargetArn: &a.Target, RoleArn: &a.Role, MessageFormat: iotapi.MessageFormat(a.Format)}}
	case iot.ActionSQS:
		return iotapi.Action{Sqs: &iotapi.SqsAction{QueueUrl: &a.Target, RoleArn: &a.Role, UseBase64: &a.Base64}}
	}
	return iotapi.Action{S3: &iotapi.S3Action{BucketName: &a.Target, RoleArn: &a.Role, Key: &a.Key, CannedAcl: iotapi.CannedAccessControlList(a.ACL)}}
}

// GetTopicRule tells of a rule.
func (o operations) GetTopicRule(ctx context.Context, in *iotapi.GetTopicRuleInput) (*iotapi.GetTopicRuleOutput, error) {
	var r iot.Rule
	err := o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		r, err = iot.FindRule(ctx, tx, caller.Place(ctx), *in.RuleName)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iotapi.TopicRule{RuleName: &r.Name, Sql: &r.SQL, Description: model.Optional(r.Description), CreatedAt: &r.Created, Actions: []iotapi.Action{},
		RuleDisabled: new(!r.Enabled), AwsIotSqlVersion: &r.Version}
	for _, a := range r.Actions {
		out.Actions = append(out.Actions, actionShape(a))
	}
	if r.ErrorAction != nil {
		out.ErrorAction = new(actionShape(*r.ErrorAction))
	}
	return &iotapi.GetTopicRuleOutput{RuleArn: new(r.ARN()), Rule: out}, nil
}

// ListTopicRules lists rules by name: all, those for a topic, those that are disabled or
// not. A page may have fewer than were asked for.
func (o operations) ListTopicRules(ctx context.Context, in *iotapi.ListTopicRulesInput) (*iotapi.ListTopicRulesOutput, error) {
	const most = 10_000
	limit, err := pageSize(in.MaxResults, 100, most)
	if err != nil {
		return nil, err
	}
	limit = min(limit, 1000)
	topic, disabled := model.Deref(in.Topic), ""
	if in.RuleDisabled != nil {
		disabled = strconv.FormatBool(*in.RuleDisabled)
	}
	after, ok := o.tokens.Decode("ListTopicRules", model.Deref(in.NextToken), topic, disabled)
	if !ok {
		return nil, badToken()
	}
	var list []iot.Rule
	err = o.engine.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = iot.Rules(ctx, tx, caller.Place(ctx), after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iotapi.ListTopicRulesOutput{Rules: []iotapi.TopicRuleListItem{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListTopicRules", list[limit-1].Name, topic, disabled))
	}
	for _, r := range list {
		filter := r.Filter()
		if topic != "" && !sql.Matches(filter, topic) || in.RuleDisabled != nil && *in.RuleDisabled == r.Enabled {
			continue
		}
		out.Rules = append(out.Rules, iotapi.TopicRuleListItem{RuleArn: new(r.ARN()), RuleName: &r.Name, TopicPattern: &filter, CreatedAt: &r.Created,
			RuleDisabled: new(!r.Enabled)})
	}
	return out, nil
}

// EnableTopicRule has a rule be asked.
func (o operations) EnableTopicRule(ctx context.Context, in *iotapi.EnableTopicRuleInput) (*iotapi.EnableTopicRuleOutput, error) {
	return &iotapi.EnableTopicRuleOutput{}, o.change(ctx, func(tx *db.Tx) error { return o.engine.EnableRule(ctx, tx, caller.Place(ctx), *in.RuleName, true) })
}

// DisableTopicRule has a rule not be asked.
func (o operations) DisableTopicRule(ctx context.Context, in *iotapi.DisableTopicRuleInput) (*iotapi.DisableTopicRuleOutput, error) {
	return &iotapi.DisableTopicRuleOutput{}, o.change(ctx, func(tx *db.Tx) error { return o.engine.EnableRule(ctx, tx, caller.Place(ctx), *in.RuleName, false) })
}

// DeleteTopicRule removes a rule.
func (o operations) DeleteTopicRule(ctx context.Context, in *iotapi.DeleteTopicRuleInput) (*iotapi.DeleteTopicRuleOutput, error) {
	return &iotapi.DeleteTopicRuleOutput{}, o.change(ctx, func(tx *db.Tx) error { return o.engine.DeleteRule(ctx, tx, caller.Place(ctx), *in.RuleName) })
}
