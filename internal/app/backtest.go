package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/rule"
)

// A backtestOrder is the body of POST /_plumb/backtest: a rule that is tried. One of
// Identifier, Policy and File says what it is; none is the rule of the name as it is.
type backtestOrder struct {
	placed
	Rule       string            `json:"rule"` // whose verdicts it is compared with
	Parameters map[string]string `json:"parameters"`
	Types      []string          `json:"types"`
	Identifier string            `json:"identifier"` // of a managed rule
	Policy     string            `json:"policy"`     // Guard
	File       string            `json:"file"`       // the text of a rule file
	Since      time.Time         `json:"since"`      // zero: the newest items alone
}

// A shownFlip is a flip as a line of the answer tells it.
type shownFlip struct {
	ResourceType string            `json:"resourceType"`
	ResourceID   string            `json:"resourceId"`
	At           time.Time         `json:"at"`
	Before       config.Compliance `json:"before,omitempty"`
	After        config.Compliance `json:"after,omitempty"`
	Annotation   string            `json:"annotation,omitempty"`
	Now          bool              `json:"now,omitempty"`
}

// A shownTrial is what came of a trial until now.
type shownTrial struct {
	Resources int                       `json:"resources"`
	Items     int                       `json:"items"`
	Compared  string                    `json:"compared,omitempty"`
	Flips     int                       `json:"flips"`
	Turned    map[config.Compliance]int `json:"turned"`
	Failed    int                       `json:"failed,omitempty"`
	Failure   string                    `json:"failure,omitempty"`
}

func showTrial(t rule.Tried) shownTrial {
	return shownTrial{t.Resources, t.Items, t.Compared, t.Flips, t.Turned, t.Failed, t.Failure}
}

// postBacktest answers a line of JSON for each flip, some of how far it is, and one
// of the end. Closing the connection ends it.
func (a *App) postBacktest(w http.ResponseWriter, r *http.Request) {
	var o backtestOrder
	if !decodeOrder(w, r, &o, `want {"rule": NAME} and one of "identifier", "policy", "file" or "parameters"`) {
		return
	}
	t, err := a.trial(r, o)
	if err != nil {
		refuse(w, http.StatusBadRequest, plain(err))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	last := time.Now()
	t.Progress = func(done rule.Tried) {
		if time.Since(last) > time.Second {
			last = time.Now()
			_ = lines.Encode(map[string]any{"progress": showTrial(done)})
			_ = flush.Flush()
		}
	}
	done, err := a.machine.Load().Rules.Try(r.Context(), t, func(f rule.Flip) error {
		return lines.Encode(map[string]any{"flip": shownFlip{f.Type, f.ID, f.At, f.Before, f.After, f.Annotation, f.Now}})
	})
	if err != nil {
		if r.Context().Err() == nil {
			a.log.Error("a rule was not tried", "rule", o.Rule, "err", err)
			_ = lines.Encode(map[string]any{"error": err.Error()})
		}
		return
	}
	_ = lines.Encode(map[string]any{"total": showTrial(done)})
}

// trial compiles what an order names.
func (a *App) trial(r *http.Request, o backtestOrder) (rule.Trial, error) {
	m := a.machine.Load()
	p := a.placeOf(o.placed)
	given := 0
	for _, text := range []string{o.Identifier, o.Policy, o.File} {
		if text != "" {
			given++
		}
	}
	tried := config.Rule{Place: p, Name: o.Rule}
	switch {
	case given > 1:
		return rule.Trial{}, errors.New(`give one of "identifier", "policy" and "file"`)
	case given == 0:
		err := m.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
			tried, err = rule.Named(r.Context(), tx, p, o.Rule)
			return err
		})
		if err != nil {
			return rule.Trial{}, err
		}
	}
	if o.Parameters != nil {
		text, err := json.Marshal(o.Parameters)
		if err != nil {
			return rule.Trial{}, err
		}
		tried.InputParameters = string(text)
	}
	if len(o.Types) > 0 {
		tried.Scope = &config.Scope{Types: o.Types}
	}
	switch {
	case o.Identifier != "":
		tried.Source = config.Source{Owner: config.OwnerAWS, Identifier: o.Identifier}
	case o.Policy != "":
		tried.Source = config.Source{Owner: config.OwnerPolicy, Policy: &config.Policy{Text: o.Policy}}
	}
	t := rule.Trial{Rule: tried, Since: o.Since}
	var err error
	if o.File != "" {
		t.Compiled, err = rule.CompileFile(m.Known.Managed, o.File, tried.InputParameters)
	} else {
		t.Compiled, err = m.Rules.Compile(tried)
	}
	switch {
	case err != nil:
		return t, err
	case tried.Source.Owner == config.OwnerLambda:
		return t, fmt.Errorf("the rule %s is a function: managed rules, Guard policies and rule files are tried on what is recorded", o.Rule)
	case t.Compiled.Evaluator == nil:
		return t, fmt.Errorf("the rule %s has no evaluator: its verdicts are put", o.Rule)
	}
	return t, nil
}
