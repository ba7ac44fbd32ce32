package lex

import (
	"context"
	"encoding/json"
	"time"

	"plumb/internal/db"
	"plumb/internal/model"
	modelsapi "plumb/internal/model/lexv2modelsapi"
	api "plumb/internal/model/lexv2runtimeapi"
)

// An opened is what a conversation is with.
type opened struct {
	address  Address
	name     string
	alias    alias
	function string // that is asked; empty for none
	ttl      time.Duration
	first    *first // of Lex V1; nil for V2
}

// open finds what an address is of.
func open(ctx context.Context, tx *db.Tx, a Address) (o opened, err error) {
	if a.Locale == "" {
		return openFirst(ctx, tx, a)
	}
	bot, err := Find(ctx, tx, Resource{Place: a.Place, Bot: a.Bot, Kind: KindBot, ID: a.Bot})
	if err != nil {
		return o, gone(err)
	}
	r, err := Find(ctx, tx, Resource{Place: a.Place, Bot: a.Bot, Kind: KindAlias, ID: a.Alias})
	if err != nil {
		return o, gone(err)
	}
	o = opened{address: a, name: bot.Name, alias: aliasOf(r)}
	if s, ok := o.alias.locales[a.Locale]; ok && !model.Deref(s.Enabled) {
		return o, api.ResourceNotFoundException("The locale %s is not enabled in the bot alias %s.", a.Locale, a.Alias)
	}
	l, err := Find(ctx, tx, Resource{Place: a.Place, Bot: a.Bot, Kind: KindLocale, Version: o.alias.version, ID: a.Locale})
	if err != nil {
		return o, gone(err)
	}
	if l.Built.IsZero() {
		return o, api.ValidationException("The locale %s of the bot is not built.", a.Locale)
	}
	o.function = o.alias.function(a.Locale)
	var in modelsapi.CreateBotInput
	if err := read(bot, &in); err != nil {
		return o, err
	}
	o.ttl = time.Duration(model.Deref(in.IdleSessionTTLInSeconds)) * time.Second
	return o, nil
}

// gone gives an error of the other API this one's code.
func gone(err error) error {
	if e, ok := model.Named(err); ok && err != nil && model.IsCode(err, "ResourceNotFoundException") {
		return api.ResourceNotFoundException("%s", e.Message)
	}
	return err
}

// A Turn is what a client sends.
type Turn struct {
	Text       string
	State      *State // instead of the one that is kept; nil for none
	Messages   []Message
	Attributes map[string]string // of the request
	Attributed map[string]string // attributes of the session, instead of those that are kept; nil for none
	Contexts   []Context         // likewise
}

// An Answer is what it gets.
type Answer struct {
	Messages        []Message
	State           State
	Interpretations []Interpretation
	Attributes      map[string]string
	Bot             string // its name
	Version         string // of the bot
	Card            json.RawMessage
}

// Recognize takes what a user says.
func (b *Bots) Recognize(ctx context.Context, a Address, t Turn) (Answer, error) {
	return b.turn(ctx, a, t, func(d *dialog) error {
		if t.State != nil {
			if err := d.replace(*t.State); err != nil {
				return err
			}
		}
		if t.Attributed != nil {
			d.state().SessionAttributes = t.Attributed
		}
		if t.Contexts != nil {
			d.state().ActiveContexts = t.Contexts
		}
		return d.accept(ctx)
	})
}

// Put begins a conversation anew where a client says, and does what it says comes next.
func (b *Bots) Put(ctx context.Context, a Address, t Turn) (Answer, error) {
	return b.turn(ctx, a, t, func(d *dialog) error {
		d.session = session{turn: d.session.turn, State: State{OriginatingRequestID: d.session.State.OriginatingRequestID}}
		if err := d.replace(*t.State); err != nil {
			return err
		}
		next := Action{Type: None}
		if t.State.DialogAction != nil {
			next = *t.State.DialogAction
		}
		if next.Type == ElicitIntent && len(t.Messages) == 0 {
			d.act(next, nil)
			return nil
		}
		return asked(d.do(ctx, next, t.Messages))
	})
}

// asked makes what is wrong with a client's wish the client's fault.
func asked(err error) error {
	if e, ok := model.Named(err); err != nil && ok && model.IsCode(err, "BadGatewayException") {
		return api.ValidationException("%s", e.Message)
	}
	return err
}

func (d *dialog) replace(s State) error {
	if s.Intent != nil {
		if err := asked(d.take(s.Intent)); err != nil {
			return err
		}
	}
	now := d.state()
	now.DialogAction, now.RuntimeHints = s.DialogAction, s.RuntimeHints
	if s.SessionAttributes != nil {
		now.SessionAttributes = s.SessionAttributes
	}
	if s.ActiveContexts != nil {
		now.ActiveContexts = s.ActiveContexts
	}
	return nil
}

// turn runs a turn of a conversation and keeps where that is then. The function is asked
// outside of a transaction: a turn that comes second is refused.
func (b *Bots) turn(ctx context.Context, a Address, t Turn, work func(d *dialog) error) (Answer, error) {
	d := &dialog{now: b.now(), text: t.Text, request: t.Attributes, invoke: b.ask}
	err := b.db.Read(ctx, func(tx *db.Tx) (err error) {
		if d.bot, err = open(ctx, tx, a); err != nil {
			return err
		}
		if d.bot.first != nil {
			d.locale, d.invoke = d.bot.first.locale, b.askFirst
		} else if d.locale, err = readLocale(ctx, tx, Resource{Place: a.Place, Bot: a.Bot, Version: d.bot.alias.version, Locale: a.Locale}); err != nil {
			return err
		}
		d.session, _, err = find(ctx, tx, a, d.now)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	if d.state().OriginatingRequestID == "" {
		d.state().OriginatingRequestID = requestID()
	}
	if err := work(d); err != nil {
		return Answer{}, err
	}
	d.session.Messages = d.messages
	if err := b.db.Write(ctx, func(tx *db.Tx) error { return keep(ctx, tx, a, d.session, b.now(), d.bot.ttl) }); err != nil {
		return Answer{}, err
	}
	return Answer{Messages: d.messages, State: d.session.State, Interpretations: d.interpretations(), Attributes: d.request, Bot: d.bot.name,
		Version: d.bot.alias.version, Card: d.card}, nil
}

// cardOf writes a card as messages have it.
func cardOf(c *modelsapi.ImageResponseCard) json.RawMessage {
	text, err := encode(c)
	if err != nil {
		return nil // texts cannot fail
	}
	return text
}
