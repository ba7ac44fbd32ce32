package guard

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"plumb/internal/guard/document"
)

// The benchmarks look at a configuration item of 2 KB and ten rules; bench/guard has
// the same beside OPA and beside the original.
func benchInput(b *testing.B) (rules *RuleSet, source string, item map[string]any) {
	b.Helper()
	text, err := os.ReadFile("../../bench/guard/ten.guard")
	if err != nil {
		b.Fatal(err)
	}
	if rules, err = Parse("ten.guard", string(text)); err != nil {
		b.Fatal(err)
	}
	data, err := os.ReadFile("../../bench/guard/item.json")
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(data, &item); err != nil {
		b.Fatal(err)
	}
	return rules, string(text), item
}

func BenchmarkParse(b *testing.B) {
	_, source, _ := benchInput(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("ten.guard", source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	rules, _, item := benchInput(b)
	doc, err := document.FromGo(item)
	if err != nil {
		b.Fatal(err)
	}
	for name, detail := range map[string]Detail{"verdicts": Verdicts, "failures": Failures} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r, err := rules.Evaluate(context.Background(), doc, Options{Detail: detail}); err != nil || r.Status != Pass {
					b.Fatal(r, err)
				}
			}
		})
	}
}

func BenchmarkDocumentFromGo(b *testing.B) {
	_, _, item := benchInput(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := document.FromGo(item); err != nil {
			b.Fatal(err)
		}
	}
}
