package eventbus

import (
	"context"
	"encoding/json"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/eventsapi"
	"plumb/internal/policy"
)

// A Permission lets an account put events on a bus.
type Permission struct {
	Sid       string
	Action    string
	Principal string // an account, or * for all
	Operator  string // of a condition; empty without one
	Key       string
	Value     string
}

type busPolicy struct {
	Version   string            `json:"Version"`
	Statement []json.RawMessage `json:"Statement"`
}

type busStatement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// PutPermission adds a statement to the policy of a bus, or replaces the one of the
// same id.
func (b *Bus) PutPermission(ctx context.Context, tx *db.Tx, p config.Place, name string, m Permission) error {
	_, err := b.ChangeBus(ctx, tx, p, name, func(bus *EventBus) error {
		st := busStatement{Sid: m.Sid, Effect: "Allow", Principal: "*", Action: m.Action, Resource: bus.ARN()}
		if m.Principal != "*" {
			st.Principal = map[string]string{"AWS": arn.New("iam", "", m.Principal, "root").String()}
		}
		if m.Operator != "" {
			st.Condition = map[string]map[string]string{m.Operator: {m.Key: m.Value}}
		}
		text, err := json.Marshal(st)
		if err != nil {
			return err
		}
		list, err := bus.statements()
		if err != nil {
			return err
		}
		if i := indexOf(list, m.Sid); i >= 0 {
			list[i] = text
		} else {
			list = append(list, text)
		}
		return bus.setStatements(list)
	})
	return err
}

// SetPolicy replaces the policy of a bus.
func (b *Bus) SetPolicy(ctx context.Context, tx *db.Tx, p config.Place, name, text string) error {
	if _, err := policy.Parse(text); err != nil {
		return invalid("Parameter Policy is not valid. Reason: %v", err)
	}
	_, err := b.ChangeBus(ctx, tx, p, name, func(bus *EventBus) error {
		if len(text) > maxPolicy {
			return policyTooLong()
		}
		bus.Policy = text
		return nil
	})
	return err
}

func policyTooLong() error {
	return eventsapi.PolicyLengthExceededException("Event bus policy exceeds the maximum length of %d bytes.", maxPolicy)
}

// RemovePermission takes a statement out of the policy of a bus; "" takes all.
func (b *Bus) RemovePermission(ctx context.Context, tx *db.Tx, p config.Place, name, sid string) error {
	_, err := b.ChangeBus(ctx, tx, p, name, func(bus *EventBus) error {
		if sid == "" {
			bus.Policy = ""
			return nil
		}
		list, err := bus.statements()
		if err != nil {
			return err
		}
		i := indexOf(list, sid)
		if i < 0 {
			return eventsapi.ResourceNotFoundException("Statement with the provided id does not exist.")
		}
		return bus.setStatements(slices.Delete(list, i, i+1))
	})
	return err
}

func (b EventBus) statements() ([]json.RawMessage, error) {
	if b.Policy == "" {
		return nil, nil
	}
	var p busPolicy
	if err := json.Unmarshal([]byte(b.Policy), &p); err == nil {
		return p.Statement, nil
	}
	var one struct{ Statement json.RawMessage } // a policy may have one statement instead of a list
	err := json.Unmarshal([]byte(b.Policy), &one)
	return []json.RawMessage{one.Statement}, err
}

func (b *EventBus) setStatements(list []json.RawMessage) error {
	b.Policy = ""
	if len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(busPolicy{"2012-10-17", list})
	if err != nil {
		return err
	}
	if len(text) > maxPolicy {
		return policyTooLong()
	}
	b.Policy = string(text)
	return nil
}

func indexOf(list []json.RawMessage, sid string) int {
	return slices.IndexFunc(list, func(st json.RawMessage) bool {
		var s struct{ Sid string }
		return json.Unmarshal(st, &s) == nil && s.Sid == sid
	})
}
