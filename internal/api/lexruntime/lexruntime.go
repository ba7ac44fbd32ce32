// Package lexruntime is the API by which users talk to bots of the embedded Lex V1, in
// text. It asks package source/lex, and answers in Lex's shapes. It keeps nothing.
package lexruntime

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"slices"
	"unicode/utf8"

	"plumb/internal/caller"
	"plumb/internal/model"
	api "plumb/internal/model/lexruntimeapi"
	"plumb/internal/source/lex"
)

// New returns the service with its operations bound to the bots.
func New(b *lex.Bots) *model.Registry {
	service := api.NewService()
	o := operations{b}
	service.PostText(o.PostText)
	service.PostContent(o.PostContent)
	service.GetSession(o.GetSession)
	service.PutSession(o.PutSession)
	service.DeleteSession(o.DeleteSession)
	return service.Registry()
}

type operations struct{ bots *lex.Bots }

func address(ctx context.Context, bot, alias, user *string) lex.Address {
	return lex.Address{Place: caller.Place(ctx), Bot: *bot, Alias: *alias, Session: *user}
}

// fault gives an error of the newer API this one's code.
func fault(err error) error {
	e, ok := model.Named(err)
	switch {
	case err == nil || !ok:
		return err
	case model.IsCode(err, "ResourceNotFoundException"):
		return api.NotFoundException("%s", e.Message)
	case model.IsCode(err, "ValidationException"):
		return api.BadRequestException("%s", e.Message)
	}
	return err
}

