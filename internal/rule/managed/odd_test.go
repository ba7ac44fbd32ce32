package managed

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"cel.dev/cel-go/cel"

	"plumb/internal/config"
)

// Items whose values have the wrong shape everywhere: every rule gives a verdict
// or an error, never a panic, and never a verdict together with an error.
func TestOddItemsNeverPanic(t *testing.T) {
	evaluators := allEvaluators(t)
	odd := []any{nil, true, int64(-1), 1.5, "", "x", "%zz", "{", "[]", `{"Statement":[1]}`, `{"Statement":{"Principal":7}}`,
		[]any{}, []any{nil}, []any{int64(1), "a", []any{}}, map[string]any{}, map[string]any{"Statement": "x"}}
	for _, e := range evaluators {
		for _, example := range e.file.Examples {
			for _, o := range odd {
				for _, body := range spoiled(example.Item.Configuration, o) {
					judgeOdd(t, e, withBodies(example.Item, body, example.Item.Supplementary))
				}
				for _, extra := range spoiled(example.Item.Supplementary, o) {
					m, _ := extra.(map[string]any)
					judgeOdd(t, e, withBodies(example.Item, example.Item.Configuration, m))
				}
			}
		}
	}
}

func allEvaluators(tb testing.TB) []*Evaluator {
	tb.Helper()
	c := loaded(tb)
	var list []*Evaluator
	for _, identifier := range c.Evaluated() {
		f, err := c.File(identifier)
		if err != nil {
			tb.Fatal(err)
		}
		seen := map[string]bool{}
		for _, example := range f.Examples {
			if seen[example.Parameters] {
				continue
			}
			seen[example.Parameters] = true
			e, err := f.Evaluator(example.Parameters)
			if err != nil {
				tb.Fatal(err)
			}
			list = append(list, e)
		}
	}
	return list
}

// spoiled returns copies of v, each with another value replaced by odd.
func spoiled(v, odd any) []any {
	list := []any{odd}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			for _, e := range spoiled(v[k], odd) {
				m := maps.Clone(v)
				m[k] = e
				list = append(list, m)
			}
		}
	case []any:
		for i := range v {
			for _, e := range spoiled(v[i], odd) {
				l := slices.Clone(v)
				l[i] = e
				list = append(list, l)
			}
		}
	}
	return list
}

func withBodies(item config.Item, body any, extra map[string]any) config.Item {
	item.Configuration, item.Supplementary = body, extra
	return item
}

func judgeOdd(tb testing.TB, e *Evaluator, item config.Item) {
	tb.Helper()
	compliance, annotation, err := e.Evaluate(item, Beside())
	if (err != nil) != (compliance == config.InsufficientData) {
		tb.Errorf("%s: %s with error %v", e.file.Identifier, compliance, err)
	}
	if len([]rune(annotation)) > config.MaxAnnotation {
		tb.Errorf("%s: an annotation of %d characters", e.file.Identifier, len([]rune(annotation)))
	}
}

// go test ./internal/rule/managed -fuzz FuzzEveryRuleOnAnyItem
func FuzzEveryRuleOnAnyItem(f *testing.F) {
	evaluators := allEvaluators(f)
	begun := map[string]bool{} // with an item of each type: every rule looks at every one
	for _, e := range evaluators {
		for _, example := range e.file.Examples[:1] {
			if begun[e.file.Resources[0]] {
				continue
			}
			begun[e.file.Resources[0]] = true
			body, err := json.Marshal(example.Item.Configuration)
			if err != nil {
				f.Fatal(err)
			}
			extra, err := json.Marshal(example.Item.Supplementary)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body, extra)
		}
	}
	f.Fuzz(func(t *testing.T, body, extra []byte) {
		configuration, err := config.Decode(body)
		if err != nil {
			t.Skip()
		}
		supplementary, _ := config.Decode(extra)
		m, _ := supplementary.(map[string]any)
		for _, e := range evaluators {
			item := config.Item{Configuration: configuration, Supplementary: m}
			item.Type, item.Status = e.file.Resources[0], config.StatusOK
			judgeOdd(t, e, item)
		}
	})
}

func FuzzRuleFilesNeverPanic(f *testing.F) {
	c := loaded(f)
	f.Add([]byte("identifier: A\ndescription: d\nresources: [A::B::C]\ntrigger: change\ncheck: 'true'\n"))
	f.Add([]byte("check: [\n"))
	f.Add([]byte("parameters: {a: 1}\nexamples: {}\nresources: x\nidentifier: []\ndescription: {}\ntrigger: 1\ncheck: {}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := c.ParseFile("fuzz.yaml", content)
		if err != nil {
			return
		}
		for _, e := range file.Examples {
			_ = file.Run(e) // a wrong example is an error, not a failure
		}
	})
}

// The largest item that is not oversized stays far below the cost limit.
func TestLargestItemsStayBelowTheCostLimit(t *testing.T) {
	permissions := make([]any, 2000) // 256 KB
	for i := range permissions {
		permissions[i] = map[string]any{"ipProtocol": "tcp", "fromPort": int64(i), "toPort": int64(i),
			"ipRanges": []any{"0.0.0.0/0"}, "ipv4Ranges": []any{map[string]any{"cidrIp": "0.0.0.0/0"}}}
	}
	worst, rule := uint64(0), ""
	for _, e := range allEvaluators(t) {
		item := config.Item{Configuration: map[string]any{"ipPermissions": permissions, "groupName": "default"}}
		cost := costOf(t, e, item)
		if cost > worst {
			worst, rule = cost, e.file.Identifier
		}
	}
	t.Logf("the costliest is %s with %d", rule, worst)
	if worst > costLimit/10 {
		t.Errorf("%s costs %d, more than a tenth of the limit", rule, worst)
	}
}

func costOf(t *testing.T, e *Evaluator, item config.Item) uint64 {
	t.Helper()
	var program cel.Program = e.file.check
	_, details, err := program.Eval(&itemVars{item: &item, parameters: e.parameters, view: Beside()})
	if err != nil || details == nil || details.ActualCost() == nil {
		return 0
	}
	return *details.ActualCost()
}
