package main

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/clock"
	"plumb/internal/compliance"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/recorder"
	"plumb/internal/resource"
	"plumb/internal/rule"
	"plumb/internal/rule/function"
	"plumb/internal/rule/managed"
	"plumb/internal/store"
	"plumb/models"
	"plumb/resources"
)

// A machine is the part of Plumb that records and judges, put together as
// internal/app does it, without faces in front and delivery behind.
type machine struct {
	db       *db.DB
	jobs     *job.Queue
	rules    *rule.Engine
	door     *compliance.Door
	recorder *recorder.Recorder
}

func (b *bench) newMachine(ctx context.Context) (*machine, error) {
	d, err := b.openStore(ctx)
	if err != nil {
		return nil, err
	}
	known, err := managed.Load()
	if err != nil {
		return nil, err
	}
	types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		return nil, err
	}
	sealer, err := function.NewSealer(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	clk := &clock.Clock{}
	m := &machine{db: d}
	if m.jobs, err = job.New(ctx, d, b.log(), clk, "bench"); err != nil {
		return nil, err
	}
	m.door = compliance.New(m.publish, clk.Now)
	m.rules = rule.New(b.log(), rule.Options{
		DB: d, Jobs: m.jobs, Compile: compiler(known), Accept: m.door.Accept, Forget: m.door.Forget,
		Invoke:  func(context.Context, *db.Tx, rule.Invocation) error { return nil },
		Publish: m.publish, Sealer: sealer, Now: clk.Now,
	})
	m.recorder = recorder.New(b.log(), recorder.Options{
		DB: d, Jobs: m.jobs, Source: source{types}, Judge: m.rules.Judge, Publish: m.publish, Poll: time.Hour, Now: clk.Now,
	})
	return m, nil
}

func (m *machine) publish(ctx context.Context, tx *db.Tx, event any) error {
	switch e := event.(type) {
	case config.ItemsRecorded:
		return m.rules.OnItemsRecorded(ctx, tx, e)
	case config.ComplianceChanged:
		var keys []config.ResourceKey
		for _, c := range e.Changes {
			keys = append(keys, config.ResourceKey{Place: e.Place, Type: c.New.ResourceType, ID: c.New.ResourceID})
		}
		return m.recorder.RecordCompliance(ctx, tx, e.Place, keys)
	}
	return nil
}

func compiler(known *managed.Catalogue) func(config.Rule) (rule.Compiled, error) {
	return func(r config.Rule) (rule.Compiled, error) {
		e, err := known.Evaluator(r.Source.Identifier, r.InputParameters)
		if err != nil {
			return rule.Compiled{}, err
		}
		file, err := known.File(r.Source.Identifier)
		if err != nil {
			return rule.Compiled{}, err
		}
		return rule.Compiled{Evaluator: e, Types: file.Resources, OnChange: file.Trigger.OnChange()}, nil
	}
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

func (s source) Discover(context.Context, config.Place, string) ([]config.Item, error) {
	return nil, nil
}

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
	return m.db.Write(ctx, func(tx *db.Tx) error {
		if err := store.PutRecorder(ctx, tx, rec); err != nil {
			return err
		}
		return m.recorder.Start(ctx, tx, rec)
	})
}

// putRules puts n managed rules on instances, each with a name of its own: the
// one whose verdict the bench flips, and the others again and again.
func (m *machine) putRules(ctx context.Context, p config.Place, n int) error {
	return m.db.Write(ctx, func(tx *db.Tx) error {
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
