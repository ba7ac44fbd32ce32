package rule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/store"
	"plumb/internal/trace"
)

// A notice is what functions are sent of one item. It is encoded once for all
// rules.
type notice struct {
	item    config.Item
	before  *config.Item
	changed bool // with a difference to what was before
	now     time.Time

	message string // the message type of body
	body    []byte
}

// encode returns the notice in the form that fits its size.
func (n *notice) encode() (message string, body []byte, err error) {
	if n.body != nil {
		return n.message, n.body, nil
	}
	var diff *config.Diff
	changeType := config.ChangeUpdate
	if n.changed {
		diff = new(config.NewDiff(n.before, n.item))
		changeType = diff.ChangeType
	}
	n.message = config.MessageChange
	if n.body, err = config.ChangeNotification(n.item, diff, n.now); err != nil {
		return "", nil, fmt.Errorf("encode %s: %w", n.item.ResourceKey, err)
	}
	if len(n.body) > config.MaxMessage {
		n.message = config.MessageOversized
		n.body, err = config.OversizedNotification(n.item, changeType, config.S3Summary{}, n.now)
	}
	return n.message, n.body, err
}

// invocation returns the invocation of a rule's function with an item; not ok if
// the rule did not ask for the form that fits its size.
func (e *Engine) invocation(ctx context.Context, r config.Rule, recorderRole string, n *notice, leftScope bool) (i Invocation, ok bool, err error) {
	message, body, err := n.encode()
	if err != nil || !r.Triggered(message) {
		return i, false, err
	}
	i, err = e.seal(ctx, r, recorderRole, body, &n.item, leftScope, n.now)
	return i, err == nil, err
}

// scheduled returns the invocation of a periodic function.
func (e *Engine) scheduled(ctx context.Context, r config.Rule, recorderRole string) (Invocation, error) {
	now := e.Now()
	body, err := config.ScheduledNotification(r.Account, now)
	if err != nil {
		return Invocation{}, err
	}
	return e.seal(ctx, r, recorderRole, body, nil, false, now)
}

// seal returns an invocation with an event and its result token. it is the item
// in the event, nil if there is none.
func (e *Engine) seal(ctx context.Context, r config.Rule, recorderRole string, invokingEvent []byte, it *config.Item, leftScope bool, now time.Time) (Invocation, error) {
	t := function.Trigger{InvokingEvent: invokingEvent, LeftScope: leftScope, RoleARN: recorderRole, Now: now, Trace: trace.ParentOf(ctx)}
	asked := Asked{At: now.UnixMicro(), LeftScope: leftScope}
	if it != nil {
		t.Captured = it.CaptureTime
		asked.Type, asked.ID = it.Type, it.ID
	}
	payload, err := e.Sealer.Event(r, t)
	return Invocation{r.Place, r.Source.Identifier, payload, Origin{RuleID: r.ID, Asked: asked}}, err
}

func (e *Engine) invoke(ctx context.Context, tx *db.Tx, list []Invocation) error {
	if len(list) == 0 {
		return nil
	}
	if err := e.Invoke(ctx, tx, list); err != nil {
		return fmt.Errorf("invoke %d functions of rules: %w", len(list), err)
	}
	return nil
}

// role returns the recorder's role, which events carry; empty without one.
func role(ctx context.Context, tx *db.Tx, p config.Place) (string, error) {
	rec, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return rec.RoleARN, err
}

// Invoked is told how an invocation of a rule's function ended. An empty code is
// a success: the function ran. Whether it gave a verdict on what it was asked is
// looked at here.
func (e *Engine) Invoked(ctx context.Context, tx *db.Tx, o Origin, errorCode, errorMessage string) error {
	if o.Evaluation != "" && errorCode != "" {
		if err := e.failProactive(ctx, tx, o, "the function could not be invoked or failed: "+errorMessage); err != nil {
			return err
		}
	}
	if errorCode != "" {
		if err := e.warnFailed(ctx, tx, o, errorCode, errorMessage); err != nil {
			return err
		}
	}
	answered, err := e.noteAnswer(ctx, tx, o, errorCode == "")
	if err != nil {
		return err
	}
	left, err := store.CountRuleFailures(ctx, tx, o.RuleID)
	if err != nil {
		return err
	}
	now := e.Now()
	return store.UpdateRuleStatus(ctx, tx, o.RuleID, func(st *config.RuleStatus) {
		if errorCode != "" {
			st.LastFailedInvocation, st.LastErrorCode, st.LastErrorMessage = now, errorCode, errorMessage
			return
		}
		st.LastSuccessfulInvocation = now
		switch {
		case !answered:
			st.LastFailedEvaluation, st.LastErrorCode, st.LastErrorMessage = now, noVerdict, "The function answered without a verdict."
		case left == 0 && st.LastErrorCode == noVerdict:
			st.LastErrorCode, st.LastErrorMessage = "", ""
		}
	})
}
