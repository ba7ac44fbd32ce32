package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/store"
)

// A Bus is an outside event bus that is told what AWS Config tells EventBridge. Its
// errors wrap those of an Outlet, or ErrNoSuchBus.
type Bus interface {
	// Source returns the source that a place's events have there, empty if the place has
	// no such bus.
	Source(p config.Place) string
	// Put puts events, MaxEvents at most, and returns how each of them went.
	Put(ctx context.Context, p config.Place, events []config.BusEvent) []error
}

// What one call puts. PutEvents: at most 10 entries, and 256 KB together.
const (
	MaxEvents      = 10
	maxEventsBytes = config.MaxMessage
)

// ErrNoSuchBus is why a bus takes no events that is not there.
var ErrNoSuchBus = errors.New("no such event bus")

// A storedEvent is an event as it is shown to people, and read again when it is sent.
type storedEvent struct {
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources,omitempty"`
	Detail     json.RawMessage `json:"detail"`
}

// busSource returns the source of a place's events at an outside bus, empty if it has none.
func (d *Delivery) busSource(p config.Place) string {
	if d.bus == nil {
		return ""
	}
	return d.bus.Source(p)
}

// openBus is the way to the outside event bus of a place.
func (d *Delivery) openBus(k config.LaneKey) way {
	source := d.busSource(k.Place)
	if source == "" {
		return missingWay{d, k, errNoBus}
	}
	return busWay{d, k.Place, source}
}

// errNoBus is why nothing is sent on the lane of an event bus that was taken out of the
// settings.
var errNoBus = errors.New("the settings of this server name no event bus for the account")

// A busWay leads to an outside event bus.
type busWay struct {
	*Delivery
	place  config.Place
	source string
}

func (busWay) opens(now time.Time, _ func() (time.Time, error)) (time.Time, error) { return now, nil }

func (w busWay) write(ctx context.Context, e entry) (*Message, error) {
	event, err := w.event(ctx, e)
	if errors.Is(err, store.ErrNotFound) || err == nil && event.DetailType == "" {
		return nil, nil // forgotten since, or not for EventBridge
	}
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(storedEvent{w.source, event.DetailType, event.Time.UTC().Truncate(time.Second), event.Resources, event.Detail})
	return &Message{Subject: event.DetailType, Body: string(body)}, err
}

func (w busWay) event(ctx context.Context, e entry) (config.BusEvent, error) {
	switch {
	case e.item != nil:
		it, previous, err := w.itemWithPrevious(ctx, e.item.version(w.place))
		if err != nil {
			return config.BusEvent{}, err
		}
		return config.ItemBusEvent(it, previous, e.created)
	case e.change != nil:
		body, err := config.ComplianceNotification(w.place, e.change.Change(), e.created)
		if err != nil {
			return config.BusEvent{}, fmt.Errorf("encode event: %w", err)
		}
		return config.NewBusEvent(body, e.created)
	}
	return config.NewBusEvent([]byte(e.notice.Body), e.created)
}

func (w busWay) send(ctx context.Context, all []Message) []error {
	return SendTogether(ctx, all, MaxEvents, maxEventsBytes, func(ctx context.Context, some []Message) []error {
		events := make([]config.BusEvent, len(some))
		for i, m := range some {
			var e storedEvent
			if err := json.Unmarshal([]byte(m.Body), &e); err != nil {
				return FailedAll(len(some), fmt.Errorf("read an event: %w", err))
			}
			events[i] = config.BusEvent(e)
		}
		return w.bus.Put(ctx, w.place, events)
	})
}

// FailedAll is how n messages went of which none was sent.
func FailedAll(n int, err error) []error {
	went := make([]error, n)
	for i := range went {
		went[i] = err
	}
	return went
}

func (w busWay) note(_ context.Context, failed error) error {
	if failed != nil && !errors.Is(failed, context.Canceled) {
		w.failed("event")
	}
	return nil
}

func (w busWay) log(log *slog.Logger) *slog.Logger {
	return log.With("account", w.place.Account, "region", w.place.Region, "sink", config.SinkBus)
}

// advice tells what may be done about a bus that takes nothing.
func (w busWay) advice(err error) string {
	switch {
	case errors.Is(err, ErrNoSuchBus):
		return "create the event bus, or set event-bus to another one"
	case errors.Is(err, ErrAccessDenied):
		return "allow events:PutEvents to the account's credentials; EventBridge takes no event-source that begins with aws."
	}
	return "see that the event bus's service answers; nothing is lost until delivery-age is over"
}
