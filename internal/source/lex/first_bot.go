package lex

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"plumb/internal/db"
	"plumb/internal/model"
	firstapi "plumb/internal/model/lexmodelsapi"
	modelsapi "plumb/internal/model/lexv2modelsapi"
	api "plumb/internal/model/lexv2runtimeapi"
)

// ownFunctions stands where a bot of Lex V2 has the function of its alias: each intent of
// V1 names its own.
const ownFunctions = "of the intents"

// defaultTTL is how long a session of Lex V1 lasts where its bot says nothing.
const defaultTTL = 300 * time.Second

// A first is a bot of Lex V1, ready to talk.
type first struct {
	bot     firstapi.PutBotInput
	locale  *locale
	intents map[string]firstIntent
}

type firstIntent struct {
	Part
	definition firstapi.PutIntentInput
}

// openFirst reads the bot of Lex V1 that an address is of. The alias $LATEST is there
// without being made.
func openFirst(ctx context.Context, tx *db.Tx, a Address) (o opened, err error) {
	version := Latest
	if a.Alias != Latest {
		p, err := FindPart(ctx, tx, Part{Place: a.Place, Kind: KindAlias, Bot: a.Bot, Name: a.Alias})
		if model.IsCode(err, "NotFoundException") {
			return o, noBot(a)
		}
		if err != nil {
			return o, err
		}
		var in firstapi.PutBotAliasInput
		if err := json.Unmarshal(p.Definition, &in); err != nil {
			return o, err
		}
		version = model.Deref(in.BotVersion)
	}
	n, _ := ParseVersion(version)
	p, err := FindPart(ctx, tx, Part{Place: a.Place, Kind: KindBot, Name: a.Bot, Version: n})
	if model.IsCode(err, "NotFoundException") {
		return o, noBot(a)
	}
	if err != nil {
		return o, err
	}
	f := &first{locale: &locale{intents: map[string]*intent{}, types: map[string]*slotType{}}, intents: map[string]firstIntent{}}
	if err := json.Unmarshal(p.Definition, &f.bot); err != nil {
		return o, fmt.Errorf("bot %s: %w", p.Name, err)
	}
	if f.bot.ProcessBehavior == firstapi.ProcessBehaviorSave {
		return o, api.ValidationException("The bot %s was not built.", a.Bot)
	}
	for _, named := range f.bot.Intents {
		if err := f.read(ctx, tx, a, named); err != nil {
			return o, err
		}
	}
	o = opened{address: a, name: a.Bot, alias: alias{name: a.Alias, version: version}, function: ownFunctions, ttl: defaultTTL, first: f}
	if s := f.bot.IdleSessionTTLInSeconds; s != nil {
		o.ttl = time.Duration(*s) * time.Second
	}
	return o, nil
}

func noBot(a Address) error {
	return api.ResourceNotFoundException("The bot %s with the alias %s is not there.", a.Bot, a.Alias)
}

