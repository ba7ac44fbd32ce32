package app

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/db"
)

// addAudit adds what plumb audit asks: who called what.
func (a *App) addAudit(mux *http.ServeMux) {
	mux.Handle("GET /_plumb/audit", a.behindToken(http.HandlerFunc(a.getAudit), a.settings.ControlToken, "control-token"))
}

const (
	auditPage    = 100
	maxAuditPage = 1000
)

func (a *App) getAudit(w http.ResponseWriter, r *http.Request) {
	q, err := auditQuery(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	m := a.machine.Load()
	if err := m.Audit.Flush(r.Context()); err != nil {
		a.fail(w, err)
		return
	}
	var all []audit.Event
	err = m.DB.ReadOne(r.Context(), func(tx *db.Tx) (err error) {
		all, err = audit.Find(r.Context(), tx, q)
		return err
	})
	if err != nil {
		a.fail(w, err)
		return
	}
	records, next := []any{}, ""
	for _, e := range all {
		records = append(records, audit.Record(e))
	}
	if len(all) == q.Limit || q.Oldest && len(all) > 0 { // who follows goes on after the last one
		last := all[len(all)-1]
		next = strconv.FormatInt(db.Micros(last.At), 10) + "." + last.ID
	}
	answer(w, map[string]any{"Records": records, "next": next})
}

// auditQuery reads the parameters of a request for the audit log.
func auditQuery(v url.Values) (q audit.Query, err error) {
	q = audit.Query{Account: v.Get("account"), User: v.Get("user"), Operation: v.Get("operation"), Limit: auditPage}
	if id := v.Get("event"); id != "" {
		q.IDs = []string{strings.ReplaceAll(id, "\x00", "")}
	}
	if name := v.Get("resource"); name != "" {
		q.Resources = []string{name}
	}
	for name, field := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if text := v.Get(name); text != "" {
			if *field, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return q, fmt.Errorf("%s %q: want a time such as 2026-01-31T12:00:00Z", name, text)
			}
		}
	}
	for name, field := range map[string]*bool{"failed": &q.Failed, "oldest": &q.Oldest} {
		if text := v.Get(name); text != "" {
			if *field, err = strconv.ParseBool(text); err != nil {
				return q, fmt.Errorf("%s %q: want true or false", name, text)
			}
		}
	}
	if text := v.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxAuditPage {
			return q, fmt.Errorf("limit %q: want a number from 1 to %d", text, maxAuditPage)
		}
	}
	if text := v.Get("after"); text != "" {
		at, id, ok := strings.Cut(text, ".")
		micros, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil || id == "" {
			return q, errors.New("after: want what a page before said is next")
		}
		q.After = audit.Cursor{At: db.Time(micros), ID: id}
	}
	return q, nil
}
