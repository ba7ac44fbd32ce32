package events

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model"
	"plumb/internal/model/eventsapi"
	"plumb/internal/pattern"
)

// maxEntries is how many bytes the entries of a request may have together.
const maxEntries = 256 << 10

// An entry is an event of a request on its way to a bus.
type entry struct {
	place config.Place
	bus   string
}

// PutEvents puts events on buses. The entries that are not right are told in the
// answer, the others are taken.
func (o operations) PutEvents(ctx context.Context, in *eventsapi.PutEventsInput) (*eventsapi.PutEventsOutput, error) {
	size := 0
	for _, e := range in.Entries {
		size += entrySize(e)
	}
	if size > maxEntries {
		return nil, model.ValidationException("Total size of the entries in the request is over the limit.")
	}
	out := &eventsapi.PutEventsOutput{FailedEntryCount: new(int32(0)), Entries: make([]eventsapi.PutEventsResultEntry, len(in.Entries))}
	byBus, order, at := map[entry][]eventbus.Event{}, []entry(nil), map[entry][]int{}
	for i, e := range in.Entries {
		if code, message := checkEntry(e); code != "" {
			out.Entries[i] = eventsapi.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message}
			*out.FailedEntryCount++
			continue
		}
		p, bus, err := eventbus.ParseBus(caller.Place(ctx), model.Deref(e.EventBusName))
		if err != nil {
			return nil, err
		}
		to := entry{p, bus}
		if byBus[to] == nil {
			order = append(order, to)
		}
		byBus[to], at[to] = append(byBus[to], event(e)), append(at[to], i)
	}
	err := o.bus.Write(ctx, func(tx *db.Tx) error {
		for _, to := range order {
			if err := o.put(ctx, tx, to, byBus[to]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, to := range order {
		for n, i := range at[to] {
			out.Entries[i].EventId = new(byBus[to][n].ID)
		}
	}
	return out, nil
}

// put puts events on a bus, of another account if its policy lets the caller.
func (o operations) put(ctx context.Context, tx *db.Tx, to entry, events []eventbus.Event) error {
	who := caller.From(ctx)
	if to.place.Account == who.Account {
		return o.bus.Put(ctx, tx, to.place, to.bus, events)
	}
	busARN := eventbus.EventBus{Place: to.place, Name: to.bus}.ARN()
	if o.may(ctx, tx, caller.Sender{Account: who.Account, Region: who.Region, Role: who.PrincipalARN}, busARN) != nil {
		return model.AccessDeniedException("User: %s is not authorized to perform: events:PutEvents on resource: %s because no resource-based policy "+
			"allows the events:PutEvents action", who.PrincipalARN, busARN)
	}
	return o.bus.PutFrom(ctx, tx, who.Account, to.place, to.bus, events)
}

// entrySize is how AWS counts an entry.
func entrySize(e eventsapi.PutEventsRequestEntry) int {
	n := len(model.Deref(e.Source)) + len(model.Deref(e.DetailType)) + len(model.Deref(e.Detail))
	if e.Time != nil {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

func checkEntry(e eventsapi.PutEventsRequestEntry) (code, message string) {
	for _, m := range []struct {
		name  string
		value *string
	}{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if model.Deref(m.value) == "" {
			return "InvalidArgument", "Parameter " + m.name + " is not valid. Reason: " + m.name + " is a required argument."
		}
	}
	if n := utf8.RuneCountInString(*e.DetailType); n > 128 {
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType must be less than or equal to 128 characters."
	}
	if strings.HasPrefix(*e.Source, "aws.") {
		return "NotAuthorizedForSource", "Not authorized for the source."
	}
	detail := bytes.TrimSpace([]byte(*e.Detail))
	if !json.Valid(detail) || detail[0] != '{' {
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

func event(e eventsapi.PutEventsRequestEntry) eventbus.Event {
	out := eventbus.Event{Source: *e.Source, DetailType: *e.DetailType, Detail: json.RawMessage(*e.Detail), Resources: e.Resources, Trace: model.Deref(e.TraceHeader)}
	if e.Time != nil {
		out.Time = *e.Time
	}
	return out
}

// required are the members that an event to test a pattern with must have.
var required = []string{"id", "account", "source", "time", "region", "detail-type"}

// TestEventPattern compares an event with a pattern.
func (o operations) TestEventPattern(_ context.Context, in *eventsapi.TestEventPatternInput) (*eventsapi.TestEventPatternOutput, error) {
	p, err := pattern.Parse(*in.EventPattern)
	if err != nil {
		return nil, eventbus.BadPattern(err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(*in.Event), &members) != nil {
		return nil, badEvent()
	}
	for _, name := range required {
		if members[name] == nil {
			return nil, badEvent()
		}
	}
	e, err := pattern.ParseEvent([]byte(*in.Event))
	if err != nil {
		return nil, badEvent()
	}
	return &eventsapi.TestEventPatternOutput{Result: new(p.Matches(e))}, nil
}

func badEvent() error { return model.ValidationException("Parameter Event is not valid.") }
