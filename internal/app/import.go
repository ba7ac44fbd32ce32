package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"plumb/internal/archive"
)

// addImport adds what plumb import asks: to record the items of files that AWS Config
// wrote. The answer is lines of JSON: reports on the way, and one with end at last.
func (a *App) addImport(mux *http.ServeMux) {
	var importing sync.Mutex
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !importing.TryLock() {
			refuse(w, http.StatusConflict, errors.New("an import goes on already: wait for its end, or end it"))
			return
		}
		defer importing.Unlock()
		a.postImport(w, r)
	})
	mux.Handle("POST /_plumb/import", a.behindToken(a.ordered("import", page), a.settings.ControlToken, "control-token"))
}

// An importOrder is the body of POST /_plumb/import.
type importOrder struct {
	From string `json:"from"` // a folder or file of the server's machine, or s3://BUCKET/PREFIX
	archive.Order
}

// An importLine is a line of the answer.
type importLine struct {
	archive.Report
	End   bool   `json:"end,omitempty"`
	Error string `json:"error,omitempty"` // why it ended before all was read
}

func (a *App) postImport(w http.ResponseWriter, r *http.Request) {
	var o importOrder
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil || o.From == "" {
		refuse(w, http.StatusBadRequest, fmt.Errorf(`want {"from": "s3://bucket/prefix" or a folder of the server}: %v`, err))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	line := func(l importLine) {
		json.NewEncoder(w).Encode(l)
		out.Flush()
	}
	report, err := a.machine.Load().Import(r.Context(), o.From, o.Order, func(p archive.Report) {
		p.Problems = nil // the last line has them
		line(importLine{Report: p})
	})
	last := importLine{Report: report, End: true}
	if err != nil {
		last.Error = err.Error()
	}
	line(last)
}

// Import does what POST /_plumb/import does, for a command that has the data folder to
// itself.
func (a *App) Import(ctx context.Context, from string, o archive.Order, progress func(archive.Report)) (archive.Report, error) {
	return a.machine.Load().Import(ctx, from, o, progress)
}
