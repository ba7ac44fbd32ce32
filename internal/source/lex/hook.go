package lex

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"plumb/internal/db"
	"plumb/internal/lambda"
	modelsapi "plumb/internal/model/lexv2modelsapi"
	api "plumb/internal/model/lexv2runtimeapi"
)

// service is Lex's name in the policies of functions.
const service = "lexv2.amazonaws.com"

// waitForFunction is Lex's limit of a code hook.
const waitForFunction = 30 * time.Second

// maxHooks bounds how often a function is asked in a turn: its answers can lead in a circle.
const maxHooks = 5

// A hookEvent is what a function gets.
type hookEvent struct {
	MessageVersion      string               `json:"messageVersion"`
	InvocationSource    string               `json:"invocationSource"`
	InputMode           string               `json:"inputMode"`
	ResponseContentType string               `json:"responseContentType"`
	SessionID           string               `json:"sessionId"`
	InputTranscript     string               `json:"inputTranscript"`
	InvocationLabel     string               `json:"invocationLabel,omitempty"`
	Bot                 hookBot              `json:"bot"`
	Interpretations     []hookInterpretation `json:"interpretations"`
	ProposedNextState   *hookProposal        `json:"proposedNextState,omitempty"`
	RequestAttributes   map[string]string    `json:"requestAttributes,omitempty"`
	SessionState        State                `json:"sessionState"`
	Transcriptions      []hookTranscription  `json:"transcriptions"`
}

type hookBot struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	AliasID   string `json:"aliasId"`
	AliasName string `json:"aliasName"`
	LocaleID  string `json:"localeId"`
	Version   string `json:"version"`
}

type hookInterpretation struct {
	Intent     *Intent `json:"intent"`
	Confidence float64 `json:"nluConfidence,omitempty"`
	Source     string  `json:"interpretationSource"`
}

type hookProposal struct {
	DialogAction hookAction `json:"dialogAction"`
	Intent       *Intent    `json:"intent"`
	Prompt       hookPrompt `json:"prompt"`
}

type hookAction struct {
	SlotToElicit *string `json:"slotToElicit,omitempty"`
	Type         string  `json:"type"`
}

type hookPrompt struct {
	Attempt string `json:"attempt"`
}

type hookTranscription struct {
	Transcription   string            `json:"transcription"`
	Confidence      float64           `json:"transcriptionConfidence"`
	ResolvedContext map[string]string `json:"resolvedContext"`
	ResolvedSlots   map[string]*Slot  `json:"resolvedSlots"`
}

// A hookAnswer is what a function may answer.
type hookAnswer struct {
	SessionState      *hookState        `json:"sessionState"`
	Messages          []Message         `json:"messages"`
	RequestAttributes map[string]string `json:"requestAttributes"`
}

type hookState struct {
	ActiveContexts    *[]Context         `json:"activeContexts"`
	SessionAttributes *map[string]string `json:"sessionAttributes"`
	RuntimeHints      json.RawMessage    `json:"runtimeHints"`
	DialogAction      *Action            `json:"dialogAction"`
	Intent            *Intent            `json:"intent"`
}

// attemptName is what an attempt is called.
func attemptName(n int) string {
	if n == 0 {
		return "Initial"
	}
	return "Retry" + strconv.Itoa(n)
}

func (d *dialog) event(source string, p proposal) hookEvent {
	s := *d.state()
	s.DialogAction = nil
	if s.ActiveContexts == nil {
		s.ActiveContexts = []Context{}
	}
	if s.SessionAttributes == nil {
		s.SessionAttributes = map[string]string{}
	}
	e := hookEvent{
		MessageVersion: "1.0", InvocationSource: source, InputMode: "Text", ResponseContentType: "text/plain; charset=utf-8",
		SessionID: d.bot.address.Session, InputTranscript: d.text, InvocationLabel: d.label, RequestAttributes: d.request, SessionState: s,
		Bot: hookBot{ID: d.bot.address.Bot, Name: d.bot.name, AliasID: d.bot.address.Alias, AliasName: d.bot.alias.name, LocaleID: d.bot.address.Locale,
			Version: d.bot.alias.version},
		Transcriptions: []hookTranscription{{Transcription: d.text, Confidence: 1, ResolvedContext: map[string]string{}, ResolvedSlots: map[string]*Slot{}}},
	}
	for _, i := range d.interpretations() {
		e.Interpretations = append(e.Interpretations, hookInterpretation{i.Intent, i.Confidence, "Lex"})
	}
	if now := s.Intent; now != nil {
		t := &e.Transcriptions[0]
		t.ResolvedContext["intent"] = now.Name
		for name, v := range now.Slots {
			if v != nil {
				t.ResolvedSlots[name] = v
			}
		}
	}
	if source == "DialogCodeHook" {
		e.ProposedNextState = &hookProposal{hookAction{nil, p.action.Type}, s.Intent, hookPrompt{attemptName(p.attempt)}}
		if p.action.SlotToElicit != "" {
			e.ProposedNextState.DialogAction.SlotToElicit = &p.action.SlotToElicit
		}
	}
	return e
}

// interpretations are what the text may mean, the fallback last.
func (d *dialog) interpretations() []Interpretation {
	out := d.found
	if f := d.locale.fallback; f != nil && (len(out) == 0 || out[0].Intent.Name != f.name) {
		out = append(out[:len(out):len(out)], Interpretation{&Intent{Name: f.name, Slots: map[string]*Slot{}}, 0})
	}
	return out
}

