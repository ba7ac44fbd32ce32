// Package lexv2runtime is the API by which users talk to bots of the embedded Lex V2, in
// text. It asks package source/lex, and answers in Lex's shapes. It keeps nothing.
package lexv2runtime

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	api "plumb/internal/model/lexv2runtimeapi"
	"plumb/internal/source/lex"
)

// New returns the service with its operations bound to the bots.
func New(b *lex.Bots) *model.Registry {
	service := api.NewService()
	o := operations{b}
	service.RecognizeText(o.RecognizeText)
	service.GetSession(o.GetSession)
	service.PutSession(o.PutSession)
	service.DeleteSession(o.DeleteSession)
	return service.Registry()
}

type operations struct{ bots *lex.Bots }

func address(ctx context.Context, bot, alias, locale, session *string) lex.Address {
	c := caller.From(ctx)
	return lex.Address{Place: config.Place{Account: c.Account, Region: c.Region}, Bot: *bot, Alias: *alias, Locale: *locale, Session: *session}
}

// as writes a value in another form that has the same JSON.
func as[T any](v any) (out T, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	return out, err
}

// stateOf reads a client's state; nil for none.
func stateOf(in *api.SessionState) (*lex.State, error) {
	if in == nil {
		return nil, nil
	}
	s, err := as[lex.State](in)
	return &s, err
}

// RecognizeText takes what a user says.
func (o operations) RecognizeText(ctx context.Context, in *api.RecognizeTextInput) (*api.RecognizeTextOutput, error) {
	state, err := stateOf(in.SessionState)
	if err != nil {
		return nil, err
	}
	a, err := o.bots.Recognize(ctx, address(ctx, in.BotId, in.BotAliasId, in.LocaleId, in.SessionId), lex.Turn{Text: *in.Text, State: state, Attributes: in.RequestAttributes})
	if err != nil {
		return nil, err
	}
	out := &api.RecognizeTextOutput{SessionId: in.SessionId, RequestAttributes: a.Attributes}
	if out.Messages, err = as[[]api.Message](a.Messages); err != nil {
		return nil, err
	}
	if out.SessionState, err = as[*api.SessionState](a.State); err != nil {
		return nil, err
	}
	for _, i := range a.Interpretations {
		shape := api.Interpretation{InterpretationSource: api.InterpretationSourceLex}
		if shape.Intent, err = as[*api.Intent](i.Intent); err != nil {
			return nil, err
		}
		if i.Confidence > 0 {
			shape.NluConfidence = &api.ConfidenceScore{Score: new(i.Confidence)}
		}
		out.Interpretations = append(out.Interpretations, shape)
	}
	return out, nil
}

// GetSession tells where a conversation is.
func (o operations) GetSession(ctx context.Context, in *api.GetSessionInput) (*api.GetSessionOutput, error) {
	state, messages, err := o.bots.Session(ctx, address(ctx, in.BotId, in.BotAliasId, in.LocaleId, in.SessionId))
	if err != nil {
		return nil, err
	}
	out := &api.GetSessionOutput{SessionId: in.SessionId}
	if out.Messages, err = as[[]api.Message](messages); err != nil {
		return nil, err
	}
	out.SessionState, err = as[*api.SessionState](state)
	return out, err
}

// PutSession begins a conversation anew. What it answers is in headers, as JSON that is
// compressed and in base64.
func (o operations) PutSession(ctx context.Context, in *api.PutSessionInput) (*api.PutSessionOutput, error) {
	state, err := stateOf(in.SessionState)
	if err != nil {
		return nil, err
	}
	messages, err := as[[]lex.Message](in.Messages)
	if err != nil {
		return nil, err
	}
	a, err := o.bots.Put(ctx, address(ctx, in.BotId, in.BotAliasId, in.LocaleId, in.SessionId), lex.Turn{State: state, Messages: messages, Attributes: in.RequestAttributes})
	if err != nil {
		return nil, err
	}
	out := &api.PutSessionOutput{SessionId: in.SessionId, ContentType: new("text/plain; charset=utf-8")}
	for to, v := range map[**string]any{&out.Messages: a.Messages, &out.SessionState: a.State, &out.RequestAttributes: a.Attributes} {
		if *to, err = packed(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func packed(v any) (*string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(v); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return new(base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// DeleteSession forgets a conversation.
func (o operations) DeleteSession(ctx context.Context, in *api.DeleteSessionInput) (*api.DeleteSessionOutput, error) {
	err := o.bots.End(ctx, address(ctx, in.BotId, in.BotAliasId, in.LocaleId, in.SessionId))
	return &api.DeleteSessionOutput{BotId: in.BotId, BotAliasId: in.BotAliasId, LocaleId: in.LocaleId, SessionId: in.SessionId}, err
}
