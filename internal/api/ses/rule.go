package ses

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
	"plumb/internal/source/ses"
)

// CreateReceiptRule makes a rule, after another one or first.
func (o operations) CreateReceiptRule(ctx context.Context, in *sesapi.CreateReceiptRuleInput) (*sesapi.CreateReceiptRuleOutput, error) {
	return &sesapi.CreateReceiptRuleOutput{}, o.put(ctx, *in.RuleSetName, in.Rule, model.Deref(in.After), true)
}

// UpdateReceiptRule puts another rule in the place of the one of its name.
func (o operations) UpdateReceiptRule(ctx context.Context, in *sesapi.UpdateReceiptRuleInput) (*sesapi.UpdateReceiptRuleOutput, error) {
	return &sesapi.UpdateReceiptRuleOutput{}, o.put(ctx, *in.RuleSetName, in.Rule, "", false)
}

func (o operations) put(ctx context.Context, set string, shape *sesapi.ReceiptRule, after string, create bool) error {
	r, err := ruleOf(shape)
	if err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	if err := o.mail.Reach(ctx, caller.Place(ctx), set, r); err != nil {
		return err
	}
	return o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.PutRule(ctx, tx, caller.Place(ctx), set, r, after, create) })
}

// ruleOf reads a rule. Actions of other services are refused.
func ruleOf(in *sesapi.ReceiptRule) (ses.Rule, error) {
	r := ses.Rule{Name: *in.Name, Enabled: model.Deref(in.Enabled), TLS: string(in.TlsPolicy), Recipients: in.Recipients, Scan: model.Deref(in.ScanEnabled)}
	for _, a := range in.Actions {
		out, n := actionOf(a)
		switch {
		case a.WorkmailAction != nil, a.ConnectAction != nil:
			return r, invalid("WorkmailAction and ConnectAction are not served here.")
		case n != 1:
			return r, invalid("An action is exactly one of S3Action, BounceAction, LambdaAction, StopAction, AddHeaderAction and SNSAction.")
		}
		r.Actions = append(r.Actions, out)
	}
	return r, nil
}

// actionOf reads an action, and tells how many there are in its place.
func actionOf(in sesapi.ReceiptAction) (out ses.Action, n int) {
	if a := in.S3Action; a != nil {
		out, n = ses.Action{Type: ses.ActionS3, Topic: model.Deref(a.TopicArn), Bucket: *a.BucketName, Prefix: model.Deref(a.ObjectKeyPrefix), KMSKey: model.Deref(a.KmsKeyArn),
			Role: model.Deref(a.IamRoleArn)}, n+1
	}
	if a := in.SNSAction; a != nil {
		out, n = ses.Action{Type: ses.ActionSNS, Topic: *a.TopicArn, Encoding: string(a.Encoding)}, n+1
	}
	if a := in.LambdaAction; a != nil {
		out, n = ses.Action{Type: ses.ActionLambda, Topic: model.Deref(a.TopicArn), Function: *a.FunctionArn, Invocation: string(a.InvocationType)}, n+1
	}
	if a := in.StopAction; a != nil {
		out, n = ses.Action{Type: ses.ActionStop, Topic: model.Deref(a.TopicArn)}, n+1
	}
	if a := in.BounceAction; a != nil {
		out, n = ses.Action{Type: ses.ActionBounce, Topic: model.Deref(a.TopicArn), ReplyCode: *a.SmtpReplyCode, Status: model.Deref(a.StatusCode), Message: *a.Message,
			Sender: *a.Sender}, n+1
	}
	if a := in.AddHeaderAction; a != nil {
		out, n = ses.Action{Type: ses.ActionAddHeader, HeaderName: *a.HeaderName, HeaderValue: *a.HeaderValue}, n+1
	}
	return out, n
}

func shapes(rules []ses.Rule) []sesapi.ReceiptRule {
	out := []sesapi.ReceiptRule{}
	for _, r := range rules {
		out = append(out, shapeOf(r))
	}
	return out
}