// read reads an intent, with the types of its slots, as one of Lex V2.
func (f *first) read(ctx context.Context, tx *db.Tx, a Address, named firstapi.Intent) error {
	n, _ := ParseVersion(model.Deref(named.IntentVersion))
	p, err := FindPart(ctx, tx, Part{Place: a.Place, Kind: KindIntent, Name: model.Deref(named.IntentName), Version: n})
	if err != nil {
		return gone(err)
	}
	own := firstIntent{Part: p}
	if err := json.Unmarshal(p.Definition, &own.definition); err != nil {
		return fmt.Errorf("intent %s: %w", p.Name, err)
	}
	d := own.definition
	i := &intent{id: p.Name, name: p.Name, utterances: utterancesOf(samplesOf(d.SampleUtterances)), definition: modelsapi.UpdateIntentInput{
		DialogCodeHook: &modelsapi.DialogCodeHookSettings{Enabled: new(d.DialogCodeHook != nil)},
		FulfillmentCodeHook: &modelsapi.FulfillmentCodeHookSettings{
			Enabled: new(d.FulfillmentActivity != nil && d.FulfillmentActivity.Type == firstapi.FulfillmentActivityTypeCodeHook),
		},
		ParentIntentSignature: d.ParentIntentSignature,
	}}
	if d.ConfirmationPrompt != nil {
		i.definition.IntentConfirmationSetting = &modelsapi.IntentConfirmationSetting{
			PromptSpecification: promptOf(d.ConfirmationPrompt), DeclinationResponse: responseOf(d.RejectionStatement),
		}
	}
	if d.ConclusionStatement != nil {
		i.definition.IntentClosingSetting = &modelsapi.IntentClosingSetting{ClosingResponse: responseOf(d.ConclusionStatement)}
	}
	for _, c := range d.InputContexts {
		i.definition.InputContexts = append(i.definition.InputContexts, modelsapi.InputContext{Name: c.Name})
	}
	for _, c := range d.OutputContexts {
		i.definition.OutputContexts = append(i.definition.OutputContexts,
			modelsapi.OutputContext{Name: c.Name, TimeToLiveInSeconds: c.TimeToLiveInSeconds, TurnsToLive: c.TurnsToLive})
	}
	slices.SortStableFunc(d.Slots, func(x, y firstapi.Slot) int { return cmp.Compare(model.Deref(x.Priority), model.Deref(y.Priority)) })
	for _, s := range d.Slots {
		if err := f.readType(ctx, tx, a, s); err != nil {
			return err
		}
		i.slots = append(i.slots, slotOf(s))
	}
	f.intents[p.Name], f.locale.intents[p.Name] = own, i
	if model.Deref(d.ParentIntentSignature) == fallbackParent {
		f.locale.fallback = i
	}
	return nil
}

func slotOf(s firstapi.Slot) *slot {
	e := &modelsapi.SlotValueElicitationSetting{SlotConstraint: modelsapi.SlotConstraintOptional, PromptSpecification: promptOf(s.ValueElicitationPrompt)}
	if s.SlotConstraint == firstapi.SlotConstraintRequired {
		e.SlotConstraint = modelsapi.SlotConstraintRequired
	}
	if s.DefaultValueSpec != nil {
		e.DefaultValueSpecification = &modelsapi.SlotDefaultValueSpecification{}
		for _, v := range s.DefaultValueSpec.DefaultValueList {
			e.DefaultValueSpecification.DefaultValueList = append(e.DefaultValueSpecification.DefaultValueList, modelsapi.SlotDefaultValue{DefaultValue: v.DefaultValue})
		}
	}
	name := model.Deref(s.Name)
	return &slot{id: name, name: name, utterances: utterancesOf(samplesOf(s.SampleUtterances)),
		definition: modelsapi.UpdateSlotInput{SlotTypeId: new(typeID(s)), ValueElicitationSetting: e}}
}

// second are the names in Lex V2 of V1's own slot types.
var second = map[string]string{
	"AMAZON.DATE": "AMAZON.Date", "AMAZON.TIME": "AMAZON.Time", "AMAZON.NUMBER": "AMAZON.Number", "AMAZON.FOUR_DIGIT_NUMBER": "AMAZON.Number",
	"AMAZON.DURATION": "AMAZON.Duration",
}

// typeID names the type of a slot: one of Lex's, or an own one in a version.
func typeID(s firstapi.Slot) string {
	name := model.Deref(s.SlotType)
	if s.SlotTypeVersion == nil {
		return cmp.Or(second[name], name)
	}
	return name + ":" + *s.SlotTypeVersion
}

