package console

import (
	"context"
	"strings"
	"time"

	"plumb/internal/config"
	looking "plumb/internal/rule/view"
)

// A Function is the code of a rule that somebody is writing.
type Function struct {
	Name       string // of the rule; it is checked to be one
	File       string // rule.py, index.js or index.mjs
	Text       string
	Types      []string
	Parameters map[string]string
}

// A FunctionAnswer is what a function did when it was asked about an item.
type FunctionAnswer struct {
	Compliance config.Compliance // empty if it reported nothing of the item
	Annotation string
	Log        string
	Error      string // with its type; empty if it ended well
	Trace      []string
	Took       time.Duration
}

// Functions asks functions that nobody deployed, apart from the server and from what it
// keeps. It is safe for concurrent use: one function is asked at a time.
type Functions interface {
	Ask(ctx context.Context, f Function, it config.Item) (FunctionAnswer, error)
	Close() error
}

// A functionEvaluator has a trial ask a function as it asks rules in this process.
type functionEvaluator struct {
	ctx context.Context
	of  Functions
	f   Function
}

// Evaluate asks about an item. What the function asks AWS about is not there.
func (e functionEvaluator) Evaluate(it config.Item, _ looking.View) (config.Compliance, string, error) {
	a, err := e.of.Ask(e.ctx, e.f, it)
	if err == nil && a.Error != "" {
		err = &refusal{text: a.Error}
	}
	if a.Compliance == "" {
		a.Compliance = config.NotApplicable
	}
	return a.Compliance, strings.TrimSpace(a.Annotation), err
}
