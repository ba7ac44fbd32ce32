package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"plumb/internal/clock"
	"plumb/internal/job"
)

// addControls adds what rule authors and test suites need, in development mode:
// running all that is due, moving the clock, starting afresh, the event that a rule
// would get, and forgetting what was recorded.
func (a *App) addControls(mux *http.ServeMux) {
	mux.HandleFunc("POST /_plumb/drain", a.postDrain)
	mux.HandleFunc("POST /_plumb/reset", a.postReset)
	mux.HandleFunc("GET /_plumb/clock", a.getClock)
	mux.Handle("POST /_plumb/clock", a.ordered("move-clock", http.HandlerFunc(a.postClock)))
	mux.HandleFunc("POST /_plumb/event", a.postEvent)
	mux.HandleFunc("POST /_plumb/verdicts", a.postVerdicts)
	mux.HandleFunc("POST /_plumb/backtest", a.postBacktest)
	mux.Handle("POST /_plumb/forget", a.ordered("forget", http.HandlerFunc(a.postForget)))
	mux.Handle("POST /_plumb/button/{serial}", a.ordered("press-button", http.HandlerFunc(a.postButton)))
	mux.HandleFunc("/_plumb/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, errors.New("there is POST /_plumb/drain, POST /_plumb/reset, GET and POST /_plumb/clock, POST /_plumb/event, POST /_plumb/verdicts, POST /_plumb/backtest, POST /_plumb/forget, POST /_plumb/button/SERIAL, GET /_plumb/deliveries, GET /_plumb/channels, GET /_plumb/listeners, GET /_plumb/audit, POST /_plumb/import"))
	})
}

func (a *App) postDrain(w http.ResponseWriter, r *http.Request) {
	if err := a.Drain(r.Context()); err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, job.ErrStopped) {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, err)
		return
	}
	answer(w, map[string]any{"drained": true})
}

func (a *App) postReset(w http.ResponseWriter, r *http.Request) {
	if err := a.Reset(r.Context()); err != nil {
		a.log.Error("reset failed", "err", err)
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, map[string]any{"reset": true})
}

func (a *App) getClock(w http.ResponseWriter, _ *http.Request) {
	c := a.Clock()
	answer(w, map[string]any{"now": c.Now().Format(time.RFC3339Nano), "frozen": c.Frozen()})
}

// A clockOrder is the body of POST /_plumb/clock; what it names is done in this order.
type clockOrder struct {
	Run     bool   `json:"run"`     // let a frozen clock run
	Freeze  string `json:"freeze"`  // "now", or a time in RFC 3339
	Advance string `json:"advance"` // a duration such as 24h
}

func (a *App) postClock(w http.ResponseWriter, r *http.Request) {
	var o clockOrder
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf(`want {"freeze": "now" or a time, "advance": "1h", "run": true}: %w`, err))
		return
	}
	move, err := o.move()
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := a.machine.Load().MoveClock(r.Context(), move); err != nil {
		a.log.Error("the clock was not moved", "err", err)
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	a.getClock(w, r)
}

// move returns what the order does to a clock.
func (o clockOrder) move() (func(*clock.Clock), error) {
	var at time.Time
	if o.Freeze != "" && o.Freeze != "now" {
		t, err := time.Parse(time.RFC3339Nano, o.Freeze)
		if err != nil {
			return nil, fmt.Errorf(`freeze %q: want "now" or a time such as 2026-01-31T12:00:00Z`, o.Freeze)
		}
		at = t
	}
	var by time.Duration
	if o.Advance != "" {
		d, err := time.ParseDuration(o.Advance)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("advance %q: want a duration forward such as 90s or 24h", o.Advance)
		}
		by = d
	}
	return func(c *clock.Clock) {
		if o.Run {
			c.Run()
		}
		if o.Freeze != "" {
			c.Freeze(at)
		}
		c.Advance(by)
	}, nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
