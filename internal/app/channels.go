package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/store"
)

// addChannels adds what plumb channels asks: which channels there are, and to send an
// example to one.
func (a *App) addChannels(mux *http.ServeMux) {
	for pattern, page := range map[string]http.HandlerFunc{
		"GET /_plumb/channels":              a.getChannels,
		"POST /_plumb/channels/{name}/test": a.testChannel,
	} {
		mux.Handle(pattern, a.behindToken(page, a.settings.ControlToken, "control-token"))
	}
}

func (a *App) getChannels(w http.ResponseWriter, _ *http.Request) {
	type shown struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	all := []shown{}
	for _, c := range a.machine.Load().Channels().All() {
		all = append(all, shown{c.Name(), c.Kind()})
	}
	answer(w, map[string]any{"channels": all})
}

var orderAccount, orderRegion = regexp.MustCompile(`^([0-9]{12})?$`), regexp.MustCompile(`^[a-z0-9-]{0,40}$`)

func (a *App) testChannel(w http.ResponseWriter, r *http.Request) {
	var o placed // that the example is of
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&o)
	if err != nil && !errors.Is(err, io.EOF) || !orderAccount.MatchString(o.Account) || !orderRegion.MatchString(o.Region) {
		refuse(w, http.StatusBadRequest, errors.New(`want {"account": "123456789012", "region": "us-east-1"}, or nothing`))
		return
	}
	p, m := a.placeOf(o), a.machine.Load()
	name := r.PathValue("name")
	err = m.Delivery.TestChannel(r.Context(), p, name)
	if errors.Is(err, store.ErrNotFound) {
		refuse(w, http.StatusNotFound, fmt.Errorf("the settings of the server have no channel %q", bounded(name)))
		return
	}
	a.note(r, caller.Caller{}, audit.Event{
		Kind: audit.ServerAction, Service: ownPages, Operation: "test-channel", Place: p, Who: operator("control-token"),
		Sent: audit.Redact(struct {
			Channel string `json:"channel"`
		}{name}).JSON,
	})
	if err != nil {
		refuse(w, http.StatusBadGateway, err)
		return
	}
	answer(w, map[string]any{"sent": name})
}
