package lexmodels

import (
	"context"
	"regexp"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/lexmodelsapi"
	"plumb/internal/source/lex"
)

// PutIntent makes or replaces an intent. Lex has to be allowed to invoke its functions.
func (o operations) PutIntent(ctx context.Context, in *api.PutIntentInput) (*api.PutIntentOutput, error) {
	checksum, publish := in.Checksum, model.Deref(in.CreateVersion)
	in.Checksum, in.CreateVersion = nil, nil
	if err := checkIntent(in); err != nil {
		return nil, err
	}
	p := part(ctx, lex.KindIntent, in.Name)
	check := func(tx *db.Tx) error {
		for _, s := range in.Slots {
			if s.SlotTypeVersion == nil {
				continue
			}
			t, err := versioned(ctx, lex.KindSlotType, s.SlotType, s.SlotTypeVersion)
			if err == nil {
				_, err = lex.FindPart(ctx, tx, t)
			}
			if err != nil {
				return asBad(err)
			}
		}
		hooks := []*api.CodeHook{in.DialogCodeHook}
		if in.FulfillmentActivity != nil {
			hooks = append(hooks, in.FulfillmentActivity.CodeHook)
		}
		for _, h := range hooks {
			if h == nil {
				continue
			}
			may, err := lambda.MayInvoke(ctx, tx, *h.Uri, lex.FirstService, p.ARN(), caller.Place(ctx).Account)
			if err != nil {
				return err
			}
			if !may {
				return bad("Lex is unable to access the Lambda function %s in the context of intent %s. Please check the resource-based policy on the function.", *h.Uri, p.ARN())
			}
		}
		return nil
	}
	out := &api.PutIntentOutput{}
	err := o.put(ctx, p, in, checksum, publish, check, out)
	out.CreateVersion = &publish
	return out, err
}

// checkIntent refuses what is not here, and what cannot work.
func checkIntent(in *api.PutIntentInput) error {
	switch {
	case in.KendraConfiguration != nil:
		return bad("Searches of Kendra are not served here.")
	case in.FollowUpPrompt != nil:
		return bad("Follow-up prompts are not served here.")
	case (in.ConfirmationPrompt == nil) != (in.RejectionStatement == nil):
		return bad("An intent has both a confirmationPrompt and a rejectionStatement, or neither.")
	}
	if f := in.FulfillmentActivity; f != nil && f.Type == api.FulfillmentActivityTypeCodeHook && f.CodeHook == nil {
		return bad("The fulfillment activity CodeHook needs a codeHook.")
	}
	samples := in.SampleUtterances
	for _, s := range in.Slots {
		samples = append(samples[:len(samples):len(samples)], s.SampleUtterances...)
		switch {
		case s.SlotConstraint == api.SlotConstraintRequired && s.ValueElicitationPrompt == nil:
			return bad("The slot %s is required and has no valueElicitationPrompt.", *s.Name)
		case s.SlotType == nil:
			return bad("The slot %s has no slotType.", *s.Name)
		case s.ObfuscationSetting == api.ObfuscationSettingDefaultObfuscation:
			return bad("Values of slots are not obfuscated here.")
		}
	}
	for _, s := range samples {
		if err := lex.CheckUtterance(s); err != nil {
			return bad("%s", err)
		}
	}
	return nil
}