// ask invokes the function of the alias and waits for it.
func (b *Bots) ask(ctx context.Context, d *dialog, source string, p proposal) (out hookAnswer, err error) {
	a := d.bot.address
	answer, err := b.invoke(ctx, d, d.bot.function, service, AliasARN(a.Place, a.Bot, a.Alias), d.event(source, p))
	if err != nil {
		return out, err
	}
	if json.Unmarshal(answer, &out) != nil || out.SessionState == nil || out.SessionState.DialogAction == nil {
		return out, api.BadGatewayException("The function %s answered what is no answer to a code hook: sessionState.dialogAction is required.", d.bot.function)
	}
	return out, nil
}

// invoke hands an event to a function whose policy lets a principal in, and waits for the
// answer.
func (b *Bots) invoke(ctx context.Context, d *dialog, function, principal, source string, event any) ([]byte, error) {
	if d.hooks++; d.hooks > maxHooks {
		return nil, api.BadGatewayException("The function was asked %d times in a turn.", maxHooks)
	}
	ref, err := lambda.ParseARN(function)
	if err != nil {
		return nil, api.DependencyFailedException("%s is not the ARN of a function.", function)
	}
	var may bool
	err = b.db.Read(ctx, func(tx *db.Tx) (err error) {
		may, err = lambda.MayInvoke(ctx, tx, function, principal, source, d.bot.address.Account)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, api.DependencyFailedException("The function %s is gone or its policy does not let %s invoke it.", function, source)
	}
	payload, err := encode(event)
	if err != nil {
		return nil, err
	}
	return b.waitFor(ctx, ref, payload)
}

// encode writes JSON as AWS does, without escapes for web pages.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

func (b *Bots) waitFor(ctx context.Context, ref lambda.Ref, payload []byte) ([]byte, error) {
	a, err := b.functions.InvokeWithin(ctx, ref, lambda.Call{Payload: payload}, waitForFunction)
	switch {
	case errors.Is(err, lambda.ErrNotInTime):
		return nil, api.DependencyFailedException("The function did not answer within %s.", waitForFunction)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, api.DependencyFailedException("The function could not be invoked: %s", err)
	case a.FunctionError != "":
		return nil, api.DependencyFailedException("The function ended with an error: %s", a.Payload)
	}
	return a.Payload, nil
}

// obey does what a function answered.
func (d *dialog) obey(ctx context.Context, a hookAnswer) error {
	s, now := a.SessionState, d.state()
	if s.SessionAttributes != nil {
		now.SessionAttributes = *s.SessionAttributes
	}
	if s.ActiveContexts != nil {
		now.ActiveContexts = *s.ActiveContexts
	}
	if len(s.RuntimeHints) > 0 {
		now.RuntimeHints = s.RuntimeHints
	}
	if a.RequestAttributes != nil {
		d.request = a.RequestAttributes
	}
	if s.Intent != nil {
		if err := d.take(s.Intent); err != nil {
			return err
		}
	}
	return d.do(ctx, *s.DialogAction, a.Messages)
}

// take puts the intent of a function's answer, or of a client's session, in the place of
// the one that is talked about.
func (d *dialog) take(i *Intent) error {
	definition := d.locale.intents[i.Name]
	if definition == nil {
		return api.BadGatewayException("The bot has no intent %s.", i.Name)
	}
	if i.Slots == nil {
		i.Slots = map[string]*Slot{}
	}
	for name, v := range i.Slots {
		if definition.slot(name) == nil {
			return api.BadGatewayException("The intent %s has no slot %s.", i.Name, name)
		}
		if v != nil && v.Value == nil {
			i.Slots[name] = nil
		} else if v != nil && v.Shape == "" {
			v.Shape = "Scalar"
		}
		if v != nil && v.Value != nil && v.Value.Resolved == nil {
			v.Value.Resolved = []string{}
		}
	}
	for _, s := range definition.slots {
		if _, ok := i.Slots[s.name]; !ok {
			i.Slots[s.name] = nil
		}
	}
	if i.State == "" {
		i.State = InProgress
	}
	if i.Confirmation == "" {
		i.Confirmation = None
	}
	d.state().Intent = i
	if len(d.found) == 0 || d.found[0].Intent.Name != i.Name {
		d.found = append([]Interpretation{{i, 0}}, d.found...)
	} else {
		d.found[0].Intent = i
	}
	return nil
}

// do does what a function or a client says comes next.
func (d *dialog) do(ctx context.Context, a Action, messages []Message) error {
	for _, m := range messages {
		if m.ContentType == "" {
			return api.BadGatewayException("A message needs a contentType.")
		}
	}
	i := d.intent()
	if i == nil && a.Type != ElicitIntent && a.Type != Close && a.Type != None {
		return api.BadGatewayException("The dialog action %s needs an intent.", a.Type)
	}
	switch a.Type {
	case Delegate:
		d.messages = append(d.messages, messages...)
		if d.fulfilling {
			d.close(nil)
			return nil
		}
		return d.decide(ctx, false)
	case ElicitIntent:
		if len(messages) == 0 {
			return api.BadGatewayException("The dialog action ElicitIntent needs messages.")
		}
	case ElicitSlot:
		s := i.slot(a.SlotToElicit)
		if s == nil {
			return api.BadGatewayException("The intent %s has no slot %s.", i.name, a.SlotToElicit)
		}
		d.state().Intent.State = InProgress
		if len(messages) == 0 {
			messages = d.promptMessages(s.prompt())
		}
	case Confirm:
		d.state().Intent.Confirmation = None
		var prompt *modelsapi.PromptSpecification
		if c := i.definition.IntentConfirmationSetting; c != nil {
			prompt = c.PromptSpecification
		}
		if len(messages) == 0 {
			messages = d.promptMessages(prompt)
		}
	case Close:
		d.close(messages)
		return nil
	case None:
	default:
		return api.BadGatewayException("The dialog action %s is not known.", a.Type)
	}
	d.act(a, messages)
	return nil
}
