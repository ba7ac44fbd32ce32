package main

import (
	"context"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// opa evaluates as a program does that links OPA: the query is prepared and the input
// is parsed once.
func opa(ctx context.Context, b *testing.B, query rego.PreparedEvalQuery, item map[string]any) {
	input, err := ast.InterfaceToValue(item)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		results, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil || len(results) != 1 {
			b.Fatal(len(results), err)
		}
		if verdicts, ok := results[0].Bindings["verdicts"].(map[string]any); !ok || len(verdicts) != 10 {
			b.Fatal(results[0].Bindings)
		}
	}
}
