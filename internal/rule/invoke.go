package rule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/rule/function"
	"plumb/internal/store"
)

// dispatch has the function rules of a place evaluate items that were recorded
// together: one job a batch.
type dispatch struct {
	Place    config.Place `json:"place"`
	Versions []version    `json:"versions"`
}

type version struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	StateID int64  `json:"stateId"`
}

func (dispatch) Kind() string { return "rule.dispatch" }

// OnItemsRecorded reacts to new items: if a function may be in scope, a job
// follows.
func (e *Engine) OnItemsRecorded(ctx context.Context, tx *db.Tx, ev config.ItemsRecorded) error {
	s, err := e.set(ctx, tx, ev.Place)
	if err != nil {
		return err
	}
	d := dispatch{Place: ev.Place}
	for _, it := range ev.Items {
		if s.asksFunctions(it) {
			d.Versions = append(d.Versions, version{it.Type, it.ID, it.StateID})
		}
	}
	if len(d.Versions) == 0 {
		return nil
	}
	return e.Jobs.Insert(ctx, tx, d, job.Options{})
}

func (s *set) asksFunctions(it config.Item) bool {
	for _, r := range s.functions {
		onChange := r.Triggered(config.MessageChange) || r.Triggered(config.MessageOversized)
		if onChange && judged(r, it) && (r.TagScoped() || r.Covers(it, nil)) {
			return true
		}
	}
	return false
}

func (e *Engine) doDispatch(ctx context.Context, j job.Job[dispatch]) error {
	p := j.Args.Place
	return e.DB.Write(ctx, func(tx *db.Tx) error {
		s, err := e.set(ctx, tx, p)
		if err != nil {
			return err
		}
		role, err := e.role(ctx, tx, p)
		if err != nil {
			return err
		}
		for _, v := range j.Args.Versions {
			c, err := readChange(ctx, tx, config.VersionKey{ResourceKey: config.ResourceKey{Place: p, Type: v.Type, ID: v.ID}, StateID: v.StateID})
			if errors.Is(err, store.ErrNotFound) {
				continue // the place was reset
			}
			if err != nil {
				return err
			}
			for _, r := range s.functions {
				if err := e.inform(ctx, tx, r, c, role); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A change is an item with the one before it.
type change struct {
	item   config.Item
	before *config.Item
}

func readChange(ctx context.Context, tx *db.Tx, v config.VersionKey) (change, error) {
	it, err := store.ItemVersion(ctx, tx, v)
	if err != nil {
		return change{}, err
	}
	before, err := store.ItemBefore(ctx, tx, v)
	if errors.Is(err, store.ErrNotFound) {
		return change{item: it}, nil
	}
	return change{it, &before}, err
}

// inform has a function rule evaluate a change if it is in the rule's scope, or
// has just left it.
func (e *Engine) inform(ctx context.Context, tx *db.Tx, r config.Rule, c change, role string) error {
	if !judged(r, c.item) {
		return nil
	}
	inScope := r.Covers(c.item, nil)
	was := c.before != nil && r.Covers(*c.before, nil)
	gone := c.item.Status.Gone()
	if !inScope && !was {
		return nil
	}
	diff := config.NewDiff(c.before, c.item)
	return e.tell(ctx, tx, r, c.item, &diff, !inScope || gone, role)
}

// tell invokes a rule's function with an item, in the form that fits its size
// and that the rule asked for.
func (e *Engine) tell(ctx context.Context, tx *db.Tx, r config.Rule, it config.Item, diff *config.Diff, leftScope bool, role string) error {
	now := e.Now()
	body, err := config.ChangeNotification(it, diff, now)
	if err != nil {
		return fmt.Errorf("encode %s: %w", it.ResourceKey, err)
	}
	message := config.MessageChange
	if len(body) > config.MaxMessage {
		message = config.MessageOversized
		changeType := config.ChangeUpdate
		if diff != nil {
			changeType = diff.ChangeType
		}
		if body, err = config.OversizedNotification(it, changeType, config.S3Summary{}, now); err != nil {
			return err
		}
	}
	if !r.Triggered(message) {
		return nil
	}
	return e.invoke(ctx, tx, r, body, it.CaptureTime, leftScope, role, now)
}

// invoke has a rule's function invoked with an event, which tells of an item
// captured at that time or, if it is zero, of none.
func (e *Engine) invoke(
	ctx context.Context, tx *db.Tx, r config.Rule, invokingEvent []byte, captured time.Time, leftScope bool, role string, now time.Time,
) error {
	payload, err := e.Sealer.Event(r, function.Trigger{
		InvokingEvent: invokingEvent, Captured: captured, LeftScope: leftScope, RoleARN: role, Now: now,
	})
	if err != nil {
		return err
	}
	err = e.Invoke(ctx, tx, Invocation{r.Place, r.Source.Identifier, payload, r.ID})
	if err != nil {
		return fmt.Errorf("invoke the function of rule %s: %w", r.Name, err)
	}
	return nil
}

// role returns the recorder's role, which events carry; empty without one.
func (e *Engine) role(ctx context.Context, tx *db.Tx, p config.Place) (string, error) {
	rec, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return rec.RoleARN, err
}

// OnSnapshotDelivered has the rules evaluate that snapshots trigger.
func (e *Engine) OnSnapshotDelivered(ctx context.Context, tx *db.Tx, ev config.SnapshotDelivered) error {
	s, err := e.set(ctx, tx, ev.Place)
	if err != nil {
		return err
	}
	role, err := e.role(ctx, tx, ev.Place)
	if err != nil {
		return err
	}
	now := e.Now()
	body, err := config.SnapshotCompleted(ev, now)
	if err != nil {
		return err
	}
	for _, r := range s.functions {
		if !r.Triggered(config.MessageSnapshot) {
			continue
		}
		if err := e.invoke(ctx, tx, r, body, time.Time{}, false, role, now); err != nil {
			return err
		}
	}
	return nil
}

// Invoked is told how an invocation of a rule's function ended. An empty code is
// a success: the function ran; whether it reported is another matter.
func (e *Engine) Invoked(ctx context.Context, tx *db.Tx, ruleID, errorCode, errorMessage string) error {
	now := e.Now()
	return store.UpdateRuleStatus(ctx, tx, ruleID, func(st *config.RuleStatus) {
		if errorCode == "" {
			st.LastSuccessfulInvocation = now
			return
		}
		st.LastFailedInvocation, st.LastErrorCode, st.LastErrorMessage = now, errorCode, errorMessage
	})
}
