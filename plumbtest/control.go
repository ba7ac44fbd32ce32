package plumbtest

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"plumb/internal/fixture"
	"plumb/internal/rulefile"
	"plumb/internal/ruletest"
)

// callWithin bounds one step of a test: the longest is a drain.
const callWithin = 2 * time.Minute

// do does one thing and ends the test if it fails.
func (p *Plumb) do(what string, f func(context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callWithin)
	defer cancel()
	if err := f(ctx); err != nil {
		p.t.Fatalf("plumb: %s: %v", what, err)
	}
}

// Record has every resource of the account in the region recorded: it makes a
// recorder, a bucket and a delivery channel, unless a recorder is there. The bucket
// is recorded, too.
func (p *Plumb) Record() {
	p.t.Helper()
	p.do("record", p.bench.Record)
}

// Drain runs all that is due by the server's clock, until nothing is.
func (p *Plumb) Drain() {
	p.t.Helper()
	p.do("drain", p.bench.Drain)
}

// Reset forgets everything. The clock runs again and shows the machine's time.
func (p *Plumb) Reset() {
	p.t.Helper()
	p.do("reset", func(ctx context.Context) error { return p.bench.Control(ctx, "reset", struct{}{}, nil) })
}

// Now is the server's time.
func (p *Plumb) Now() time.Time {
	p.t.Helper()
	return p.clock(struct{}{})
}

// Advance moves the server's clock forward. Drain then runs what became due.
func (p *Plumb) Advance(by time.Duration) {
	p.t.Helper()
	p.clock(map[string]any{"advance": by.String()})
}

// Freeze stops the server's clock, at a time if it is not the zero time.
func (p *Plumb) Freeze(at time.Time) {
	p.t.Helper()
	text := "now"
	if !at.IsZero() {
		text = at.Format(time.RFC3339Nano)
	}
	p.clock(map[string]any{"freeze": text})
}

// Unfreeze lets the server's clock run again, from the time that it shows.
func (p *Plumb) Unfreeze() {
	p.t.Helper()
	p.clock(map[string]any{"run": true})
}

// clock orders something of the clock and returns its time.
func (p *Plumb) clock(order any) time.Time {
	p.t.Helper()
	var out struct{ Now time.Time }
	p.do("clock", func(ctx context.Context) error { return p.bench.Control(ctx, "clock", order, &out) })
	return out.Now
}

// Fixture records items in files, in JSON or YAML and in any spelling that AWS
// Config uses, as if the resources had been found. "plumb item sample TYPE" and
// "plumb item capture RESOURCE" write such files.
func (p *Plumb) Fixture(files ...string) {
	p.t.Helper()
	for _, file := range files {
		p.do("fixture "+file, func(ctx context.Context) error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			it, err := fixture.Read(text, fixture.Defaults{Place: p.place})
			if err != nil {
				return err
			}
			return p.bench.PushOne(ctx, it)
		})
	}
}

// Remove records that a resource is gone.
func (p *Plumb) Remove(resourceType, resourceID string) {
	p.t.Helper()
	p.do("remove "+resourceID, func(ctx context.Context) error { return p.bench.Remove(ctx, resourceType, resourceID) })
}

// Put puts the rules at a path, as "plumb rule dev" finds them: a function in a
// folder, a policy in Guard, a folder of the Rule Development Kit, a template or a
// Terraform file that declares rules. It returns their names. What is there under
// such a name is replaced.
func (p *Plumb) Put(path string, change ...func(*Rule)) (names []string) {
	p.t.Helper()
	p.do("put "+filepath.ToSlash(path), func(ctx context.Context) error {
		rules, err := ruletest.Rules(path)
		if err != nil {
			return err
		}
		for _, found := range rules {
			r := Rule{Name: found.Name, Types: found.Types, Parameters: found.Parameters, Schedule: found.Frequency}
			for _, f := range change {
				f(&r)
			}
			found.Name, found.Types, found.Parameters, found.Frequency = r.Name, r.Types, r.Parameters, r.Schedule
			if err := rulefile.CheckFrequency(r.Schedule); err != nil {
				return err
			}
			if err := p.bench.Put(ctx, found); err != nil {
				return err
			}
			names = append(names, r.Name)
		}
		return nil
	})
	return names
}

// A Rule is what Put may be told to change of a rule.
type Rule struct {
	Name       string
	Types      []string          // whose changes trigger it; none is every type
	Parameters map[string]string // InputParameters
	Schedule   string            // TwentyFour_Hours and the like; empty if no schedule triggers it
}

// Evaluate has a rule evaluate all that is recorded, and drains.
func (p *Plumb) Evaluate(rule string) {
	p.t.Helper()
	p.do("evaluate "+rule, func(ctx context.Context) error {
		if err := p.bench.Evaluate(ctx, rule); err != nil {
			return err
		}
		return p.bench.Drain(ctx)
	})
}

// A Verdict is what a rule says of one resource.
type Verdict struct {
	ResourceType, ResourceID string
	Compliance               string // COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, INSUFFICIENT_DATA
	Annotation               string
}

// Verdicts returns what a rule says of every resource, NOT_APPLICABLE too, sorted by
// type and id.
func (p *Plumb) Verdicts(rule string) (all []Verdict) {
	p.t.Helper()
	p.do("verdicts of "+rule, func(ctx context.Context) error {
		verdicts, err := p.bench.Verdicts(ctx, rule)
		for _, v := range verdicts {
			all = append(all, Verdict{v.Type, v.ID, string(v.Compliance), v.Annotation})
		}
		return err
	})
	return all
}

// Compliance returns what a rule says of one resource; empty if it says nothing.
func (p *Plumb) Compliance(rule, resourceType, resourceID string) string {
	p.t.Helper()
	for _, v := range p.Verdicts(rule) {
		if v.ResourceType == resourceType && v.ResourceID == resourceID {
			return v.Compliance
		}
	}
	return ""
}
