package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"plumb/internal/guard/document"
)

func ruleSet(t *testing.T, source string) *RuleSet {
	t.Helper()
	rules, err := Parse("limits.guard", source)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func value(t *testing.T, x any) *document.Value {
	t.Helper()
	v, err := document.FromGo(x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestARuleSetIsSafeForConcurrentUse(t *testing.T) {
	rules := ruleSet(t, `
let found = items[ name | size > 1 ]
rule some_are_large { %found !empty }
rule all_are_small { items.*.size < 3 <<small>> }
rule upper { %u == "X" }
let u = to_upper(kind)
`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				size := (i + j) % 4
				doc := value(t, map[string]any{"kind": "x", "items": map[string]any{"a": map[string]any{"size": size}}})
				r, err := rules.Evaluate(context.Background(), doc, Options{Detail: Detail(j % 3)})
				if err != nil {
					t.Error(err)
					return
				}
				got := fmt.Sprint(r.Rules[0].Status, r.Rules[1].Status, r.Rules[2].Status)
				if want := map[int]string{0: "FAIL PASS PASS", 1: "FAIL PASS PASS", 2: "PASS PASS PASS", 3: "PASS FAIL PASS"}[size]; got != want {
					t.Errorf("size %d: got %s, want %s", size, got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestEvaluationsEndAfterTooManySteps(t *testing.T) {
	list := make([]any, 200)
	for i := range list {
		list[i] = i
	}
	rules := ruleSet(t, "rule all { a[*] != b[*]\n a[*] < b[*] }")
	doc := value(t, map[string]any{"a": list, "b": list})
	if _, err := rules.Evaluate(t.Context(), doc, Options{MaxSteps: 1000}); !errors.Is(err, ErrLimit) {
		t.Errorf("the error is %v", err)
	}
	if _, err := rules.Evaluate(t.Context(), doc, Options{}); err != nil {
		t.Error(err)
	}
}

func TestEvaluationsEndWhenTheyGoTooDeep(t *testing.T) {
	rules := ruleSet(t, "rule deep { "+strings.Repeat("a { ", 60)+"b exists"+strings.Repeat(" }", 60)+" }")
	var doc any = map[string]any{"b": 1}
	for range 60 {
		doc = map[string]any{"a": doc}
	}
	if _, err := rules.Evaluate(t.Context(), value(t, doc), Options{MaxDepth: 50}); !errors.Is(err, ErrLimit) {
		t.Errorf("the error is %v", err)
	}
	if r, err := rules.Evaluate(t.Context(), value(t, doc), Options{}); err != nil || r.Status != Pass {
		t.Error(r, err)
	}
}

func TestEvaluationsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	list := make([]any, 1000)
	rules := ruleSet(t, "rule all { a[*] == 1 }")
	if _, err := rules.Evaluate(ctx, value(t, map[string]any{"a": list}), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestErrorsOfAnEvaluationKnowTheirPlace(t *testing.T) {
	rules := ruleSet(t, "rule a {\n  b exists\n  %nobody exists\n}")
	_, err := rules.Evaluate(t.Context(), value(t, map[string]any{"b": 1}), Options{})
	e, ok := errors.AsType[*EvalError](err)
	if !ok || e.At != (document.Pos{Line: 3, Column: 3}) || e.File != "limits.guard" {
		t.Errorf("the error is %v", err)
	}
}

func TestReasonsTellClausePathValuesAndMessage(t *testing.T) {
	rules := ruleSet(t, "rule a { x.size <= 3 <<too large>> }")
	r, err := rules.Evaluate(t.Context(), value(t, map[string]any{"x": map[string]any{"size": 5}}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := r.Rules[0].Record.Reasons()
	if len(reasons) != 1 {
		t.Fatal(reasons)
	}
	got := reasons[0]
	if got.Clause != "x.size LESS THAN EQUALS 3" || got.Path != "/x/size" || got.Value.Int() != 5 || got.With[0].Int() != 3 ||
		got.Message != "too large" || got.At != (document.Pos{Line: 1, Column: 10}) {
		t.Errorf("%+v", got)
	}
	if s := got.String(); s != "too large (x.size LESS THAN EQUALS 3: found 5 at /x/size)" {
		t.Error(s)
	}
}

func TestVerdictsAloneLeaveNoRecord(t *testing.T) {
	rules := ruleSet(t, "rule a { x == 3 }")
	r, err := rules.Evaluate(t.Context(), value(t, map[string]any{"x": 5}), Options{Detail: Verdicts})
	if err != nil || r.Status != Fail || r.Record != nil || r.Rules[0].Record != nil {
		t.Errorf("%+v, %v", r, err)
	}
}
