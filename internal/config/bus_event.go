package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// BusSource is the source of AWS Config's events on EventBridge.
const BusSource = "aws.config"

// The types of AWS Config's events on EventBridge.
const (
	BusItemChange       = "Config Configuration Item Change"
	BusComplianceChange = "Config Rules Compliance Change"
	BusEvaluation       = "Config Rules Re-evaluation Status"
	BusSnapshot         = "Config Configuration Snapshot Delivery Status"
	BusHistory          = "Config Configuration History Delivery Status"
)

// busTypes is the type of the event that has a message for its detail.
var busTypes = map[string]string{
	MessageChange:                           BusItemChange,
	MessageOversized:                        BusItemChange,
	"ComplianceChangeNotification":          BusComplianceChange,
	"ConfigRulesEvaluationStarted":          BusEvaluation,
	"ConfigurationSnapshotDeliveryStarted":  BusSnapshot,
	MessageSnapshot:                         BusSnapshot,
	"ConfigurationSnapshotDeliveryFailed":   BusSnapshot,
	"ConfigurationHistoryDeliveryCompleted": BusHistory,
}

// A BusEvent is what EventBridge is told of AWS Config.
type BusEvent struct {
	Source     string
	DetailType string // empty: EventBridge is told nothing of it
	Time       time.Time
	Resources  []string
	Detail     json.RawMessage
}

// maxBusSource is the longest source that EventBridge takes.
const maxBusSource = 256

// Size is how large EventBridge takes an event for. PutEvents: the bytes of its time (14),
// source, type, detail and resources.
func (e BusEvent) Size() int {
	n := 14 + len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// NewBusEvent returns the event whose detail is a message.
func NewBusEvent(body []byte, created time.Time, resources ...string) (BusEvent, error) {
	var m struct {
		Type string `json:"messageType"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return BusEvent{}, fmt.Errorf("message of AWS Config: %w", err)
	}
	detail, err := withoutNulls(body)
	return BusEvent{BusSource, busTypes[m.Type], created, resources, detail}, err
}

// ItemBusEvent returns the event of an item that follows another, nil if it is the first:
// the notification of its change, or the summary where that is larger than an event may
// be. The summary names no place in S3.
func ItemBusEvent(it Item, previous *Item, created time.Time) (BusEvent, error) {
	var resources []string
	if it.ARN != "" {
		resources = []string{it.ARN}
	}
	diff := NewDiff(previous, it)
	body, err := ChangeNotification(it, &diff, created)
	if err != nil {
		return BusEvent{}, fmt.Errorf("encode notification of %s: %w", it.ResourceKey, err)
	}
	e, err := NewBusEvent(body, created, resources...)
	if err != nil || len(body) <= MaxMessage && e.Size() <= MaxMessage-maxBusSource {
		return e, err
	}
	if body, err = OversizedNotification(it, diff.ChangeType, S3Summary{}, created); err != nil {
		return BusEvent{}, fmt.Errorf("encode notification of %s: %w", it.ResourceKey, err)
	}
	return NewBusEvent(body, created, resources...)
}

// withoutNulls leaves the members out that are null: EventBridge's form of a message
// has none. What customers configured keeps its nulls.
func withoutNulls(v json.RawMessage) (json.RawMessage, error) {
	v = bytes.TrimSpace(v)
	switch {
	case len(v) > 0 && v[0] == '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(v, &members); err != nil {
			return nil, err
		}
		for name, member := range members {
			if string(member) == "null" {
				delete(members, name)
				continue
			}
			if customers[name] {
				continue
			}
			kept, err := withoutNulls(member)
			if err != nil {
				return nil, err
			}
			members[name] = kept
		}
		return json.Marshal(members)
	case len(v) > 0 && v[0] == '[':
		var list []json.RawMessage
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, err
		}
		for i, e := range list {
			kept, err := withoutNulls(e)
			if err != nil {
				return nil, err
			}
			list[i] = kept
		}
		return json.Marshal(list)
	}
	return v, nil
}

// customers are the members whose content is what a resource was configured to be.
var customers = map[string]bool{"configuration": true, "supplementaryConfiguration": true, "previousValue": true, "updatedValue": true, "tags": true}
