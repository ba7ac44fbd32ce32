package lex

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/model"
	modelsapi "plumb/internal/model/lexv2modelsapi"
)

// A dialog is one turn of a conversation.
type dialog struct {
	now        time.Time
	bot        opened
	locale     *locale
	session    session
	text       string
	request    map[string]string // attributes of the request
	found      []Interpretation
	messages   []Message
	label      string // of the code hook that is asked
	invoke     func(ctx context.Context, d *dialog, source string, proposed proposal) (hookAnswer, error)
	hooks      int // that were asked
	captured   string
	began      bool            // the intent began with this turn
	fulfilling bool            // the function was asked to do what the user wants
	card       json.RawMessage // that a function of Lex V1 shows
}

// A proposal is what the dialog would do without the function.
type proposal struct {
	action  Action
	attempt int
}

func (d *dialog) state() *State { return &d.session.State }

// intent returns the definition of the intent that is talked about; nil for none.
func (d *dialog) intent() *intent {
	if i := d.state().Intent; i != nil {
		return d.locale.intents[i.Name]
	}
	return nil
}

// accept takes what the user said, and decides what comes next.
func (d *dialog) accept(ctx context.Context) error {
	asked := d.state().DialogAction
	d.age()
	i := d.intent()
	if asked != nil && i != nil {
		switch asked.Type {
		case ElicitSlot:
			if s := i.slot(asked.SlotToElicit); s != nil {
				return d.hearSlot(ctx, i, s)
			}
		case Confirm:
			return d.hearConfirmation(ctx, i)
		}
	}
	return d.hearIntent(ctx)
}

// hearSlot takes an answer to the prompt of a slot. A text that may be anything is
// first looked at as another intent.
func (d *dialog) hearSlot(ctx context.Context, i *intent, s *slot) error {
	value, ok := d.locale.resolve(s, d.text, d.now)
	if !ok || !value.known {
		for _, u := range s.utterances {
			if v, _, fits := d.fit(i, u); fits && v[s.name] != nil {
				value, ok = resolution{*v[s.name].Value, true}, true
			}
		}
	}
	if !ok || !value.known {
		if found := d.match(); len(found) > 0 && found[0].Intent.Name != i.name {
			d.found = found
			return d.begin(ctx, found[0].Intent)
		}
	}
	if !ok {
		return d.again(ctx, s.prompt(), Action{Type: ElicitSlot, SlotToElicit: s.name})
	}
	d.session.Attempt, d.captured = 0, s.name
	d.state().Intent.Slots[s.name] = scalar(value.value)
	d.found = []Interpretation{{d.state().Intent, 1}}
	return d.decide(ctx, true)
}

func scalar(v Value) *Slot { return &Slot{Shape: "Scalar", Value: &v} }

// hearConfirmation takes an answer to whether the intent is meant.
func (d *dialog) hearConfirmation(ctx context.Context, i *intent) error {
	yes, ok := yesOrNo(strings.ToLower(normal(d.text)))
	if !ok {
		if found := d.match(); len(found) > 0 && found[0].Intent.Name != i.name {
			d.found = found
			return d.begin(ctx, found[0].Intent)
		}
		var prompt *modelsapi.PromptSpecification
		if c := i.definition.IntentConfirmationSetting; c != nil {
			prompt = c.PromptSpecification
		}
		return d.again(ctx, prompt, Action{Type: Confirm})
	}
	d.session.Attempt = 0
	d.state().Intent.Confirmation = Denied
	if yes {
		d.state().Intent.Confirmation = Confirmed
	}
	d.found = []Interpretation{{d.state().Intent, 1}}
	return d.decide(ctx, true)
}

// again asks once more, as often as the prompt says, and then leaves it to the fallback.
func (d *dialog) again(ctx context.Context, prompt *modelsapi.PromptSpecification, a Action) error {
	most := 0
	if prompt != nil {
		most = int(model.Deref(prompt.MaxRetries))
	}
	if d.session.Attempt >= most {
		return d.fallBack(ctx)
	}
	d.session.Attempt++
	d.found = []Interpretation{{d.state().Intent, 1}}
	d.act(a, d.promptMessages(prompt))
	return nil
}