// as writes a value in another form that has the same JSON.
func as[T any](v any) (out T, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

// say takes what a user says, with what the client says of the conversation.
func (o operations) say(ctx context.Context, a lex.Address, text string, session, request map[string]string, contexts []api.ActiveContext) (lex.Answer, error) {
	t := lex.Turn{Text: text, Attributes: request, Attributed: session}
	if contexts != nil {
		told, err := as[[]lex.FirstContext](contexts)
		if err != nil {
			return lex.Answer{}, err
		}
		t.Contexts = lex.ContextsOf(told)
	}
	out, err := o.bots.Recognize(ctx, a, t)
	return out, fault(err)
}

// PostText takes what a user says.
func (o operations) PostText(ctx context.Context, in *api.PostTextInput) (*api.PostTextOutput, error) {
	a, err := o.say(ctx, address(ctx, in.BotName, in.BotAlias, in.UserId), *in.InputText, in.SessionAttributes, in.RequestAttributes, in.ActiveContexts)
	if err != nil {
		return nil, err
	}
	out := &api.PostTextOutput{
		SessionAttributes: a.State.SessionAttributes, SessionId: &a.State.OriginatingRequestID, BotVersion: &a.Version,
		DialogState: api.DialogState(lex.FirstDialogState(a.State)), ActiveContexts: contextsOf(a.State),
	}
	if text, format := lex.FirstText(a.Messages); format != "" {
		out.Message, out.MessageFormat = &text, api.MessageFormatType(format)
	}
	if s := slotOf(a.State); s != "" {
		out.SlotToElicit = &s
	}
	if i := a.State.Intent; i != nil {
		out.IntentName, out.Slots = &i.Name, known(i)
		for n, found := range a.Interpretations {
			score := &api.IntentConfidence{Score: new(found.Confidence)}
			switch {
			case n == 0 && found.Intent.Name == i.Name && found.Confidence > 0:
				out.NluIntentConfidence = score
			case n > 0:
				out.AlternativeIntents = append(out.AlternativeIntents, alternative(found, score))
			}
		}
	}
	if len(a.Card) > 0 {
		if out.ResponseCard, err = cardOf(a.Card); err != nil {
			return nil, api.BadGatewayException("Invalid Lambda Response: the responseCard is not valid: %s", err)
		}
	}
	return out, nil
}

func alternative(found lex.Interpretation, score *api.IntentConfidence) api.PredictedIntent {
	p := api.PredictedIntent{IntentName: &found.Intent.Name, Slots: known(found.Intent)}
	if found.Confidence > 0 {
		p.NluIntentConfidence = score
	}
	return p
}

// cardOf reads a card, whose version is a number where a function writes it.
func cardOf(card json.RawMessage) (*api.ResponseCard, error) {
	var told struct {
		Version            json.Number             `json:"version"`
		ContentType        api.ContentType         `json:"contentType"`
		GenericAttachments []api.GenericAttachment `json:"genericAttachments"`
	}
	if err := json.Unmarshal(card, &told); err != nil {
		return nil, err
	}
	return &api.ResponseCard{Version: new(told.Version.String()), ContentType: told.ContentType, GenericAttachments: told.GenericAttachments}, nil
}

// known are the slots that have a value: the shape has no others.
func known(i *lex.Intent) map[string]string {
	out := map[string]string{}
	for name, v := range lex.FirstSlots(i) {
		if v != nil {
			out[name] = *v
		}
	}
	return out
}

func slotOf(s lex.State) string {
	if s.DialogAction == nil {
		return ""
	}
	return s.DialogAction.SlotToElicit
}

func contextsOf(s lex.State) (out []api.ActiveContext) {
	for _, c := range s.ActiveContexts {
		out = append(out, api.ActiveContext{Name: &c.Name, Parameters: c.Attributes, TimeToLive: &api.ActiveContextTimeToLive{
			TimeToLiveInSeconds: new(int32(c.TimeToLive.Seconds)), TurnsToLive: new(int32(c.TimeToLive.Turns)),
		}})
	}
	return out
}

// PostContent takes what a user says as a body of text. What it answers is in headers, of
// which most are JSON in base64.
func (o operations) PostContent(ctx context.Context, in *api.PostContentInput) (*api.PostContentOutput, error) {
	media, _, err := mime.ParseMediaType(*in.ContentType)
	if err != nil || media != "text/plain" || !utf8.Valid(in.InputStream) {
		return nil, api.UnsupportedMediaTypeException("The content type %s is not served here: text/plain; charset=utf-8 is.", *in.ContentType)
	}
	if accept := model.Deref(in.Accept); accept != "" && !slices.Contains([]string{"text/plain; charset=utf-8", "text/plain", "*/*"}, accept) {
		return nil, api.NotAcceptableException("The bot answers in text/plain; charset=utf-8, and not in %s.", accept)
	}
	const longest = 1024
	if n := utf8.RuneCount(in.InputStream); n == 0 || n > longest {
		return nil, api.BadRequestException("A text has 1 to %d characters.", longest)
	}
	var session, request map[string]string
	var contexts []api.ActiveContext
	for _, err := range []error{unpack(in.SessionAttributes, &session), unpack(in.RequestAttributes, &request), unpack(in.ActiveContexts, &contexts)} {
		if err != nil {
			return nil, api.BadRequestException("A header of the session is not JSON in base64: %s", err)
		}
	}
	a, err := o.say(ctx, address(ctx, in.BotName, in.BotAlias, in.UserId), string(in.InputStream), session, request, contexts)
	if err != nil {
		return nil, err
	}
	h, err := headersOf(a)
	if err != nil {
		return nil, err
	}
	out := &api.PostContentOutput{
		ContentType: h.ContentType, IntentName: h.IntentName, Slots: h.Slots, SessionAttributes: h.SessionAttributes, EncodedMessage: h.EncodedMessage,
		MessageFormat: h.MessageFormat, DialogState: h.DialogState, SlotToElicit: h.SlotToElicit, SessionId: h.SessionId, ActiveContexts: h.ActiveContexts,
		BotVersion: &a.Version, EncodedInputTranscript: new(base64.StdEncoding.EncodeToString(in.InputStream)), AudioStream: []byte{},
	}
	if plain(a.Messages) {
		out.Message = h.Message
	}
	return out, nil
}

// plain reports whether a message can stand in a header as it is.
func plain(messages []lex.Message) bool {
	text, _ := lex.FirstText(messages)
	for _, r := range text {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return text != ""
}

func unpack(header *string, into any) error {
	if model.Deref(header) == "" {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(*header)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func packed(v any) (*string, error) {
	text, err := json.Marshal(v)
	return new(base64.StdEncoding.EncodeToString(text)), err
}

// headersOf writes an answer as headers.
func headersOf(a lex.Answer) (*api.PutSessionOutput, error) {
	out := &api.PutSessionOutput{
		ContentType: new("text/plain; charset=utf-8"), DialogState: api.DialogState(lex.FirstDialogState(a.State)),
		SessionId: &a.State.OriginatingRequestID, AudioStream: []byte{},
	}
	if text, format := lex.FirstText(a.Messages); format != "" {
		out.EncodedMessage, out.MessageFormat = new(base64.StdEncoding.EncodeToString([]byte(text))), api.MessageFormatType(format)
		if plain(a.Messages) {
			out.Message = &text
		}
	}
	if s := slotOf(a.State); s != "" {
		out.SlotToElicit = &s
	}
	var err error
	if i := a.State.Intent; i != nil {
		out.IntentName = &i.Name
		if out.Slots, err = packed(lex.FirstSlots(i)); err != nil {
			return nil, err
		}
	}
	if out.SessionAttributes, err = packed(a.State.SessionAttributes); err != nil {
		return nil, err
	}
	if contexts := contextsOf(a.State); contexts != nil {
		out.ActiveContexts, err = packed(contexts)
	}
	return out, err
}

// GetSession tells where a conversation is.
func (o operations) GetSession(ctx context.Context, in *api.GetSessionInput) (*api.GetSessionOutput, error) {
	s, messages, err := o.bots.Session(ctx, address(ctx, in.BotName, in.BotAlias, in.UserId))
	if err != nil {
		return nil, fault(err)
	}
	out := &api.GetSessionOutput{SessionAttributes: s.SessionAttributes, SessionId: &s.OriginatingRequestID, ActiveContexts: contextsOf(s)}
	d := &api.DialogAction{}
	if s.DialogAction != nil && s.DialogAction.Type != lex.None {
		d.Type = api.DialogActionType(s.DialogAction.Type)
	}
	if slot := slotOf(s); slot != "" {
		d.SlotToElicit = &slot
	}
	if text, format := lex.FirstText(messages); format != "" {
		d.Message, d.MessageFormat = &text, api.MessageFormatType(format)
	}
	if i := s.Intent; i != nil {
		d.IntentName, d.Slots = &i.Name, known(i)
		if d.Type == api.DialogActionTypeClose {
			d.FulfillmentState = api.FulfillmentState(i.State)
		}
		out.RecentIntentSummaryView = []api.IntentSummary{{IntentName: d.IntentName, Slots: d.Slots, ConfirmationStatus: api.ConfirmationStatus(i.Confirmation),
			DialogActionType: d.Type, FulfillmentState: d.FulfillmentState, SlotToElicit: d.SlotToElicit}}
	}
	if d.Type != "" {
		out.DialogAction = d
	}
	return out, nil
}

// PutSession begins a conversation anew.
func (o operations) PutSession(ctx context.Context, in *api.PutSessionInput) (*api.PutSessionOutput, error) {
	state := lex.State{SessionAttributes: in.SessionAttributes}
	var messages []lex.Message
	if d := in.DialogAction; d != nil {
		state = lex.FirstState(string(d.Type), model.Deref(d.IntentName), model.Deref(d.SlotToElicit), string(d.FulfillmentState), d.Slots)
		state.SessionAttributes = in.SessionAttributes
		if d.Message != nil {
			messages = []lex.Message{{ContentType: string(d.MessageFormat), Content: *d.Message}}
		}
	}
	told, err := as[[]lex.FirstContext](in.ActiveContexts)
	if err != nil {
		return nil, err
	}
	state.ActiveContexts = lex.ContextsOf(told)
	a, err := o.bots.Put(ctx, address(ctx, in.BotName, in.BotAlias, in.UserId), lex.Turn{State: &state, Messages: messages})
	if err != nil {
		return nil, fault(err)
	}
	return headersOf(a)
}

// DeleteSession forgets a conversation.
func (o operations) DeleteSession(ctx context.Context, in *api.DeleteSessionInput) (*api.DeleteSessionOutput, error) {
	a := address(ctx, in.BotName, in.BotAlias, in.UserId)
	s, _, err := o.bots.Session(ctx, a)
	if err == nil {
		err = o.bots.End(ctx, a)
	}
	return &api.DeleteSessionOutput{BotName: in.BotName, BotAlias: in.BotAlias, UserId: in.UserId, SessionId: &s.OriginatingRequestID}, fault(err)
}
