package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"plumb/internal/config"
	"plumb/internal/core"
	"plumb/internal/db"
	"plumb/internal/resource"
	"plumb/internal/sandbox"
	"plumb/internal/store"
)

// A machine is Plumb's core without anything in front and with nothing to read:
// what is recorded is handed over.
type machine struct{ *core.Machine }

func (b *bench) newMachine(ctx context.Context) (*machine, error) {
	s, err := b.settings(ctx)
	if err != nil {
		return nil, err
	}
	known, err := core.LoadCatalogues("")
	if err != nil {
		return nil, err
	}
	m, err := core.New(ctx, b.log(), core.Options{
		Settings: s, Name: "bench", URL: func() string { return "http://127.0.0.1:1" }, // nobody calls it
		Catalogues: func() (core.Catalogues, error) { return known, nil },
		Sandbox:    func() sandbox.Report { return sandbox.Report{Level: sandbox.None} }, // no function runs
		Source:     source{known.Types},
	})
	if err != nil {
		return nil, err
	}
	b.atEnd(m.Close)
	return &machine{m}, nil
}

// source knows the catalogue, so that changes ripple as they do with a target,
// and reads nothing: what is recorded is handed over.
type source struct{ types *resource.Catalogue }

func (s source) Types(config.Place) []string {
	var all []string
	for _, info := range s.types.Types() {
		all = append(all, info.Type)
	}
	return all
}

func (s source) Related(it config.Item) []config.ResourceKey { return s.types.Related(it) }
func (source) Inverse(string) map[string]string              { return nil }
func (s source) Announces(config.Place, string) bool         { return true }
func (s source) Interval(string) time.Duration               { return 0 }

func (s source) Discover(context.Context, config.Place, string) iter.Seq2[[]config.Item, error] {
	return func(func([]config.Item, error) bool) {}
}

func (s source) Gone(context.Context, config.Item) (bool, error) { return true, nil }

func (s source) Describe(context.Context, config.ResourceKey) (config.Item, bool, error) {
	return config.Item{}, false, nil
}

// start puts a recorder of those types, all if none, and starts it.
func (m *machine) start(ctx context.Context, p config.Place, types ...string) error {
	rec := config.Recorder{Place: p, Name: "default", ARN: "arn:aws:config:" + p.Region + ":" + p.Account + ":configuration-recorder/default/x",
		RoleARN: "arn:aws:iam::" + p.Account + ":role/config", Mode: config.RecordingMode{Frequency: config.Continuous},
		Group: config.RecordingGroup{AllSupported: true, Strategy: config.RecordAll}}
	if len(types) > 0 {
		rec.Group = config.RecordingGroup{Types: types, Strategy: config.RecordInclusion}
	}
	return m.DB.Write(ctx, func(tx *db.Tx) error {
		if err := store.PutRecorder(ctx, tx, rec); err != nil {
			return err
		}
		return m.Recorder.Start(ctx, tx, rec)
	})
}

// putRules puts n managed rules on instances, each with a name of its own: the
// one whose verdict the bench flips, and the others again and again.
func (m *machine) putRules(ctx context.Context, p config.Place, n int) error {
	return m.DB.Write(ctx, func(tx *db.Tx) error {
		for i := range n {
			identifier := others[i%len(others)]
			if i == 0 {
				identifier = flipped
			}
			name := fmt.Sprintf("rule-%03d", i)
			r := config.Rule{
				Place: p, Name: name, ID: fmt.Sprintf("config-rule-%06d", i), ARN: "arn:aws:config:" + p.Region + ":" + p.Account + ":config-rule/" + name,
				State: config.RuleActive, Source: config.Source{Owner: config.OwnerAWS, Identifier: identifier}, InputParameters: parameters[identifier],
			}
			if err := store.PutRule(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}