// hearIntent takes what may be any intent.
func (d *dialog) hearIntent(ctx context.Context) error {
	d.found = d.match()
	if len(d.found) == 0 {
		return d.fallBack(ctx)
	}
	return d.begin(ctx, d.found[0].Intent)
}

// fallBack begins the intent for what is not understood.
func (d *dialog) fallBack(ctx context.Context) error {
	f := d.locale.fallback
	if f == nil && d.bot.first != nil {
		return d.clarify()
	}
	if f == nil {
		d.state().Intent = nil
		d.act(Action{Type: ElicitIntent}, nil)
		return nil
	}
	i := &Intent{Name: f.name, Slots: map[string]*Slot{}}
	d.found = []Interpretation{{i, 0}}
	return d.begin(ctx, i)
}

// match returns what the text may mean, the likeliest first: most words given, then
// fewest slots.
func (d *dialog) match() []Interpretation {
	type hit struct {
		Interpretation
		words, slots int
	}
	var hits []hit
	for _, name := range slices.Sorted(maps.Keys(d.locale.intents)) {
		i := d.locale.intents[name]
		if !d.inContext(i) {
			continue
		}
		best := hit{words: -1}
		for _, u := range i.utterances {
			values, words, ok := d.fit(i, u)
			if ok && (words > best.words || words == best.words && len(u.slots) < best.slots) {
				best = hit{Interpretation{&Intent{Name: name, Slots: values}, 1}, words, len(u.slots)}
			}
		}
		if best.words >= 0 {
			hits = append(hits, best)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		if a.words != b.words {
			return b.words - a.words
		}
		return a.slots - b.slots
	})
	var out []Interpretation
	for _, h := range hits {
		out = append(out, h.Interpretation)
	}
	return out
}

// fit compares the text with an utterance, whose slots have to be values of theirs.
func (d *dialog) fit(i *intent, u utterance) (values map[string]*Slot, words int, ok bool) {
	m := u.pattern.FindStringSubmatch(normal(d.text))
	if m == nil {
		return nil, 0, false
	}
	values = map[string]*Slot{}
	for n, name := range u.slots {
		s := i.slot(name)
		if s == nil {
			return nil, 0, false
		}
		value, ok := d.locale.resolve(s, m[n+1], d.now)
		if !ok {
			return nil, 0, false
		}
		values[name] = scalar(value.value)
	}
	return values, u.words, true
}

// inContext reports whether the contexts that an intent asks for are active.
func (d *dialog) inContext(i *intent) bool {
	for _, c := range i.definition.InputContexts {
		if !slices.ContainsFunc(d.state().ActiveContexts, func(a Context) bool { return a.Name == model.Deref(c.Name) }) {
			return false
		}
	}
	return true
}

// age has contexts be over that were active for some turns.
func (d *dialog) age() {
	var left []Context
	for _, c := range d.state().ActiveContexts {
		if c.TimeToLive.Turns--; c.TimeToLive.Turns >= 0 {
			left = append(left, c)
		}
	}
	d.state().ActiveContexts = left
}

// begin begins an intent with what is known of its slots.
func (d *dialog) begin(ctx context.Context, i *Intent) error {
	d.session.Attempt, d.began = 0, true
	i.State, i.Confirmation = InProgress, None
	definition := d.locale.intents[i.Name]
	for _, s := range definition.slots {
		if i.Slots[s.name] == nil {
			i.Slots[s.name] = d.usual(s)
		}
	}
	d.state().Intent = i
	if r := definition.definition.InitialResponseSetting; r != nil {
		d.say(r.InitialResponse)
	}
	return d.decide(ctx, true)
}

