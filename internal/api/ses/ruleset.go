package ses

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
	"plumb/internal/source/ses"
)

// CreateReceiptRuleSet makes an empty rule set.
func (o operations) CreateReceiptRuleSet(ctx context.Context, in *sesapi.CreateReceiptRuleSetInput) (*sesapi.CreateReceiptRuleSetOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.CreateRuleSet(ctx, tx, caller.Place(ctx), *in.RuleSetName) })
	return &sesapi.CreateReceiptRuleSetOutput{}, err
}

// CloneReceiptRuleSet makes a rule set with the rules of another one.
func (o operations) CloneReceiptRuleSet(ctx context.Context, in *sesapi.CloneReceiptRuleSetInput) (*sesapi.CloneReceiptRuleSetOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error {
		return o.mail.CloneRuleSet(ctx, tx, caller.Place(ctx), *in.RuleSetName, *in.OriginalRuleSetName)
	})
	return &sesapi.CloneReceiptRuleSetOutput{}, err
}

// DeleteReceiptRuleSet removes a rule set with its rules.
func (o operations) DeleteReceiptRuleSet(ctx context.Context, in *sesapi.DeleteReceiptRuleSetInput) (*sesapi.DeleteReceiptRuleSetOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error { return o.mail.DeleteRuleSet(ctx, tx, caller.Place(ctx), *in.RuleSetName) })
	return &sesapi.DeleteReceiptRuleSetOutput{}, err
}

func metadata(s ses.RuleSet) *sesapi.ReceiptRuleSetMetadata {
	return &sesapi.ReceiptRuleSetMetadata{Name: &s.Name, CreatedTimestamp: model.Moment(s.Created)}
}

// DescribeReceiptRuleSet tells of a rule set and its rules.
func (o operations) DescribeReceiptRuleSet(ctx context.Context, in *sesapi.DescribeReceiptRuleSetInput) (*sesapi.DescribeReceiptRuleSetOutput, error) {
	out := &sesapi.DescribeReceiptRuleSetOutput{}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		s, err := ses.FindRuleSet(ctx, tx, caller.Place(ctx), *in.RuleSetName)
		if err != nil {
			return err
		}
		rules, err := ses.Rules(ctx, tx, s.Place, s.Name)
		out.Metadata, out.Rules = metadata(s), shapes(rules)
		return err
	})
	return out, err
}

// page is how many rule sets or identities an answer lists.
const page = 100

// ListReceiptRuleSets lists rule sets by name.
func (o operations) ListReceiptRuleSets(ctx context.Context, in *sesapi.ListReceiptRuleSetsInput) (*sesapi.ListReceiptRuleSetsOutput, error) {
	p := caller.Place(ctx)
	after, ok := o.tokens.Decode("ListReceiptRuleSets", model.Deref(in.NextToken), p.Account, p.Region)
	if !ok {
		return nil, invalid("Invalid NextToken.")
	}
	var list []ses.RuleSet
	err := o.mail.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = ses.RuleSets(ctx, tx, p, after, page+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sesapi.ListReceiptRuleSetsOutput{RuleSets: []sesapi.ReceiptRuleSetMetadata{}}
	if len(list) > page {
		list = list[:page]
		out.NextToken = new(o.tokens.Encode("ListReceiptRuleSets", list[page-1].Name, p.Account, p.Region))
	}
	for _, s := range list {
		out.RuleSets = append(out.RuleSets, *metadata(s))
	}
	return out, nil
}

// SetActiveReceiptRuleSet has mail received by a rule set, or by none.
func (o operations) SetActiveReceiptRuleSet(ctx context.Context, in *sesapi.SetActiveReceiptRuleSetInput) (*sesapi.SetActiveReceiptRuleSetOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error {
		return o.mail.SetActive(ctx, tx, caller.Place(ctx), model.Deref(in.RuleSetName))
	})
	if err != nil {
		return nil, err
	}
	o.mail.Changed(ctx)
	return &sesapi.SetActiveReceiptRuleSetOutput{}, nil
}

// DescribeActiveReceiptRuleSet tells of the active rule set, if there is one.
func (o operations) DescribeActiveReceiptRuleSet(
	ctx context.Context, _ *sesapi.DescribeActiveReceiptRuleSetInput,
) (*sesapi.DescribeActiveReceiptRuleSetOutput, error) {
	out := &sesapi.DescribeActiveReceiptRuleSetOutput{}
	err := o.mail.Read(ctx, func(tx *db.Tx) error {
		s, ok, err := ses.Active(ctx, tx, caller.Place(ctx))
		if err != nil || !ok {
			return err
		}
		rules, err := ses.Rules(ctx, tx, s.Place, s.Name)
		out.Metadata, out.Rules = metadata(s), shapes(rules)
		return err
	})
	return out, err
}

// ReorderReceiptRuleSet gives the rules of a set another order.
func (o operations) ReorderReceiptRuleSet(ctx context.Context, in *sesapi.ReorderReceiptRuleSetInput) (*sesapi.ReorderReceiptRuleSetOutput, error) {
	err := o.mail.Write(ctx, func(tx *db.Tx) error {
		return o.mail.Reorder(ctx, tx, caller.Place(ctx), *in.RuleSetName, in.RuleNames)
	})
	return &sesapi.ReorderReceiptRuleSetOutput{}, err
}
