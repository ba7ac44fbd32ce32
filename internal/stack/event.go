package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/db"
)

// An Event is a step that a stack or one of its resources took.
type Event struct {
	ID         string
	Seq        int64
	Time       time.Time
	Resource   string // logical; the stack's name for itself
	Physical   string
	Type       string
	Status     string
	Reason     string
	Properties string // JSON
	Token      string
}

type storedEvent struct {
	Resource   string `json:"resource"`
	Physical   string `json:"physical,omitempty"`
	Type       string `json:"type"`
	Status     string `json:"status"`
	Reason     string `json:"reason,omitempty"`
	Properties string `json:"properties,omitempty"`
	Token      string `json:"token,omitempty"`
}

// A cause is why something failed, in the words that AWS has for it.
type cause string

func (c cause) Error() string { return string(c) }

// because returns a cause of those words.
func because(format string, args ...any) error { return cause(fmt.Sprintf(format, args...)) }

// maxReason is how many characters of a reason are kept.
const maxReason = 4000

// event notes a step. The stack is locked.
func (s *Stacks) event(ctx context.Context, tx *db.Tx, of Stack, e Event) error {
	if r := []rune(e.Reason); len(r) > maxReason {
		e.Reason = string(r[:maxReason])
	}
	e.Token = of.Operation.Token
	body, err := encode(storedEvent{e.Resource, e.Physical, e.Type, e.Status, e.Reason, e.Properties, e.Token})
	if err != nil {
		return err
	}
	id := newUUID()
	if e.Physical != of.ID {
		id = fmt.Sprintf("%s-%s-%s", e.Resource, e.Status, id)
	}
	_, err = tx.Exec(ctx, `INSERT INTO stack_event (stack, seq, id, at, body)
		SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ? FROM stack_event WHERE stack = ?`, of.ID, id, db.Micros(s.Now()), body, of.ID)
	if err != nil {
		return fmt.Errorf("keep an event of %s: %w", of.ID, err)
	}
	return nil
}

// stackEvent notes the status that a stack has now.
func (s *Stacks) stackEvent(ctx context.Context, tx *db.Tx, of Stack) error {
	return s.event(ctx, tx, of, Event{Resource: of.Name, Physical: of.ID, Type: StackType, Status: of.Status, Reason: of.Reason})
}

// resourceEvent notes the status that a resource has now.
func (s *Stacks) resourceEvent(ctx context.Context, tx *db.Tx, of Stack, r Resource) error {
	e := Event{Resource: r.ID, Physical: r.Physical, Type: r.Type, Status: r.Status, Reason: r.Reason}
	if r.Generation == 0 && len(r.Properties) > 0 {
		e.Properties, _ = encode(r.Properties) // what was read from JSON can be written
		for _, p := range of.Parameters {
			if p.Hidden && p.Value != "" {
				e.Properties = strings.ReplaceAll(e.Properties, strings.Trim(mustJSON(p.Value), `"`), hidden)
			}
		}
	}
	return s.event(ctx, tx, of, e)
}

// hidden is what is shown of a parameter with NoEcho.
const hidden = "****"

func mustJSON(s string) string {
	text, _ := encode(s)
	return text
}

// events returns up to limit events of a stack, the newest first, before one of
// them; 0 is the end.
func events(ctx context.Context, tx *db.Tx, stack string, before int64, limit int) (out []Event, err error) {
	where, args := `stack = ?`, []any{stack}
	if before > 0 {
		where, args = where+` AND seq < ?`, append(args, before)
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var e Event
		var at int64
		var body string
		if err := scan(&e.Seq, &e.ID, &at, &body); err != nil {
			return err
		}
		var form storedEvent
		if err := json.Unmarshal([]byte(body), &form); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		e.Time, e.Resource, e.Physical, e.Type = db.Time(at), form.Resource, form.Physical, form.Type
		e.Status, e.Reason, e.Properties, e.Token = form.Status, form.Reason, form.Properties, form.Token
		out = append(out, e)
		return nil
	}, `SELECT seq, id, at, body FROM stack_event WHERE `+where+` ORDER BY seq DESC LIMIT ?`, append(args, limit)...)
	return out, err
}

func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