func (f *first) readType(ctx context.Context, tx *db.Tx, a Address, s firstapi.Slot) error {
	id := typeID(s)
	if s.SlotTypeVersion == nil || f.locale.types[id] != nil {
		return nil
	}
	n, _ := ParseVersion(*s.SlotTypeVersion)
	p, err := FindPart(ctx, tx, Part{Place: a.Place, Kind: KindSlotType, Name: model.Deref(s.SlotType), Version: n})
	if err != nil {
		return gone(err)
	}
	var in firstapi.PutSlotTypeInput
	if err := json.Unmarshal(p.Definition, &in); err != nil {
		return fmt.Errorf("slot type %s: %w", p.Name, err)
	}
	t := &slotType{}
	t.definition.ValueSelectionSetting = &modelsapi.SlotValueSelectionSetting{ResolutionStrategy: modelsapi.SlotValueResolutionStrategyOriginalValue}
	if in.ValueSelectionStrategy == firstapi.SlotValueSelectionStrategyTopResolution {
		t.definition.ValueSelectionSetting.ResolutionStrategy = modelsapi.SlotValueResolutionStrategyTopResolution
	}
	if parent := model.Deref(in.ParentSlotTypeSignature); parent != "" {
		t.definition.ParentSlotTypeSignature = new(cmp.Or(second[parent], parent))
	}
	for _, c := range in.SlotTypeConfigurations {
		if c.RegexConfiguration != nil {
			t.filter, _ = regexp.Compile(`^(?:` + model.Deref(c.RegexConfiguration.Pattern) + `)$`) // checked when it was written
		}
	}
	for _, v := range in.EnumerationValues {
		value := modelsapi.SlotTypeValue{SampleValue: &modelsapi.SampleValue{Value: v.Value}}
		for _, y := range v.Synonyms {
			value.Synonyms = append(value.Synonyms, modelsapi.SampleValue{Value: &y})
		}
		t.definition.SlotTypeValues = append(t.definition.SlotTypeValues, value)
	}
	f.locale.types[id] = t
	return nil
}

func samplesOf(texts []string) (out []modelsapi.SampleUtterance) {
	for _, t := range texts {
		out = append(out, modelsapi.SampleUtterance{Utterance: &t})
	}
	return out
}

// CheckUtterance says what is wrong with a sample of what users say; nil for nothing.
func CheckUtterance(sample string) error {
	_, err := compile(sample)
	return err
}

func promptOf(p *firstapi.Prompt) *modelsapi.PromptSpecification {
	if p == nil {
		return nil
	}
	return &modelsapi.PromptSpecification{MessageGroups: groupsOf(p.Messages), MaxRetries: new(max(model.Deref(p.MaxAttempts)-1, 0))}
}

func responseOf(s *firstapi.Statement) *modelsapi.ResponseSpecification {
	if s == nil {
		return nil
	}
	return &modelsapi.ResponseSpecification{MessageGroups: groupsOf(s.Messages)}
}

// groupsOf takes the first message of each group, in the order of the groups.
func groupsOf(messages []firstapi.Message) (out []modelsapi.MessageGroup) {
	byGroup := map[int32]bool{}
	sorted := slices.SortedStableFunc(slices.Values(messages), func(a, b firstapi.Message) int {
		return cmp.Compare(max(model.Deref(a.GroupNumber), 1), max(model.Deref(b.GroupNumber), 1))
	})
	for _, m := range sorted {
		n := max(model.Deref(m.GroupNumber), 1)
		if byGroup[n] {
			continue
		}
		byGroup[n] = true
		g := modelsapi.MessageGroup{Message: &modelsapi.Message{}}
		switch m.ContentType {
		case firstapi.ContentTypeSsml:
			g.Message.SsmlMessage = &modelsapi.SSMLMessage{Value: m.Content}
		case firstapi.ContentTypeCustomPayload:
			g.Message.CustomPayload = &modelsapi.CustomPayload{Value: m.Content}
		default:
			g.Message.PlainTextMessage = &modelsapi.PlainTextMessage{Value: m.Content}
		}
		out = append(out, g)
	}
	return out
}

// clarify asks again what the user wants, as often as the bot says, and then gives up. A
// bot without a prompt for that answers an error, as AWS does.
func (d *dialog) clarify() error {
	bot := d.bot.first.bot
	asked := d.state().DialogAction
	lost := asked != nil && (asked.Type == ElicitSlot || asked.Type == Confirm)
	d.state().Intent = nil
	prompt := promptOf(bot.ClarificationPrompt)
	switch {
	case prompt == nil && !lost:
		return api.ValidationException("No usable messages given the current slot and sessionAttribute set.")
	case lost || d.session.Attempt > int(*prompt.MaxRetries):
		d.session.Attempt = 0
		d.say(responseOf(bot.AbortStatement))
		d.act(Action{Type: Close}, nil)
	default:
		d.session.Attempt++
		d.act(Action{Type: ElicitIntent}, d.promptMessages(prompt))
	}
	return nil
}