// GetIntent tells of an intent in a version.
func (o operations) GetIntent(ctx context.Context, in *api.GetIntentInput) (*api.GetIntentOutput, error) {
	p, err := versioned(ctx, lex.KindIntent, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	out := &api.GetIntentOutput{}
	return out, o.get(ctx, p, out)
}

// GetIntents lists intents by name.
func (o operations) GetIntents(ctx context.Context, in *api.GetIntentsInput) (*api.GetIntentsOutput, error) {
	all, next, err := list[api.IntentMetadata](ctx, o, part(ctx, lex.KindIntent, nil), page{in.NextToken, in.MaxResults, in.NameContains})
	return &api.GetIntentsOutput{Intents: all, NextToken: next}, err
}

// DeleteIntent removes an intent that no bot has.
func (o operations) DeleteIntent(ctx context.Context, in *api.DeleteIntentInput) (*api.DeleteIntentOutput, error) {
	return &api.DeleteIntentOutput{}, o.delete(ctx, part(ctx, lex.KindIntent, in.Name))
}

// CreateIntentVersion keeps an intent as it is.
func (o operations) CreateIntentVersion(ctx context.Context, in *api.CreateIntentVersionInput) (*api.CreateIntentVersionOutput, error) {
	out := &api.CreateIntentVersionOutput{}
	return out, o.publish(ctx, part(ctx, lex.KindIntent, in.Name), in.Checksum, out)
}

// GetIntentVersions lists the versions of an intent.
func (o operations) GetIntentVersions(ctx context.Context, in *api.GetIntentVersionsInput) (*api.GetIntentVersionsOutput, error) {
	all, next, err := listVersions[api.IntentMetadata](ctx, o, part(ctx, lex.KindIntent, in.Name), page{in.NextToken, in.MaxResults, nil})
	return &api.GetIntentVersionsOutput{Intents: all, NextToken: next}, err
}

// DeleteIntentVersion removes a version that no bot has.
func (o operations) DeleteIntentVersion(ctx context.Context, in *api.DeleteIntentVersionInput) (*api.DeleteIntentVersionOutput, error) {
	return &api.DeleteIntentVersionOutput{}, o.deleteVersion(ctx, lex.KindIntent, in.Name, in.Version)
}

// PutSlotType makes or replaces a slot type.
func (o operations) PutSlotType(ctx context.Context, in *api.PutSlotTypeInput) (*api.PutSlotTypeOutput, error) {
	checksum, publish := in.Checksum, model.Deref(in.CreateVersion)
	in.Checksum, in.CreateVersion = nil, nil
	for _, c := range in.SlotTypeConfigurations {
		if r := c.RegexConfiguration; r != nil {
			if _, err := regexp.Compile(*r.Pattern); err != nil {
				return nil, bad("The pattern of the slot type is not a regular expression: %s.", err)
			}
		}
	}
	out := &api.PutSlotTypeOutput{}
	err := o.put(ctx, part(ctx, lex.KindSlotType, in.Name), in, checksum, publish, func(*db.Tx) error { return nil }, out)
	out.CreateVersion = &publish
	return out, err
}

// GetSlotType tells of a slot type in a version.
func (o operations) GetSlotType(ctx context.Context, in *api.GetSlotTypeInput) (*api.GetSlotTypeOutput, error) {
	p, err := versioned(ctx, lex.KindSlotType, in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	out := &api.GetSlotTypeOutput{}
	return out, o.get(ctx, p, out)
}

// GetSlotTypes lists slot types by name.
func (o operations) GetSlotTypes(ctx context.Context, in *api.GetSlotTypesInput) (*api.GetSlotTypesOutput, error) {
	all, next, err := list[api.SlotTypeMetadata](ctx, o, part(ctx, lex.KindSlotType, nil), page{in.NextToken, in.MaxResults, in.NameContains})
	return &api.GetSlotTypesOutput{SlotTypes: all, NextToken: next}, err
}

// DeleteSlotType removes a slot type that no intent has.
func (o operations) DeleteSlotType(ctx context.Context, in *api.DeleteSlotTypeInput) (*api.DeleteSlotTypeOutput, error) {
	return &api.DeleteSlotTypeOutput{}, o.delete(ctx, part(ctx, lex.KindSlotType, in.Name))
}

// CreateSlotTypeVersion keeps a slot type as it is.
func (o operations) CreateSlotTypeVersion(ctx context.Context, in *api.CreateSlotTypeVersionInput) (*api.CreateSlotTypeVersionOutput, error) {
	out := &api.CreateSlotTypeVersionOutput{}
	return out, o.publish(ctx, part(ctx, lex.KindSlotType, in.Name), in.Checksum, out)
}

// GetSlotTypeVersions lists the versions of a slot type.
func (o operations) GetSlotTypeVersions(ctx context.Context, in *api.GetSlotTypeVersionsInput) (*api.GetSlotTypeVersionsOutput, error) {
	all, next, err := listVersions[api.SlotTypeMetadata](ctx, o, part(ctx, lex.KindSlotType, in.Name), page{in.NextToken, in.MaxResults, nil})
	return &api.GetSlotTypeVersionsOutput{SlotTypes: all, NextToken: next}, err
}

// DeleteSlotTypeVersion removes a version that no intent has.
func (o operations) DeleteSlotTypeVersion(ctx context.Context, in *api.DeleteSlotTypeVersionInput) (*api.DeleteSlotTypeVersionOutput, error) {
	return &api.DeleteSlotTypeVersionOutput{}, o.deleteVersion(ctx, lex.KindSlotType, in.Name, in.Version)
}
