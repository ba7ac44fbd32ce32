package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/store"
)

// addDeliveries adds what plumb deliveries asks: which messages of AWS Config wait,
// which are undelivered, and to try those again or drop them.
func (a *App) addDeliveries(mux *http.ServeMux) {
	for pattern, page := range map[string]http.HandlerFunc{
		"GET /_plumb/deliveries":         a.getDeliveries,
		"GET /_plumb/deliveries/{id}":    a.getDelivery,
		"POST /_plumb/deliveries/{verb}": a.postDeliveries,
	} {
		mux.Handle(pattern, a.behindToken(page, a.settings.ControlToken, "control-token"))
	}
}

// A shownLane is how many messages of a lane are in a state.
type shownLane struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Sink    string    `json:"sink"`
	State   string    `json:"state"`
	N       int64     `json:"messages"`
	Oldest  time.Time `json:"oldest"`
}

var outgoingStates = map[config.OutgoingState]string{
	config.OutgoingWaits: "waiting", config.OutgoingHeld: "held", config.OutgoingUndelivered: "undelivered",
}

func (a *App) getDeliveries(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if q.Get("after") != "" && err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("after %q: want a number", q.Get("after")))
		return
	}
	m := a.machine.Load()
	all, err := m.Delivery.Undelivered(r.Context(), delivery.Selection{Account: q.Get("account"), Region: q.Get("region"), After: after})
	if err != nil {
		a.fail(w, err)
		return
	}
	lanes := []shownLane{}
	err = m.DB.Read(r.Context(), func(tx *db.Tx) error {
		counts, err := store.CountOutgoing(r.Context(), tx)
		for _, c := range counts {
			lanes = append(lanes, shownLane{c.Account, c.Region, c.Sink, outgoingStates[c.State], c.N, c.Oldest})
		}
		return err
	})
	if err != nil {
		a.fail(w, err)
		return
	}
	answer(w, map[string]any{"lanes": lanes, "undelivered": all})
}

func (a *App) getDelivery(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		refuse(w, http.StatusBadRequest, fmt.Errorf("%q is no id of undelivered messages", r.PathValue("id")))
		return
	}
	m := a.machine.Load()
	row, err := m.Delivery.Undelivered(r.Context(), delivery.Selection{ID: id})
	if err != nil {
		a.fail(w, err)
		return
	}
	type shown struct {
		Subject string `json:"subject"`
		Body    string `json:"body"`
	}
	out := struct {
		delivery.Undelivered
		Written []shown `json:"written"`
		Why     string  `json:"notWritten,omitempty"` // why they cannot be written now
	}{Undelivered: row[0], Written: []shown{}}
	written, err := m.Delivery.Write(r.Context(), id)
	if err != nil {
		out.Why = err.Error()
	}
	for _, m := range written {
		out.Written = append(out.Written, shown{m.Subject, m.Body})
	}
	answer(w, out)
}

// A deliveryOrder is the body of POST /_plumb/deliveries/retry and /drop: which
// messages.
type deliveryOrder struct {
	ID      int64  `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
	All     bool   `json:"all"` // of every account, when none is named
}

func (a *App) postDeliveries(w http.ResponseWriter, r *http.Request) {
	var o deliveryOrder
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	err := d.Decode(&o)
	if err == nil && o.ID <= 0 && o.Account == "" && !o.All {
		err = errors.New("it names nothing")
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf(`want {"id": 7}, {"account": "123456789012"} or {"all": true}: %w`, err))
		return
	}
	do := map[string]func() (int, error){
		"retry": func() (int, error) { return a.machine.Load().Delivery.Retry(r.Context(), o.selection()) },
		"drop":  func() (int, error) { return a.machine.Load().Delivery.Drop(r.Context(), o.selection()) },
	}[r.PathValue("verb")]
	if do == nil {
		refuse(w, http.StatusNotFound, errors.New("there is POST /_plumb/deliveries/retry and /drop"))
		return
	}
	n, err := do()
	if err != nil {
		a.fail(w, err)
		return
	}
	a.note(r, caller.Caller{}, audit.Event{
		Kind: audit.ServerAction, Service: ownPages, Operation: r.PathValue("verb") + "-deliveries", Place: config.Place{Account: o.Account},
		Who: operator("control-token"), Sent: audit.Redact(o).JSON,
	})
	answer(w, map[string]any{"messages": n})
}

func (o deliveryOrder) selection() delivery.Selection {
	return delivery.Selection{ID: o.ID, Account: o.Account, Region: o.Region}
}

// fail answers that something is not there, or did not work.
func (a *App) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, store.ErrNotFound) {
		refuse(w, http.StatusNotFound, err)
		return
	}
	a.log.Error("a page failed", "err", err)
	refuse(w, http.StatusInternalServerError, errors.New("internal error: see the server's log"))
}
