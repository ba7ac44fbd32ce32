package lex

import (
	"context"
	"encoding/json"

	api "plumb/internal/model/lexv2runtimeapi"
)

// FirstService is the name of Lex V1 in the policies of functions.
const FirstService = "lex.amazonaws.com"

// A firstEvent is what a function of Lex V1 gets.
type firstEvent struct {
	MessageVersion    string             `json:"messageVersion"`
	InvocationSource  string             `json:"invocationSource"`
	UserID            string             `json:"userId"`
	SessionAttributes map[string]string  `json:"sessionAttributes"`
	RequestAttributes map[string]string  `json:"requestAttributes"` // null for none
	Bot               firstEventBot      `json:"bot"`
	OutputDialogMode  string             `json:"outputDialogMode"`
	CurrentIntent     firstCurrentIntent `json:"currentIntent"`
	InputTranscript   string             `json:"inputTranscript"`
}

type firstEventBot struct {
	Name    string `json:"name"`
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

type firstCurrentIntent struct {
	Name               string                  `json:"name"`
	Slots              map[string]*string      `json:"slots"`
	SlotDetails        map[string]*firstDetail `json:"slotDetails"`
	ConfirmationStatus string                  `json:"confirmationStatus"`
}

type firstDetail struct {
	Resolutions   []firstResolution `json:"resolutions"`
	OriginalValue string            `json:"originalValue"`
}

type firstResolution struct {
	Value string `json:"value"`
}

// A firstAnswer is what it may answer.
type firstAnswer struct {
	SessionAttributes *map[string]string `json:"sessionAttributes"`
	ActiveContexts    *[]FirstContext    `json:"activeContexts"`
	DialogAction      *firstAction       `json:"dialogAction"`
}

type firstAction struct {
	Type             string             `json:"type"`
	FulfillmentState string             `json:"fulfillmentState"`
	Message          *Message           `json:"message"`
	IntentName       string             `json:"intentName"`
	Slots            map[string]*string `json:"slots"`
	SlotToElicit     string             `json:"slotToElicit"`
	ResponseCard     json.RawMessage    `json:"responseCard"`
}

// A FirstContext is a Context as Lex V1 writes it.
type FirstContext struct {
	Name       string            `json:"name"`
	TimeToLive TimeToLive        `json:"timeToLive"`
	Parameters map[string]string `json:"parameters"`
}

// FirstSlots are the values of slots as Lex V1 writes them: nil for none.
func FirstSlots(i *Intent) map[string]*string {
	out := map[string]*string{}
	for name, s := range i.Slots {
		out[name] = nil
		if s != nil && s.Value != nil {
			out[name] = &s.Value.Interpreted
		}
	}
	return out
}

// ContextsOf reads contexts of Lex V1.
func ContextsOf(all []FirstContext) []Context {
	out := []Context{}
	for _, c := range all {
		out = append(out, Context{Name: c.Name, Attributes: c.Parameters, TimeToLive: c.TimeToLive})
	}
	return out
}

func (d *dialog) firstEvent(source string) firstEvent {
	now, a := d.state().Intent, d.bot.address
	e := firstEvent{
		MessageVersion: "1.0", InvocationSource: source, UserID: a.Session, SessionAttributes: d.state().SessionAttributes, RequestAttributes: d.request,
		Bot: firstEventBot{a.Bot, a.Alias, d.bot.alias.version}, OutputDialogMode: "Text", InputTranscript: d.text,
		CurrentIntent: firstCurrentIntent{Name: now.Name, Slots: FirstSlots(now), SlotDetails: map[string]*firstDetail{}, ConfirmationStatus: now.Confirmation},
	}
	if e.SessionAttributes == nil {
		e.SessionAttributes = map[string]string{}
	}
	for name, s := range now.Slots {
		e.CurrentIntent.SlotDetails[name] = nil
		if s == nil || s.Value == nil {
			continue
		}
		detail := &firstDetail{Resolutions: []firstResolution{}, OriginalValue: s.Value.Original}
		for _, r := range s.Value.Resolved {
			detail.Resolutions = append(detail.Resolutions, firstResolution{r})
		}
		e.CurrentIntent.SlotDetails[name] = detail
	}
	return e
}

// function returns the ARN of the function that an intent has for a code hook.
func (i firstIntent) function(source string) string {
	hook := i.definition.DialogCodeHook
	if source == "FulfillmentCodeHook" {
		hook = i.definition.FulfillmentActivity.CodeHook
	}
	if hook == nil || hook.Uri == nil {
		return ""
	}
	return *hook.Uri
}

// askFirst invokes the function of the intent, and takes its answer as one of Lex V2.
func (b *Bots) askFirst(ctx context.Context, d *dialog, source string, _ proposal) (out hookAnswer, err error) {
	i := d.bot.first.intents[d.state().Intent.Name]
	answer, err := b.invoke(ctx, d, i.function(source), FirstService, i.ARN(), d.firstEvent(source))
	if err != nil {
		return out, err
	}
	var told firstAnswer
	if json.Unmarshal(answer, &told) != nil || told.DialogAction == nil {
		return out, badFirst("dialogAction is required")
	}
	if err := told.DialogAction.check(); err != nil {
		return out, err
	}
	return d.second(told), nil
}

func badFirst(what string) error {
	return api.BadGatewayException("Invalid Lambda Response: Received invalid response from Lambda: %s", what)
}

// check holds an action to the members that its type needs.
func (a firstAction) check() error {
	switch {
	case (a.Type == ElicitSlot || a.Type == Confirm) && (a.IntentName == "" || a.Slots == nil):
		return badFirst(a.Type + " needs intentName and slots")
	case a.Type == ElicitSlot && a.SlotToElicit == "":
		return badFirst("ElicitSlot needs slotToElicit")
	case a.Type == Delegate && a.Slots == nil:
		return badFirst("Delegate needs slots")
	case a.Type == Close && a.FulfillmentState != Fulfilled && a.FulfillmentState != Failed:
		return badFirst("Close needs the fulfillmentState Fulfilled or Failed")
	}
	return nil
}

// second is an answer as a function of Lex V2 would give it.
func (d *dialog) second(a firstAnswer) hookAnswer {
	out := hookAnswer{SessionState: &hookState{
		SessionAttributes: a.SessionAttributes, DialogAction: &Action{Type: a.DialogAction.Type, SlotToElicit: a.DialogAction.SlotToElicit},
	}}
	if a.ActiveContexts != nil {
		contexts := ContextsOf(*a.ActiveContexts)
		out.SessionState.ActiveContexts = &contexts
	}
	if m := a.DialogAction.Message; m != nil {
		out.Messages = []Message{*m}
	}
	d.card = a.DialogAction.ResponseCard
	if a.DialogAction.Type == ElicitIntent {
		d.state().Intent = nil
		if p := promptOf(d.bot.first.bot.ClarificationPrompt); p != nil && len(out.Messages) == 0 {
			out.Messages = d.promptMessages(p)
		}
		return out
	}
	out.SessionState.Intent = d.state().Intent.with(a.DialogAction)
	return out
}

// with is an intent as an action leaves it: what the action does not say stays, if it is
// about the same intent.
func (i *Intent) with(a *firstAction) *Intent {
	out := &Intent{Name: a.IntentName, Slots: map[string]*Slot{}, State: InProgress, Confirmation: None}
	if i != nil && (a.IntentName == "" || a.IntentName == i.Name) {
		out.Name, out.State, out.Confirmation = i.Name, i.State, i.Confirmation
	}
	if a.FulfillmentState != "" {
		out.State = a.FulfillmentState
	}
	for name, v := range a.Slots {
		out.Slots[name] = nil
		if v == nil {
			continue
		}
		out.Slots[name] = scalar(Value{*v, *v, []string{}})
		if i != nil && i.Name == out.Name && i.Slots[name] != nil && i.Slots[name].Value != nil && i.Slots[name].Value.Interpreted == *v {
			out.Slots[name] = i.Slots[name]
		}
	}
	if a.Slots == nil && i != nil && i.Name == out.Name {
		out.Slots = i.Slots
	}
	return out
}

// FirstState reads what a client of Lex V1 says a conversation is to be.
func FirstState(kind, intent, slotToElicit, fulfillment string, slots map[string]string) State {
	a := &firstAction{Type: kind, IntentName: intent, SlotToElicit: slotToElicit, FulfillmentState: fulfillment, Slots: map[string]*string{}}
	for name, v := range slots {
		a.Slots[name] = &v
	}
	s := State{DialogAction: &Action{Type: kind, SlotToElicit: slotToElicit}}
	if intent != "" {
		s.Intent = (*Intent)(nil).with(a)
	}
	return s
}

// FirstText is what a bot of Lex V1 says, and its format; several messages are one text in
// JSON.
func FirstText(messages []Message) (text, format string) {
	switch len(messages) {
	case 0:
		return "", ""
	case 1:
		return messages[0].Content, messages[0].ContentType
	}
	type member struct {
		Type  string `json:"type"`
		Group int    `json:"group"`
		Value string `json:"value"`
	}
	var all struct {
		Messages []member `json:"messages"`
	}
	for i, m := range messages {
		all.Messages = append(all.Messages, member{m.ContentType, i, m.Content})
	}
	out, err := encode(all)
	if err != nil {
		return "", "" // texts cannot fail
	}
	return string(out), "Composite"
}

// FirstDialogState is where a conversation is, as Lex V1 names it.
func FirstDialogState(s State) string {
	switch {
	case s.DialogAction == nil || s.DialogAction.Type == None:
		return ""
	case s.DialogAction.Type != Close:
		return s.DialogAction.Type
	case s.Intent == nil:
		return Failed
	}
	return s.Intent.State
}
