package main

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/recorder"
	"plumb/internal/rule"
)

// maxBacktest is how long a trial may take for each item: a million in a minute.
const maxBacktest = time.Minute / 1_000_000

// backtest measures a rule that is tried on what is recorded: its newest items, and
// then the items of an hour in which each resource changed once.
func backtest(ctx context.Context, b *bench) error {
	m, err := b.newMachine(ctx)
	if err != nil {
		return err
	}
	if err := m.start(ctx, benchPlace, instanceType); err != nil {
		return err
	}
	fleet, err := newFleet(benchPlace, b.options.items)
	if err != nil {
		return err
	}
	began := m.Clock.Now()
	for round := range 2 {
		for n := 0; n < b.options.items; n += 500 {
			var seen []recorder.Observation
			for _, it := range fleet.next(min(500, b.options.items-n)) {
				seen = append(seen, recorder.Observation{Item: it})
			}
			if err := m.Recorder.Record(ctx, benchPlace, seen); err != nil {
				return err
			}
		}
		since := began.Add(-time.Hour)
		if round == 0 {
			since = time.Time{}
		}
		if err := b.backtestOnce(ctx, m, since); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) backtestOnce(ctx context.Context, m *machine, since time.Time) error {
	tried := config.Rule{Place: benchPlace, Name: "tried", Source: config.Source{Owner: config.OwnerAWS, Identifier: flipped}, InputParameters: parameters[flipped]}
	compiled, err := m.Rules.Compile(tried)
	if err != nil {
		return err
	}
	t := rule.Trial{Rule: tried, Compiled: compiled, Since: since}
	began := time.Now()
	done, err := m.Rules.Try(ctx, t, func(rule.Flip) error { return nil })
	if err != nil {
		return err
	}
	took := time.Since(began)
	if done.Items == 0 || done.Failed > 0 {
		return fmt.Errorf("the trial ended with %+v", done)
	}
	what := "the newest items"
	if !since.IsZero() {
		what = "items of an hour"
	}
	b.table.limit(fmt.Sprintf("CEL rule tried on %d items, %s, for each", done.Items, what), "µs",
		float64(took.Microseconds())/float64(done.Items), float64(maxBacktest.Microseconds()))
	return nil
}