func shapeOf(r ses.Rule) sesapi.ReceiptRule {
	out := sesapi.ReceiptRule{
		Name: &r.Name, Enabled: &r.Enabled, TlsPolicy: sesapi.TlsPolicy(r.TLS), Recipients: r.Recipients, ScanEnabled: &r.Scan, Actions: []sesapi.ReceiptAction{},
	}
	for _, a := range r.Actions {
		topic := model.Optional(a.Topic)
		var s sesapi.ReceiptAction
		switch a.Type {
		case ses.ActionS3:
			s.S3Action = &sesapi.S3Action{TopicArn: topic, BucketName: &a.Bucket, ObjectKeyPrefix: model.Optional(a.Prefix), KmsKeyArn: model.Optional(a.KMSKey), IamRoleArn: model.Optional(a.Role)}
		case ses.ActionSNS:
			s.SNSAction = &sesapi.SNSAction{TopicArn: topic, Encoding: sesapi.SNSActionEncoding(a.Encoding)}
		case ses.ActionLambda:
			s.LambdaAction = &sesapi.LambdaAction{TopicArn: topic, FunctionArn: &a.Function, InvocationType: sesapi.InvocationType(a.Invocation)}
		case ses.ActionStop:
			s.StopAction = &sesapi.StopAction{TopicArn: topic, Scope: sesapi.StopScopeRuleSet}
		case ses.ActionBounce:
			s.BounceAction = &sesapi.BounceAction{TopicArn: topic, SmtpReplyCode: &a.ReplyCode, StatusCode: model.Optional(a.Status), Message: &a.Message, Sender: &a.Sender}
		case ses.ActionAddHeader:
			s.AddHeaderAction = &sesapi.AddHeaderAction{HeaderName: &a.HeaderName, HeaderValue: &a.HeaderValue}
		}
		out.Actions = append(out.Actions, s)
	}
	return out
}

// DescribeReceiptRule tells of a rule.
func (o operations) DescribeReceiptRule(ctx context.Context, in *sesapi.DescribeReceiptRuleInput) (*sesapi.DescribeReceiptRuleOutput, error) {
	out := &sesapi.DescribeReceiptRuleOutput{}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		r, err := ses.FindRule(ctx, tx, caller.Place(ctx), *in.RuleSetName, *in.RuleName)
		out.Rule = new(shapeOf(r))
		return err
	})
	return out, err
}

// DeleteReceiptRule removes a rule.
func (o operations) DeleteReceiptRule(ctx context.Context, in *sesapi.DeleteReceiptRuleInput) (*sesapi.DeleteReceiptRuleOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error {
		return o.mail.DeleteRule(ctx, tx, caller.Place(ctx), *in.RuleSetName, *in.RuleName)
	})
	return &sesapi.DeleteReceiptRuleOutput{}, err
}

// SetReceiptRulePosition puts a rule after another one, or first.
func (o operations) SetReceiptRulePosition(ctx context.Context, in *sesapi.SetReceiptRulePositionInput) (*sesapi.SetReceiptRulePositionOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error {
		return o.mail.Place(ctx, tx, caller.Place(ctx), *in.RuleSetName, *in.RuleName, model.Deref(in.After))
	})
	return &sesapi.SetReceiptRulePositionOutput{}, err
}

// CreateReceiptFilter blocks or allows mail from a network.
func (o operations) CreateReceiptFilter(ctx context.Context, in *sesapi.CreateReceiptFilterInput) (*sesapi.CreateReceiptFilterOutput, error) {
	f := ses.Filter{Name: *in.Filter.Name, Allow: in.Filter.IpFilter.Policy == sesapi.ReceiptFilterPolicyAllow, CIDR: *in.Filter.IpFilter.Cidr}
	err := o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.CreateFilter(ctx, tx, caller.Place(ctx), f) })
	return &sesapi.CreateReceiptFilterOutput{}, err
}

// DeleteReceiptFilter removes a filter.
func (o operations) DeleteReceiptFilter(ctx context.Context, in *sesapi.DeleteReceiptFilterInput) (*sesapi.DeleteReceiptFilterOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.DeleteFilter(ctx, tx, caller.Place(ctx), *in.FilterName) })
	return &sesapi.DeleteReceiptFilterOutput{}, err
}

// ListReceiptFilters lists all filters.
func (o operations) ListReceiptFilters(ctx context.Context, _ *sesapi.ListReceiptFiltersInput) (*sesapi.ListReceiptFiltersOutput, error) {
	out := &sesapi.ListReceiptFiltersOutput{Filters: []sesapi.ReceiptFilter{}}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		all, err := ses.Filters(ctx, tx, caller.Place(ctx))
		for _, f := range all {
			policy := sesapi.ReceiptFilterPolicyBlock
			if f.Allow {
				policy = sesapi.ReceiptFilterPolicyAllow
			}
			out.Filters = append(out.Filters, sesapi.ReceiptFilter{Name: &f.Name, IpFilter: &sesapi.ReceiptIpFilter{Policy: policy, Cidr: &f.CIDR}})
		}
		return err
	})
	return out, err
}
