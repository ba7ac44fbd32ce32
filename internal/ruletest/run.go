package ruletest

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumb/internal/core"
	"plumb/internal/coverage"
	"plumb/internal/report"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/settings"
)

// Options say how tests run.
type Options struct {
	Root     string // what the rules of plumb-test.yaml are relative to; empty: the folder of each
	Workers  int    // suites that run at once; 0 follows the processors
	Settings settings.Settings
	Log      *slog.Logger
	Coverage *coverage.Coverage // is told what runs of functions; may be nil. It takes one worker.
}

// Run runs suites and returns their cases in order. ctx ends it early: what did not
// run is broken.
func Run(ctx context.Context, suites []Suite, o Options) []report.Case {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Coverage != nil {
		o.Workers = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	catalogues := sync.OnceValues(func() (core.Catalogues, error) { return core.LoadCatalogues(o.Settings.Rules) })
	results := make([][]report.Case, len(suites))
	next := make(chan int)
	var all sync.WaitGroup
	for range min(o.Workers, len(suites)) {
		all.Go(func() {
			w := &worker{ctx: ctx, options: o, catalogues: catalogues}
			defer w.close()
			for i := range next {
				results[i] = w.suite(ctx, suites[i])
			}
		})
	}
	for i := range suites {
		next <- i
	}
	close(next)
	all.Wait()
	var cases []report.Case
	for _, r := range results {
		cases = append(cases, r...)
	}
	return cases
}

// A worker runs one suite after the other. Its server, which only functions need,
// starts with the first of them.
type worker struct {
	ctx        context.Context
	options    Options
	catalogues func() (core.Catalogues, error)
	server     *rulebench.Bench
}

func (w *worker) suite(ctx context.Context, s Suite) []report.Case {
	began := time.Now()
	cases := s.run(ctx, w)
	var took time.Duration
	for i := range cases {
		cases[i].Suite = s.Name
		took += cases[i].Took
	}
	if len(cases) > 0 && took == 0 {
		cases[0].Took = time.Since(began)
	}
	return cases
}

func (w *worker) catalogue() (*managed.Catalogue, error) {
	c, err := w.catalogues()
	return c.Managed, err
}

func (w *worker) bench() (*rulebench.Bench, error) {
	if w.server != nil {
		return w.server, nil
	}
	c, err := w.catalogues()
	if err != nil {
		return nil, err
	}
	w.server, err = rulebench.Start(w.ctx, w.options.Log, rulebench.Options{Settings: w.options.Settings, Catalogues: w.catalogues, Models: c.APIs, Coverage: w.options.Coverage})
	return w.server, err
}

func (w *worker) close() {
	if w.server != nil {
		if err := w.server.Close(); err != nil {
			w.options.Log.Warn("the server of the tests did not end well", "err", err)
		}
	}
}

var place = regexp.MustCompile(`^(.+?):(\d+): `)

// withoutPlace is an error without FILE:LINE: before it.
func withoutPlace(s string) string { return place.ReplaceAllString(s, "") }

// problems are the cases of a file with many errors, a line each.
func problems(path string, err error) []report.Case {
	var cases []report.Case
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		c := report.Case{Name: "read", Path: path, Status: report.Broken, Message: withoutPlace(line)}
		if m := place.FindStringSubmatch(line); m != nil {
			c.Line, _ = strconv.Atoi(m[2])
			if _, err := os.Stat(m[1]); err == nil {
				c.Path = m[1] // of a policy that the file names
			}
		}
		cases = append(cases, c)
	}
	return cases
}
