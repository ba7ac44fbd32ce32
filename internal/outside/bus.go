package outside

import (
	"context"
	"fmt"
	"strings"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/delivery"
	"plumb/internal/settings"
)

// Buses are the event buses of an outside EventBridge that are told what AWS Config
// tells, beside those embedded here.
type Buses struct{ clients *Clients }

// NewBuses returns the buses that the settings name.
func NewBuses(c *Clients) *Buses { return &Buses{c} }

// ownSource is the source of events at Amazon's own EventBridge, which takes no events of
// other people that begin with "aws.".
const ownSource = "plumb.config"

// Source returns the source of a place's events; empty if it has no outside bus.
func (o *Buses) Source(p config.Place) string {
	a := o.clients.settings.Place(p.Account, p.Region)
	switch {
	case a.Endpoints.Events == "":
		return ""
	case a.EventSource != "":
		return a.EventSource
	case a.Endpoints.Events == settings.AWS:
		return ownSource
	}
	return config.BusSource
}

// Put puts events on a place's bus.
func (o *Buses) Put(ctx context.Context, p config.Place, events []config.BusEvent) []error {
	entries, bus := make([]any, len(events)), o.clients.settings.Place(p.Account, p.Region).EventBus
	for i, e := range events {
		in := map[string]any{"Source": e.Source, "DetailType": e.DetailType, "Detail": string(e.Detail), "Time": e.Time}
		if bus != "" {
			in["EventBusName"] = bus
		}
		if len(e.Resources) > 0 {
			in["Resources"] = e.Resources
		}
		entries[i] = in
	}
	client, err := o.clients.Once(ctx, p, "events")
	if err == nil && client == nil {
		err = fmt.Errorf("the settings name no EventBridge for %s any more", p)
	}
	var out map[string]any
	if err == nil {
		out, err = client.Call(ctx, "events", "PutEvents", map[string]any{"Entries": entries})
	}
	if err != nil {
		return delivery.FailedAll(len(events), busReason(awsclient.Code(err), err))
	}
	return entryErrors(out, len(events))
}

// entryErrors reads how each entry of a PutEvents went. An answer that does not speak of
// each says of none that it was taken.
func entryErrors(out map[string]any, n int) []error {
	entries, _ := out["Entries"].([]any)
	if len(entries) != n {
		return delivery.FailedAll(n, fmt.Errorf("PutEvents answered on %d of %d entries", len(entries), n))
	}
	went := make([]error, n)
	for i, e := range entries {
		entry, _ := e.(map[string]any)
		code, _ := entry["ErrorCode"].(string)
		id, _ := entry["EventId"].(string)
		switch {
		case code != "":
			went[i] = busReason(code, fmt.Errorf("PutEvents: %s: %v", code, entry["ErrorMessage"]))
		case id == "":
			went[i] = fmt.Errorf("PutEvents answered without an event id")
		}
	}
	return went
}

// busReason wraps an error of EventBridge in delivery's word for it.
func busReason(code string, err error) error {
	switch {
	case code == "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", delivery.ErrNoSuchBus, err)
	case strings.HasPrefix(code, "NotAuthorizedFor"): // Source, DetailType
		return fmt.Errorf("%w: %w", delivery.ErrAccessDenied, err)
	case code == "InvalidArgument", code == "MalformedDetail", code == "ValidationException":
		return fmt.Errorf("%w: %w", delivery.ErrInvalid, err)
	case strings.HasPrefix(code, "AccessDenied"):
		return fmt.Errorf("%w: %w", delivery.ErrAccessDenied, err)
	}
	return err
}
