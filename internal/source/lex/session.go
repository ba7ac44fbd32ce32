package lex

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	api "plumb/internal/model/lexv2runtimeapi"
)

// An Address is a conversation with a bot.
type Address struct {
	config.Place
	Bot     string
	Alias   string
	Locale  string // empty for a bot of Lex V1, which Bot and Alias name
	Session string // the user, in Lex V1
}

// A State is where a conversation is, as functions and clients see it.
type State struct {
	DialogAction         *Action           `json:"dialogAction,omitempty"`
	Intent               *Intent           `json:"intent,omitempty"`
	ActiveContexts       []Context         `json:"activeContexts"`
	SessionAttributes    map[string]string `json:"sessionAttributes"`
	RuntimeHints         json.RawMessage   `json:"runtimeHints,omitempty"`
	OriginatingRequestID string            `json:"originatingRequestId,omitempty"`
}

// The types of what a dialog does next.
const (
	Close        = "Close"
	Confirm      = "ConfirmIntent"
	Delegate     = "Delegate"
	ElicitIntent = "ElicitIntent"
	ElicitSlot   = "ElicitSlot"
	None         = "None"
)

// An Action is what a dialog does next.
type Action struct {
	Type         string `json:"type"`
	SlotToElicit string `json:"slotToElicit,omitempty"`
	Style        string `json:"slotElicitationStyle,omitempty"`
}

// The states of intents.
const (
	InProgress = "InProgress"
	Ready      = "ReadyForFulfillment"
	Fulfilled  = "Fulfilled"
	Failed     = "Failed"
)

// Whether a user confirmed an intent.
const (
	Confirmed = "Confirmed"
	Denied    = "Denied"
)

// An Intent is what a user wants, as far as it is known. A slot without a value is nil.
type Intent struct {
	Name         string           `json:"name"`
	Slots        map[string]*Slot `json:"slots"`
	State        string           `json:"state,omitempty"`
	Confirmation string           `json:"confirmationState,omitempty"`
}

// A Slot is what was said for one.
type Slot struct {
	Shape string `json:"shape,omitempty"`
	Value *Value `json:"value,omitempty"`
}

// A Value is a text, and what it means.
type Value struct {
	Original    string   `json:"originalValue,omitempty"`
	Interpreted string   `json:"interpretedValue,omitempty"`
	Resolved    []string `json:"resolvedValues"`
}

// A Context says what a conversation is about, for some turns.
type Context struct {
	Name       string            `json:"name"`
	Attributes map[string]string `json:"contextAttributes"`
	TimeToLive TimeToLive        `json:"timeToLive"`
}

// TimeToLive is how long a context is active.
type TimeToLive struct {
	Turns   int `json:"turnsToLive"`
	Seconds int `json:"timeToLiveInSeconds"`
}

// A Message is what the bot says.
type Message struct {
	ContentType string          `json:"contentType"`
	Content     string          `json:"content,omitempty"`
	Card        json.RawMessage `json:"imageResponseCard,omitempty"`
}

// An Interpretation is what a text may mean.
type Interpretation struct {
	Intent     *Intent
	Confidence float64 // 0: none, of the fallback
}

// A session is a conversation, as it is kept.
type session struct {
	State    State     `json:"state"`
	Messages []Message `json:"messages,omitempty"` // of the last turn
	Attempt  int       `json:"attempt,omitempty"`  // how often the user was asked again
	turn     int64
}

// noSession is the error of a conversation that did not begin.
func noSession(a Address) error {
	return api.ResourceNotFoundException("The session %s is not there.", a.Session)
}

func (a Address) key() []any {
	return []any{a.Account, a.Region, a.Bot, a.Alias, a.Locale, a.Session}
}

const ofSession = `account = ? AND region = ? AND bot = ? AND alias = ? AND locale = ? AND id = ?`

// find reads a conversation; one that is too old has not begun.
func find(ctx context.Context, tx *db.Tx, a Address, now time.Time) (s session, ok bool, err error) {
	var text string
	var expires int64
	err = tx.QueryRow(ctx, `SELECT turn, expires, state FROM lex_sessions WHERE `+ofSession, a.key()...).Scan(&s.turn, &expires, &text)
	if errors.Is(err, db.ErrNoRows) {
		return session{}, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("read session: %w", err)
	}
	if expires <= db.Micros(now) {
		return session{turn: s.turn}, false, nil
	}
	return s, true, json.Unmarshal([]byte(text), &s)
}

// keep writes a turn, unless another one was written since the session was read. The
// conversations with the bot that are too old go.
func keep(ctx context.Context, tx *db.Tx, a Address, s session, now time.Time, ttl time.Duration) error {
	var turn int64
	err := tx.QueryRow(ctx, `SELECT turn FROM lex_sessions WHERE `+ofSession, a.key()...).Scan(&turn)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	if turn != s.turn {
		return answeredMeanwhile(a)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	kept, err := tx.Exec(ctx, `INSERT INTO lex_sessions (account, region, bot, alias, locale, id, turn, expires, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, bot, alias, locale, id) DO UPDATE SET turn = excluded.turn, expires = excluded.expires, state = excluded.state
		WHERE lex_sessions.turn = excluded.turn - 1`,
		append(a.key(), turn+1, db.Micros(now.Add(ttl)), string(text))...)
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	if kept == 0 { // it was written since it was read
		return answeredMeanwhile(a)
	}
	_, err = tx.Exec(ctx, `DELETE FROM lex_sessions WHERE account = ? AND region = ? AND bot = ? AND expires <= ?`, a.Account, a.Region, a.Bot, db.Micros(now))
	return err
}

func answeredMeanwhile(a Address) error {
	return api.ConflictException("Another request of the session %s was answered meanwhile.", a.Session)
}

// Session returns where a conversation is, and what the bot said last.
func (b *Bots) Session(ctx context.Context, a Address) (State, []Message, error) {
	var s session
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := open(ctx, tx, a); err != nil {
			return err
		}
		var ok bool
		var err error
		if s, ok, err = find(ctx, tx, a, b.now()); err == nil && !ok {
			err = noSession(a)
		}
		return err
	})
	return s.State, s.Messages, err
}

// End forgets a conversation.
func (b *Bots) End(ctx context.Context, a Address) error {
	return b.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := open(ctx, tx, a); err != nil {
			return err
		}
		if _, ok, err := find(ctx, tx, a, b.now()); err != nil {
			return err
		} else if !ok {
			return noSession(a)
		}
		_, err := tx.Exec(ctx, `DELETE FROM lex_sessions WHERE `+ofSession, a.key()...)
		return err
	})
}