// usual returns the default value of a slot; nil for none. It is a text, the attribute
// of the session in brackets, or what a context knows, after #.
func (d *dialog) usual(s *slot) *Slot {
	e := s.definition.ValueElicitationSetting
	if e == nil || e.DefaultValueSpecification == nil {
		return nil
	}
	for _, v := range e.DefaultValueSpecification.DefaultValueList {
		text := model.Deref(v.DefaultValue)
		switch {
		case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
			text = d.state().SessionAttributes[text[1:len(text)-1]]
		case strings.HasPrefix(text, "#"):
			name, key, _ := strings.Cut(text[1:], ".")
			text = ""
			for _, c := range d.state().ActiveContexts {
				if c.Name == name {
					text = c.Attributes[key]
				}
			}
		}
		if value, ok := d.locale.resolve(s, text, d.now); ok {
			return scalar(value.value)
		}
	}
	return nil
}

// decide goes on with the intent: it asks the function, where the intent says so and ask
// is true, and else does what comes next.
func (d *dialog) decide(ctx context.Context, ask bool) error {
	next := d.next()
	if !ask || !d.hooked() {
		return d.follow(ctx, next)
	}
	answer, err := d.invoke(ctx, d, "DialogCodeHook", proposal{next, d.session.Attempt})
	if err != nil {
		return err
	}
	return d.obey(ctx, answer)
}

// hooked reports whether the intent has the function asked at this point, and notes the
// label of the hook.
func (d *dialog) hooked() bool {
	i := d.intent()
	if i == nil || d.bot.function == "" {
		return false
	}
	var hook *modelsapi.DialogCodeHookInvocationSetting
	switch s := i.slot(d.captured); {
	case d.began && i.definition.InitialResponseSetting != nil:
		hook = i.definition.InitialResponseSetting.CodeHook
	case s != nil && s.definition.ValueElicitationSetting.SlotCaptureSetting != nil:
		hook = s.definition.ValueElicitationSetting.SlotCaptureSetting.CodeHook
	case d.captured == "" && i.definition.IntentConfirmationSetting != nil:
		hook = i.definition.IntentConfirmationSetting.CodeHook
	}
	d.label = ""
	if hook != nil {
		d.label = model.Deref(hook.InvocationLabel)
		if model.Deref(hook.Active) && model.Deref(hook.EnableCodeHookInvocation) {
			return true
		}
	}
	h := i.definition.DialogCodeHook
	return h != nil && model.Deref(h.Enabled)
}

// next returns what comes next by the intent's definition. Close with the state Ready is
// the fulfillment.
func (d *dialog) next() Action {
	i, now := d.intent(), d.state().Intent
	if i == nil {
		return Action{Type: ElicitIntent}
	}
	if now.Confirmation == Denied {
		return Action{Type: Close}
	}
	for _, s := range i.slots {
		if s.required() && (now.Slots[s.name] == nil || now.Slots[s.name].Value == nil) {
			return Action{Type: ElicitSlot, SlotToElicit: s.name}
		}
	}
	c := i.definition.IntentConfirmationSetting
	if c != nil && (c.Active == nil || *c.Active) && now.Confirmation != Confirmed {
		return Action{Type: Confirm}
	}
	return Action{Type: Delegate}
}

// follow does what comes next.
func (d *dialog) follow(ctx context.Context, a Action) error {
	i := d.intent()
	switch a.Type {
	case ElicitSlot:
		d.act(a, d.promptMessages(i.slot(a.SlotToElicit).prompt()))
	case Confirm:
		d.act(a, d.promptMessages(i.definition.IntentConfirmationSetting.PromptSpecification))
	case Close: // the user does not want it
		d.state().Intent.State = Failed
		if c := i.definition.IntentConfirmationSetting; c != nil {
			d.say(c.DeclinationResponse)
		}
		d.act(a, nil)
	case Delegate:
		return d.fulfill(ctx)
	default:
		d.act(a, nil)
	}
	return nil
}

// fulfill has the function do what the user wants, or closes the dialog for the client to
// do it.
func (d *dialog) fulfill(ctx context.Context) error {
	i := d.intent()
	d.state().Intent.State = Ready
	if c := i.definition.IntentConfirmationSetting; c != nil && d.state().Intent.Confirmation == Confirmed {
		d.say(c.ConfirmationResponse)
	}
	h := i.definition.FulfillmentCodeHook
	if h == nil || !model.Deref(h.Enabled) || h.Active != nil && !*h.Active || d.bot.function == "" {
		d.close(nil)
		return nil
	}
	d.label, d.fulfilling = "", true
	answer, err := d.invoke(ctx, d, "FulfillmentCodeHook", proposal{Action{Type: Close}, 0})
	if err != nil {
		return err
	}
	return d.obey(ctx, answer)
}

