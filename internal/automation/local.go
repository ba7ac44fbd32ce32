package automation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"plumb/internal/config"
)

// A Ran is what a run in memory brought.
type Ran struct {
	Status  Status
	Failure string
	Steps   []StepRun
	Outputs map[string]any
}

// Run carries out a document in memory, without waiting: what sleeps or polls
// goes on at once, at the time that it would. Examples and tests of documents use
// it; nothing is kept.
func (d *Document) Run(ctx context.Context, sv Services, p config.Place, parameters map[string][]string, now time.Time) (Ran, error) {
	values, err := d.Bind(parameters)
	if err != nil {
		return Ran{}, err
	}
	vs := Values(values)
	maps.Copy(vs, globals(Execution{Place: p, ID: "example"}, now))
	role, err := vs.fill(d.AssumeRole)
	if err != nil {
		return Ran{}, err
	}
	ran := Ran{Status: Success, Outputs: map[string]any{}}
	for s, ok := d.Steps[0], true; ok && len(ran.Steps) < maxRuns; {
		run := StepRun{Number: len(ran.Steps), Name: s.Name, Action: s.Action, Started: now, Status: Success}
		var o outcome
		for attempt := 1; attempt <= s.MaxAttempts; attempt++ {
			o = sv.attempt(ctx, s, setting{place: p, role: text(role), values: vs, started: now, now: now})
			if o.err == nil || o.timeout {
				break
			}
		}
		run.Inputs, run.Outputs = o.inputs, o.outputs
		maps.Copy(vs, o.outputs)
		next, goesOn := d.after(s, o)
		if o.err != nil {
			run.Status, run.Failure = Failed, o.err.Error()
			if !goesOn || s.critical() {
				ran.Status, ran.Failure = Failed, fmt.Sprintf("Step %s failed: %s", s.Name, o.err)
			}
		}
		ran.Steps = append(ran.Steps, run)
		if !goesOn {
			break
		}
		s, ok = d.step(next)
	}
	for _, name := range d.Outputs {
		if v, ok := vs[name]; ok {
			ran.Outputs[name] = v
		}
	}
	return ran, nil
}

// attempt runs a step to its end, moving the time on where it waits.
func (sv Services) attempt(ctx context.Context, s Step, at setting) outcome {
	for {
		o := sv.run(ctx, s, at)
		if o.err != nil || o.again == 0 {
			return o
		}
		at.now, at.waited = at.now.Add(o.again), o.waited
	}
}

// A Planned is a step as it would run, as far as that is known beforehand.
type Planned struct {
	Step
	Inputs map[string]any // what names outputs of other steps stands as it is written
	Maybe  bool           // whether it runs depends on what steps before it bring
}

// Plan returns the steps that a document would run, with its parameters filled in.
// It follows branches that are decided by what is known. From one that is not,
// every step that is left may run.
func (d *Document) Plan(p config.Place, parameters map[string][]string, now time.Time) ([]Planned, error) {
	values, err := d.Bind(parameters)
	if err != nil {
		return nil, err
	}
	vs := Values(values)
	maps.Copy(vs, globals(Execution{Place: p, ID: "automation:EXECUTION_ID"}, now))
	var out []Planned
	for s, ok := d.Steps[0], true; ok && len(out) < maxRuns; {
		out = append(out, Planned{Step: s, Inputs: vs.known(anyMap(s.Inputs)).(map[string]any)})
		next := d.following(s)
		if s.Action == actionBranch {
			chosen, known, err := vs.chosen(s)
			if err != nil {
				return nil, fmt.Errorf("step %s: %w", s.Name, err)
			}
			if !known {
				return d.left(vs, out), nil
			}
			if chosen != "" {
				next = chosen
			}
		}
		s, ok = d.step(next)
	}
	return out, nil
}

// chosen returns where a branch leads, if that is known.
func (vs Values) chosen(s Step) (next string, known bool, err error) {
	filled, err := vs.fill(anyMap(s.Inputs))
	if err != nil {
		return "", false, nil // it names what a step brings
	}
	next, err = branch(filled.(map[string]any))
	return next, true, err
}

// left adds the steps that are not in a plan.
func (d *Document) left(vs Values, plan []Planned) []Planned {
	for _, s := range d.Steps {
		if !slices.ContainsFunc(plan, func(p Planned) bool { return p.Name == s.Name }) {
			plan = append(plan, Planned{s, vs.known(anyMap(s.Inputs)).(map[string]any), true})
		}
	}
	return plan
}

// known fills in what it can.
func (vs Values) known(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[k] = vs.known(inner)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, inner := range v {
			out = append(out, vs.known(inner))
		}
		return out
	default:
		if filled, err := vs.fill(v); err == nil {
			return filled
		}
		return v
	}
}
