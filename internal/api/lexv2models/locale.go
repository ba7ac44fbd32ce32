package lexv2models

import (
	"context"
	"reflect"
	"regexp"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	api "plumb/internal/model/lexv2modelsapi"
	"plumb/internal/source/lex"
)

// CreateBotLocale adds a language to a bot, with the intent for what is not understood.
func (o operations) CreateBotLocale(ctx context.Context, in *api.CreateBotLocaleInput) (*api.CreateBotLocaleOutput, error) {
	out := &api.CreateBotLocaleOutput{}
	return out, o.create(ctx, lex.KindLocale, in, out)
}

// BuildBotLocale makes a language ready to be talked in.
func (o operations) BuildBotLocale(ctx context.Context, in *api.BuildBotLocaleInput) (*api.BuildBotLocaleOutput, error) {
	var r lex.Resource
	err := o.bots.Write(ctx, func(tx *db.Tx) (err error) {
		r, err = o.bots.Build(ctx, tx, of(ctx, lex.KindLocale, in))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.BuildBotLocaleOutput{BotId: in.BotId, BotVersion: in.BotVersion, LocaleId: in.LocaleId, BotLocaleStatus: api.BotLocaleStatusBuilding,
		LastBuildSubmittedDateTime: &r.Built}, nil
}

// DescribeBotLocale tells of a language.
func (o operations) DescribeBotLocale(ctx context.Context, in *api.DescribeBotLocaleInput) (*api.DescribeBotLocaleOutput, error) {
	out := &api.DescribeBotLocaleOutput{}
	if err := o.describe(ctx, lex.KindLocale, in, out); err != nil {
		return nil, err
	}
	return out, o.bots.Read(ctx, func(tx *db.Tx) error {
		for kind, n := range map[lex.Kind]**int32{lex.KindIntent: &out.IntentsCount, lex.KindSlotType: &out.SlotTypesCount} {
			all, err := lex.List(ctx, tx, lex.Resource{Place: caller.Place(ctx), Bot: *in.BotId, Kind: kind, Version: *in.BotVersion, Locale: *in.LocaleId}, "", 10_000)
			if err != nil {
				return err
			}
			*n = new(int32(len(all)))
		}
		return nil
	})
}

// UpdateBotLocale changes a language.
func (o operations) UpdateBotLocale(ctx context.Context, in *api.UpdateBotLocaleInput) (*api.UpdateBotLocaleOutput, error) {
	out := &api.UpdateBotLocaleOutput{}
	return out, o.update(ctx, lex.KindLocale, in, out)
}

// ListBotLocales lists languages by id.
func (o operations) ListBotLocales(ctx context.Context, in *api.ListBotLocalesInput) (*api.ListBotLocalesOutput, error) {
	all, next, err := list[api.BotLocaleSummary](ctx, o, lex.KindLocale, in)
	return &api.ListBotLocalesOutput{BotId: in.BotId, BotVersion: in.BotVersion, BotLocaleSummaries: all, NextToken: next}, err
}

// DeleteBotLocale removes a language.
func (o operations) DeleteBotLocale(ctx context.Context, in *api.DeleteBotLocaleInput) (*api.DeleteBotLocaleOutput, error) {
	return &api.DeleteBotLocaleOutput{BotId: in.BotId, BotVersion: in.BotVersion, LocaleId: in.LocaleId, BotLocaleStatus: api.BotLocaleStatusDeleting},
		o.delete(ctx, lex.KindLocale, in)
}

// CreateIntent makes an intent.
func (o operations) CreateIntent(ctx context.Context, in *api.CreateIntentInput) (*api.CreateIntentOutput, error) {
	out := &api.CreateIntentOutput{}
	return out, o.create(ctx, lex.KindIntent, in, out)
}

// DescribeIntent tells of an intent.
func (o operations) DescribeIntent(ctx context.Context, in *api.DescribeIntentInput) (*api.DescribeIntentOutput, error) {
	out := &api.DescribeIntentOutput{}
	return out, o.describe(ctx, lex.KindIntent, in, out)
}

// UpdateIntent changes an intent, and in which order its slots are asked for.
func (o operations) UpdateIntent(ctx context.Context, in *api.UpdateIntentInput) (*api.UpdateIntentOutput, error) {
	out := &api.UpdateIntentOutput{}
	return out, o.update(ctx, lex.KindIntent, in, out)
}

// ListIntents lists intents by name.
func (o operations) ListIntents(ctx context.Context, in *api.ListIntentsInput) (*api.ListIntentsOutput, error) {
	all, next, err := list[api.IntentSummary](ctx, o, lex.KindIntent, in)
	return &api.ListIntentsOutput{BotId: in.BotId, BotVersion: in.BotVersion, LocaleId: in.LocaleId, IntentSummaries: all, NextToken: next}, err
}

// DeleteIntent removes an intent with its slots.
func (o operations) DeleteIntent(ctx context.Context, in *api.DeleteIntentInput) (*api.DeleteIntentOutput, error) {
	return &api.DeleteIntentOutput{}, o.delete(ctx, lex.KindIntent, in)
}

// CreateSlot adds a slot to an intent.
func (o operations) CreateSlot(ctx context.Context, in *api.CreateSlotInput) (*api.CreateSlotOutput, error) {
	out := &api.CreateSlotOutput{}
	return out, o.create(ctx, lex.KindSlot, in, out)
}

// DescribeSlot tells of a slot.
func (o operations) DescribeSlot(ctx context.Context, in *api.DescribeSlotInput) (*api.DescribeSlotOutput, error) {
	out := &api.DescribeSlotOutput{}
	return out, o.describe(ctx, lex.KindSlot, in, out)
}

// UpdateSlot changes a slot.
func (o operations) UpdateSlot(ctx context.Context, in *api.UpdateSlotInput) (*api.UpdateSlotOutput, error) {
	out := &api.UpdateSlotOutput{}
	return out, o.update(ctx, lex.KindSlot, in, out)
}

// ListSlots lists the slots of an intent by name.
func (o operations) ListSlots(ctx context.Context, in *api.ListSlotsInput) (*api.ListSlotsOutput, error) {
	all, next, err := list[api.SlotSummary](ctx, o, lex.KindSlot, in)
	return &api.ListSlotsOutput{BotId: in.BotId, BotVersion: in.BotVersion, LocaleId: in.LocaleId, IntentId: in.IntentId, SlotSummaries: all, NextToken: next}, err
}

// DeleteSlot removes a slot.
func (o operations) DeleteSlot(ctx context.Context, in *api.DeleteSlotInput) (*api.DeleteSlotOutput, error) {
	return &api.DeleteSlotOutput{}, o.delete(ctx, lex.KindSlot, in)
}

// CreateSlotType makes a slot type.
func (o operations) CreateSlotType(ctx context.Context, in *api.CreateSlotTypeInput) (*api.CreateSlotTypeOutput, error) {
	if err := checkFilter(in.ValueSelectionSetting); err != nil {
		return nil, err
	}
	out := &api.CreateSlotTypeOutput{}
	return out, o.create(ctx, lex.KindSlotType, in, out)
}

func checkFilter(s *api.SlotValueSelectionSetting) error {
	if s == nil || s.RegexFilter == nil {
		return nil
	}
	if _, err := regexp.Compile(model.Deref(s.RegexFilter.Pattern)); err != nil {
		return invalid("The pattern of the slot type is none: %s.", err)
	}
	return nil
}

// DescribeSlotType tells of a slot type.
func (o operations) DescribeSlotType(ctx context.Context, in *api.DescribeSlotTypeInput) (*api.DescribeSlotTypeOutput, error) {
	out := &api.DescribeSlotTypeOutput{}
	return out, o.describe(ctx, lex.KindSlotType, in, out)
}

// UpdateSlotType changes a slot type.
func (o operations) UpdateSlotType(ctx context.Context, in *api.UpdateSlotTypeInput) (*api.UpdateSlotTypeOutput, error) {
	if err := checkFilter(in.ValueSelectionSetting); err != nil {
		return nil, err
	}
	out := &api.UpdateSlotTypeOutput{}
	return out, o.update(ctx, lex.KindSlotType, in, out)
}

// ListSlotTypes lists slot types by name.
func (o operations) ListSlotTypes(ctx context.Context, in *api.ListSlotTypesInput) (*api.ListSlotTypesOutput, error) {
	all, next, err := list[api.SlotTypeSummary](ctx, o, lex.KindSlotType, in)
	return &api.ListSlotTypesOutput{BotId: in.BotId, BotVersion: in.BotVersion, LocaleId: in.LocaleId, SlotTypeSummaries: all, NextToken: next}, err
}

// DeleteSlotType removes a slot type.
func (o operations) DeleteSlotType(ctx context.Context, in *api.DeleteSlotTypeInput) (*api.DeleteSlotTypeOutput, error) {
	return &api.DeleteSlotTypeOutput{}, o.delete(ctx, lex.KindSlotType, in)
}

// unserved are members that ask for what is not here. Whoever sets one gets an error, and
// no bot that does something else.
var unserved = []string{
	"KendraConfiguration", "QnAIntentConfiguration", "QInConnectIntentConfiguration", "SubSlotSetting", "CompositeSlotTypeSetting", "ExternalSourceSetting",
	"GenerativeAISettings", "BotMembers", "SlotResolutionSetting", "WaitAndContinueSpecification",
}

// served refuses an input that asks for what is not here, wherever in it.
func served(in any) error { return search(reflect.ValueOf(in), 0) }

func search(v reflect.Value, depth int) error {
	const most = 20
	if depth > most {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return search(v.Elem(), depth+1)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := search(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return searchMembers(v, depth)
	}
	return nil
}

func searchMembers(v reflect.Value, depth int) error {
	switch s := v.Interface().(type) {
	case api.ConditionalSpecification:
		if model.Deref(s.Active) {
			return invalid("Conditional branches are not served here.")
		}
		return nil
	case api.MultipleValuesSetting:
		if model.Deref(s.AllowMultipleValues) {
			return invalid("Slots with several values are not served here.")
		}
		return nil
	case api.ElicitationCodeHookInvocationSetting:
		if model.Deref(s.EnableCodeHookInvocation) {
			return invalid("Code hooks of elicitations are not served here.")
		}
		return nil
	}
	for i := range v.NumField() {
		f := v.Field(i)
		for _, name := range unserved {
			if v.Type().Field(i).Name == name && !f.IsZero() {
				return invalid("%s is not served here.", name)
			}
		}
		if err := search(f, depth+1); err != nil {
			return err
		}
	}
	return nil
}
