// Command guard measures Plumb's Guard beside Open Policy Agent, and beside the
// original where it can be run, on the same ten checks of one configuration item.
//
//	cd bench/guard && go run .
//
// It is a module of its own, so that Plumb neither links nor builds OPA. With
// PLUMB_GUARD_FIXTURES naming a checkout of cloudformation-guard, and node installed,
// the original's WebAssembly build is measured as well.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/rego"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

//go:embed ten.guard
var guardSource string

//go:embed ten.rego
var regoSource string

//go:embed item.json
var itemText []byte

// rounds is how often everything is measured, by turns; the median counts.
const rounds = 3

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench/guard:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	subjects, err := subjects(ctx)
	if err != nil {
		return err
	}
	results := map[string][]testing.BenchmarkResult{}
	for range rounds {
		for _, s := range subjects {
			results[s.name] = append(results[s.name], testing.Benchmark(s.bench))
		}
	}
	fmt.Printf("%-52s %12s %12s %10s %8s\n", "", "ns/op", "per second", "B/op", "allocs")
	medians := map[string]float64{}
	for _, s := range subjects {
		r := median(results[s.name])
		ns := float64(r.T.Nanoseconds()) / float64(r.N)
		medians[s.name] = ns
		fmt.Printf("%-52s %12.0f %12.0f %10d %8d\n", s.name, ns, float64(s.units)*1e9/ns, r.AllocedBytesPerOp(), r.AllocsPerOp())
	}
	fmt.Printf("\nPlumb decides the ten checks %.1f times as fast as OPA (goal 5)\n", medians[opaName]/medians[evaluateName])
	return original(ctx)
}

func median(rs []testing.BenchmarkResult) testing.BenchmarkResult {
	slices.SortFunc(rs, func(a, b testing.BenchmarkResult) int { return int(a.NsPerOp() - b.NsPerOp()) })
	return rs[len(rs)/2]
}

// A subject is one thing that is measured. Its rate is in units.
type subject struct {
	name  string
	units int
	bench func(b *testing.B)
}

const (
	evaluateName = "Plumb: ten rules on a parsed item, verdicts"
	opaName      = "OPA: ten rules on a parsed item, prepared query"
)

// subjects are made of the same rules and the same item.
func subjects(ctx context.Context) ([]subject, error) {
	rules, err := guard.Parse("ten.guard", guardSource)
	if err != nil {
		return nil, err
	}
	var item map[string]any
	if err := json.Unmarshal(itemText, &item); err != nil {
		return nil, err
	}
	doc, err := document.FromGo(item)
	if err != nil {
		return nil, err
	}
	clauses, err := count(ctx, rules, doc)
	if err != nil {
		return nil, err
	}
	query, err := prepared(ctx)
	if err != nil {
		return nil, err
	}
	return []subject{
		{"Plumb: a rule file parsed (files)", 1, func(b *testing.B) { parse(b) }},
		{fmt.Sprintf("Plumb: the same rules (%d clauses)", clauses), clauses,
			func(b *testing.B) { evaluate(ctx, b, rules, doc, guard.Verdicts) }},
		{evaluateName, 1, func(b *testing.B) { evaluate(ctx, b, rules, doc, guard.Verdicts) }},
		{"Plumb: with the reasons of failures", 1, func(b *testing.B) { evaluate(ctx, b, rules, doc, guard.Failures) }},
		{"Plumb: from a decoded item (map[string]any)", 1, func(b *testing.B) { decoded(ctx, b, rules, item) }},
		{opaName, 1, func(b *testing.B) { opa(ctx, b, query, item) }},
	}, nil
}

// count counts the comparisons that the rules make on the item.
func count(ctx context.Context, rules *guard.RuleSet, doc *document.Value) (int, error) {
	r, err := rules.Evaluate(ctx, doc, guard.Options{Detail: guard.Everything})
	if err != nil {
		return 0, err
	}
	if r.Status != guard.Pass {
		return 0, fmt.Errorf("the rules should pass, and %s", r.Status)
	}
	return checks(r.Record), nil
}

func checks(r *guard.Record) int {
	n := 0
	if r.Kind == guard.CheckRecord {
		n++
	}
	for _, c := range r.Children {
		n += checks(c)
	}
	return n
}

func parse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := guard.Parse("ten.guard", guardSource); err != nil {
			b.Fatal(err)
		}
	}
}

func evaluate(ctx context.Context, b *testing.B, rules *guard.RuleSet, doc *document.Value, d guard.Detail) {
	b.ReportAllocs()
	for b.Loop() {
		if r, err := rules.Evaluate(ctx, doc, guard.Options{Detail: d}); err != nil || r.Status != guard.Pass {
			b.Fatal(err)
		}
	}
}

// decoded measures what an evaluation costs that begins with what Go has decoded.
func decoded(ctx context.Context, b *testing.B, rules *guard.RuleSet, item map[string]any) {
	b.ReportAllocs()
	for b.Loop() {
		doc, err := document.FromGo(item)
		if err != nil {
			b.Fatal(err)
		}
		if r, err := rules.Evaluate(ctx, doc, guard.Options{Detail: guard.Verdicts}); err != nil || r.Status != guard.Pass {
			b.Fatal(err)
		}
	}
}

func prepared(ctx context.Context) (rego.PreparedEvalQuery, error) {
	return rego.New(rego.Query("verdicts := data.ten.verdicts"), rego.Module("ten.rego", regoSource)).PrepareForEval(ctx)
}