// close ends the dialog, with what the function or the definition says.
func (d *dialog) close(messages []Message) {
	i, now := d.intent(), d.state().Intent
	if i == nil {
		d.act(Action{Type: Close}, messages)
		return
	}
	if len(messages) == 0 {
		if h := i.definition.FulfillmentCodeHook; h != nil && h.PostFulfillmentStatusSpecification != nil {
			switch now.State {
			case Fulfilled:
				d.say(h.PostFulfillmentStatusSpecification.SuccessResponse)
			case Failed:
				d.say(h.PostFulfillmentStatusSpecification.FailureResponse)
			}
		}
		if c := i.definition.IntentClosingSetting; c != nil && (c.Active == nil || *c.Active) && now.State != Failed {
			d.say(c.ClosingResponse)
		}
	}
	if now.State != Failed {
		d.enter(i)
	}
	d.act(Action{Type: Close}, messages)
}

// enter makes an intent's contexts active, with the values of its slots.
func (d *dialog) enter(i *intent) {
	for _, c := range i.definition.OutputContexts {
		name := model.Deref(c.Name)
		out := Context{Name: name, Attributes: map[string]string{}, TimeToLive: TimeToLive{int(model.Deref(c.TurnsToLive)), int(model.Deref(c.TimeToLiveInSeconds))}}
		for key, s := range d.state().Intent.Slots {
			if s != nil && s.Value != nil {
				out.Attributes[key] = s.Value.Interpreted
			}
		}
		others := slices.DeleteFunc(d.state().ActiveContexts, func(a Context) bool { return a.Name == name })
		d.state().ActiveContexts = append(others, out)
	}
}

// act notes what the dialog does, and what is said with it.
func (d *dialog) act(a Action, messages []Message) {
	d.state().DialogAction = &a
	d.messages = append(d.messages, messages...)
}

// say adds what a definition says.
func (d *dialog) say(r *modelsapi.ResponseSpecification) {
	if r != nil {
		d.messages = append(d.messages, d.messagesOf(r.MessageGroups)...)
	}
}

func (d *dialog) promptMessages(p *modelsapi.PromptSpecification) []Message {
	if p == nil {
		return nil
	}
	return d.messagesOf(p.MessageGroups)
}

var named = regexp.MustCompile(`\{[0-9a-zA-Z_-]+\}|\[[0-9a-zA-Z_.-]+\]`)

// messagesOf returns the first message of each group, with slots in braces and
// attributes of the session in brackets filled in.
func (d *dialog) messagesOf(groups []modelsapi.MessageGroup) (out []Message) {
	for _, g := range groups {
		m := g.Message
		if m == nil {
			continue
		}
		switch {
		case m.PlainTextMessage != nil:
			out = append(out, Message{ContentType: "PlainText", Content: d.fillIn(model.Deref(m.PlainTextMessage.Value))})
		case m.SsmlMessage != nil:
			out = append(out, Message{ContentType: "SSML", Content: d.fillIn(model.Deref(m.SsmlMessage.Value))})
		case m.CustomPayload != nil:
			out = append(out, Message{ContentType: "CustomPayload", Content: d.fillIn(model.Deref(m.CustomPayload.Value))})
		case m.ImageResponseCard != nil:
			out = append(out, Message{ContentType: "ImageResponseCard", Card: cardOf(m.ImageResponseCard)})
		}
	}
	return out
}

func (d *dialog) fillIn(text string) string {
	return named.ReplaceAllStringFunc(text, func(n string) string {
		name := n[1 : len(n)-1]
		if n[0] == '[' {
			if v, ok := d.state().SessionAttributes[name]; ok {
				return v
			}
			return n
		}
		if i := d.state().Intent; i != nil && i.Slots[name] != nil && i.Slots[name].Value != nil {
			return i.Slots[name].Value.Interpreted
		}
		return n
	})
}
