package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// A placed order names an account and a region; the defaults where it does not.
type placed struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

func (a *App) placeOf(p placed) config.Place {
	if p.Account == "" {
		p.Account = a.settings.Account
	}
	if p.Region == "" {
		p.Region = a.settings.Region
	}
	return config.Place{Account: p.Account, Region: p.Region}
}

// An eventOrder is the body of POST /_plumb/event.
type eventOrder struct {
	placed
	Rule string `json:"rule"`
	// What the rule is told of: an item in the form of events, or the recorded one
	// of a resource. Neither is the tick of a schedule.
	Item         *config.Item `json:"item"`
	Before       *config.Item `json:"before"`
	ResourceType string       `json:"resourceType"`
	ResourceID   string       `json:"resourceId"`
	LeftScope    bool         `json:"leftScope"`
	Oversized    bool         `json:"oversized"`
}

// maxOrder is the largest body of an order, in bytes: an item may be larger than a
// message.
const maxOrder = 8 << 20

func (a *App) postEvent(w http.ResponseWriter, r *http.Request) {
	var o eventOrder
	if !decodeOrder(w, r, &o, `want {"rule": NAME} and an "item", or "resourceType" and "resourceId", or neither`) {
		return
	}
	p := a.placeOf(o.placed)
	on := rule.Occasion{Rule: o.Rule, Item: o.Item, Before: o.Before, LeftScope: o.LeftScope, Oversized: o.Oversized}
	if o.Item == nil && o.ResourceID != "" {
		on.Item = &config.Item{ResourceKey: config.ResourceKey{Place: p, Type: o.ResourceType, ID: o.ResourceID}}
	}
	m := a.machine.Load()
	now := m.Clock.Now() // not after the event is made
	event, function, err := m.Rules.Event(r.Context(), p, on)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%s %s is not recorded", o.ResourceType, o.ResourceID)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, plain(err))
		return
	}
	answer(w, map[string]any{"event": json.RawMessage(event), "function": function, "now": now})
}

// plain is an error without AWS's code before its message.
func plain(err error) error {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return errors.New(e.Message)
	}
	return err
}

// A shownVerdict is what POST /_plumb/verdicts answers of one resource.
type shownVerdict struct {
	ResourceType string            `json:"resourceType"`
	ResourceID   string            `json:"resourceId"`
	Compliance   config.Compliance `json:"compliance"`
	Annotation   string            `json:"annotation"`
	Ordering     time.Time         `json:"ordering"`
	Invoked      time.Time         `json:"invoked"`
}

// maxVerdicts is how many verdicts one answer holds.
const maxVerdicts = 1000

// postVerdicts tells what a rule says, NOT_APPLICABLE too, which the API does not.
func (a *App) postVerdicts(w http.ResponseWriter, r *http.Request) {
	var o struct {
		placed
		Rule string `json:"rule"`
	}
	if !decodeOrder(w, r, &o, `want {"rule": NAME}`) {
		return
	}
	var all []config.Verdict
	err := a.machine.Load().DB.Read(r.Context(), func(tx *db.Tx) error {
		named, err := rule.Named(r.Context(), tx, a.placeOf(o.placed), o.Rule)
		if err != nil {
			return err
		}
		all, err = store.VerdictsByRule(r.Context(), tx, named, store.VerdictPage{Hidden: true, Limit: maxVerdicts})
		return err
	})
	if err != nil {
		refuse(w, http.StatusBadRequest, plain(err))
		return
	}
	shown := make([]shownVerdict, len(all))
	for i, v := range all {
		shown[i] = shownVerdict{v.ResourceType, v.ResourceID, v.Compliance, v.Annotation, v.Ordering, v.Invoked}
	}
	answer(w, map[string]any{"verdicts": shown})
}

func (a *App) postForget(w http.ResponseWriter, r *http.Request) {
	var o placed
	if !decodeOrder(w, r, &o, `want {} or {"account": DIGITS, "region": NAME}`) {
		return
	}
	const page = 500
	m, forgotten := a.machine.Load(), 0
	for n := page; n == page; forgotten += n {
		err := m.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
			n, err = store.ForgetResources(r.Context(), tx, a.placeOf(o), page)
			return err
		})
		if err != nil {
			a.log.Error("resources were not forgotten", "err", err)
			refuse(w, http.StatusInternalServerError, err)
			return
		}
	}
	answer(w, map[string]any{"forgotten": forgotten})
}

// decodeOrder reads the body of a request, or answers what is wanted.
func decodeOrder(w http.ResponseWriter, r *http.Request, o any, wanted string) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, maxOrder))
	d.DisallowUnknownFields()
	if err := d.Decode(o); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("%s: %w", wanted, err))
		return false
	}
	return true
}
