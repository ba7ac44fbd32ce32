// Package function speaks AWS Config's side of rules that are Lambda functions:
// the event that a function gets, and the result token that it gives back with
// PutEvaluations.
//
// It invokes nothing and stores nothing. A token carries what PutEvaluations
// needs to know, sealed with a key that all servers of a store share.
package function

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/trace"
)

// A Token is what a result token says: whose results these are and when the
// function was asked. It names the rule by its id, so that results for a rule
// that was deleted do not reach another one of its name.
type Token struct {
	Account string `json:"a"`
	Region  string `json:"r"`
	RuleID  string `json:"i"`
	Source  string `json:"s"` // the ARN of the function: the rule may have another one by now
	Invoked int64  `json:"t"` // microseconds since the epoch
	// Captured is the capture time of the item that the function was told of, in
	// microseconds; 0 if it was told of none.
	Captured int64 `json:"c,omitempty"`
	// Evaluation is the proactive one that the function was asked in; empty if it
	// was asked about what is there.
	Evaluation string `json:"e,omitempty"`
	// Trace is what the function was asked in; empty if nobody traces.
	Trace trace.Parent `json:"x,omitempty"`
}

// A Sealer makes and opens result tokens.
type Sealer struct{ aead cipher.AEAD }

// NewSealer takes the 32 bytes that all servers of a store share.
func NewSealer(key []byte) (*Sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("result token key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("result token key: %w", err)
	}
	return &Sealer{aead}, nil
}

// Seal returns the text of a token: opaque, and different each time.
func (s *Sealer) Seal(t Token) (string, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil)), nil
}

// ErrToken says that a text is no token of this store.
var ErrToken = errors.New("the resultToken provided is invalid")

// Open returns what a token says, or ErrToken.
func (s *Sealer) Open(text string) (Token, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < s.aead.NonceSize() || base64.StdEncoding.EncodeToString(raw) != text { // one spelling of each token
		return Token{}, ErrToken
	}
	plain, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], nil)
	if err != nil {
		return Token{}, ErrToken
	}
	var t Token
	if err := json.Unmarshal(plain, &t); err != nil {
		return Token{}, ErrToken
	}
	return t, nil
}

// event has exactly the members that a function gets.
type event struct {
	Version        string `json:"version"`
	InvokingEvent  string `json:"invokingEvent"`
	RuleParameters string `json:"ruleParameters"`
	ResultToken    string `json:"resultToken"`
	LeftScope      bool   `json:"eventLeftScope"`
	RoleARN        string `json:"executionRoleArn"`
	RuleARN        string `json:"configRuleArn"`
	RuleName       string `json:"configRuleName"`
	RuleID         string `json:"configRuleId"`
	Account        string `json:"accountId"`
	Mode           string `json:"evaluationMode,omitempty"`
}

// A Trigger is why a function is invoked.
type Trigger struct {
	InvokingEvent []byte
	Captured      time.Time // of the item in the event; zero if there is none
	LeftScope     bool
	RoleARN       string // the recorder's role, also for custom rules
	Now           time.Time
	Evaluation    string // the proactive one; empty for what is there
	Trace         trace.Parent
}

// Event returns what a rule's function is invoked with. ruleParameters is "{}"
// when the rule has none: rules parse it without asking. Only events of items
// have an evaluation mode.
func (s *Sealer) Event(r config.Rule, t Trigger) ([]byte, error) {
	token := Token{
		Account: r.Account, Region: r.Region, RuleID: r.ID, Source: r.Source.Identifier, Invoked: t.Now.UnixMicro(), Evaluation: t.Evaluation, Trace: t.Trace,
	}
	mode := ""
	if !t.Captured.IsZero() {
		token.Captured, mode = t.Captured.UnixMicro(), config.ModeDetective
	}
	if t.Evaluation != "" {
		mode = config.ModeProactive
	}
	sealed, err := s.Seal(token)
	if err != nil {
		return nil, fmt.Errorf("seal result token: %w", err)
	}
	parameters := r.InputParameters
	if parameters == "" {
		parameters = "{}"
	}
	return json.Marshal(event{
		"1.0", string(t.InvokingEvent), parameters, sealed, t.LeftScope, t.RoleARN, r.ARN, r.Name, r.ID, r.Account, mode,
	})
}
