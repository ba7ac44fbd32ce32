package store_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/query"
	"plumb/internal/store"
)

// pagedReads are the functions that read a page of something, each called for a
// page in the middle. Whoever adds one adds it here.
var pagedReads = map[string]func(s suite) error{
	"Resources": func(s suite) error {
		for _, q := range []store.ResourceQuery{
			{}, {IncludeDeleted: true}, {Name: "name-1"}, {Name: "name-1", IncludeDeleted: true}, {IDs: []string{"r-0011", "r-0012"}},
		} {
			q.Place, q.Type, q.After, q.Limit = place, "A::B::C", "r-0010", 10
			if _, err := store.Resources(s.Context(), s.tx, q); err != nil {
				return err
			}
		}
		return nil
	},
	"LiveKeys": func(s suite) error {
		for _, types := range [][]string{nil, {"A::B::C"}} {
			if _, err := store.LiveKeys(s.Context(), s.tx, place, types, key("A::B::C", "r-0010"), 10); err != nil {
				return err
			}
		}
		return nil
	},
	"LiveItems": func(s suite) error {
		items, err := store.LiveItems(s.Context(), s.tx, place, key("A::B::C", "r-0010"), 10)
		if err == nil {
			_, err = store.Forms(s.Context(), s.tx, items)
		}
		return err
	},
	"ResourcesOf": func(s suite) error {
		for _, types := range [][]string{nil, {"A::B::C"}} {
			if _, err := store.ResourcesOf(s.Context(), s.tx, place, types, key("A::B::C", "r-0010"), 10); err != nil {
				return err
			}
		}
		return nil
	},
	"Past": func(s suite) error {
		for _, after := range []int64{0, noon.UnixMilli() + 1} {
			if _, err := store.Past(s.Context(), s.tx, key("A::B::C", "r-0010"), noon, after, 10); err != nil {
				return err
			}
		}
		return nil
	},
	"VerdictsByRule": func(s suite) error {
		for _, c := range [][]config.Compliance{nil, {config.NonCompliant}, {config.Compliant}} {
			_, err := store.VerdictsByRule(s.Context(), s.tx, planRule, store.VerdictPage{AfterType: "A::B::C", AfterID: "r-0010", Compliance: c, Limit: 10})
			if err != nil {
				return err
			}
		}
		return nil
	},
	"VerdictsByResource": func(s suite) error {
		_, err := store.VerdictsByResource(s.Context(), s.tx, key("A::B::C", "r-0010"), store.VerdictPage{AfterRule: "a", Limit: 10})
		return err
	},
	"TallyResources": func(s suite) error {
		for _, c := range [][]config.Compliance{nil, {config.NonCompliant}, {config.Compliant}} {
			_, err := store.TallyResources(s.Context(), s.tx, place, store.TallyQuery{AfterType: "A::B::C", AfterID: "r-0010", Compliance: c, Limit: 10})
			if err != nil {
				return err
			}
		}
		return nil
	},
	"History": func(s suite) error {
		for _, forward := range []bool{true, false} {
			q := store.HistoryQuery{Key: key("A::B::C", "r-0010"), From: noon, To: noon.AddDate(0, 0, 1), After: noon.UnixMilli() + 1, Forward: forward, Limit: 10}
			if _, err := store.History(s.Context(), s.tx, q); err != nil {
				return err
			}
		}
		return nil
	},
	"CollectedKeys": func(s suite) error {
		_, err := store.CollectedKeys(s.Context(), s.tx, place, "A::B::C", "r-0010", 10)
		return err
	},
	"Rules": func(s suite) error {
		_, err := store.Rules(s.Context(), s.tx, place, "a", 10)
		return err
	},
	"Evaluations": func(s suite) error {
		before := store.EvaluationPosition{Started: 7, ID: 7}
		for _, q := range []store.EvaluationPage{{}, {Before: before}, {Context: "c", From: noon, To: noon.AddDate(0, 0, 1), Before: before}} {
			q.Limit = 10
			if _, err := store.Evaluations(s.Context(), s.tx, place, q); err != nil {
				return err
			}
		}
		return nil
	},
	"ProactiveVerdicts": func(s suite) error {
		_, err := store.ProactiveVerdicts(s.Context(), s.tx, "e", store.VerdictPage{AfterRule: "a", Compliance: []config.Compliance{config.Compliant}, Limit: 10})
		return err
	},
	"Connectors": func(s suite) error {
		_, err := store.Connectors(s.Context(), s.tx, place, "a", 10)
		return err
	},
	"ConformancePacks": func(s suite) error {
		_, err := store.ConformancePacks(s.Context(), s.tx, place, "a", 10)
		return err
	},
	"RemediationExceptions": func(s suite) error {
		_, err := store.RemediationExceptions(s.Context(), s.tx, place, "rule", key("A::B::C", "r-0010"), noon, 10)
		return err
	},
	"RemediationExecutions": func(s suite) error {
		_, err := store.RemediationExecutions(s.Context(), s.tx, place, "rule", key("A::B::C", "r-0010"), 10)
		return err
	},
	"StoredQueries": func(s suite) error {
		_, err := store.StoredQueries(s.Context(), s.tx, place, "a", 10)
		return err
	},
	"Select": func(s suite) error {
		q, err := query.Parse("SELECT resourceId WHERE resourceType = 'A::B::C' AND configuration.n = 1")
		if err != nil {
			return err
		}
		after := store.Spot{Type: 1, Place: 1, ID: "r-0010"}
		return store.Select(s.Context(), s.tx, store.Selection{Places: []config.Place{place}, Where: q.Where, After: after, Limit: 10},
			func(store.Match) error { return nil })
	},
	"AllKept": func(s suite) error {
		_, err := store.AllKept(s.Context(), s.tx, config.Place{}, 10)
		return err
	},
}

// unpagedReads are others that must not read whole tables.
var unpagedReads = map[string]func(s suite) error{
	// It sorts the items of the few resources that it looks at.
	"Page": func(s suite) error { // of a Window
		w := store.Window{Place: place, From: noon, Until: noon.AddDate(0, 0, 1)}
		_, err := w.Page(s.Context(), s.tx, config.VersionKey{ResourceKey: key("A::B::C", "r-0010")}, 10)
		return err
	},
	"Named": func(s suite) error { // by an index of each kind of name
		_, err := store.Named(s.Context(), s.tx, place, []string{"A::B::C"}, []string{"r-0010", "name-1", "arn:aws:sqs:::x"}, 10)
		return err
	},
	"ConsoleDrafts": func(s suite) error {
		_, err := store.ConsoleDrafts(s.Context(), s.tx, 10)
		return err
	},
	"QueuedRemediations": func(s suite) error {
		_, err := store.QueuedRemediations(s.Context(), s.tx, place, "rule", 10)
		return err
	},
	"AsOf": func(s suite) error {
		_, _, err := store.AsOf(s.Context(), s.tx, place, noon, []string{"A::B::C"}, key("A::B::C", "r-0010"), 10)
		return err
	},
	"Heads": func(s suite) error {
		_, err := store.Heads(s.Context(), s.tx, place, someKeys())
		return err
	},
	"CurrentItems": func(s suite) error {
		_, err := store.CurrentItems(s.Context(), s.tx, place, someKeys())
		return err
	},
	"VersionForms": func(s suite) error {
		_, err := store.VersionForms(s.Context(), s.tx, place, []config.VersionKey{{ResourceKey: key("A::B::C", "r-0010"), StateID: noon.UnixMilli()}})
		return err
	},
	"ItemBefore": func(s suite) error {
		_, err := store.ItemBefore(s.Context(), s.tx, config.VersionKey{ResourceKey: key("A::B::C", "r-0010"), StateID: noon.UnixMilli() + 1e9})
		return err
	},
	"RuleVerdicts": func(s suite) error {
		_, err := store.RuleVerdicts(s.Context(), s.tx, planRule, someKeys())
		return err
	},
	"ResourceVerdicts": func(s suite) error {
		_, err := store.ResourceVerdicts(s.Context(), s.tx, place, someKeys())
		return err
	},
	"Compliances": func(s suite) error {
		_, err := store.Compliances(s.Context(), s.tx, place, someKeys())
		return err
	},
	"VerdictDigests": func(s suite) error {
		_, err := store.VerdictDigests(s.Context(), s.tx, place, someKeys())
		return err
	},
	"Announcements": func(s suite) error {
		_, err := store.Announcements(s.Context(), s.tx, place, someKeys())
		return err
	},
	"LeadingTo": func(s suite) error {
		_, err := store.LeadingTo(s.Context(), s.tx, place, []store.Target{{ResourceKey: key("A::B::C", "r-0010"), Name: "x"}})
		return err
	},
	"Counts": func(s suite) error {
		_, err := store.Counts(s.Context(), s.tx, place, nil)
		return err
	},
	"TallyRules": func(s suite) error {
		_, err := store.TallyRules(s.Context(), s.tx, []string{planRule.ID})
		return err
	},
	"JudgmentsOn": func(s suite) error {
		_, err := store.JudgmentsOn(s.Context(), s.tx, key("A::B::C", "r-0010"), 10)
		return err
	},
	// They sort a page once more after it was joined.
	"FailuresOf": func(s suite) error {
		_, _, err := store.FailuresOf(s.Context(), s.tx, planRule, store.FailurePosition{Turned: noon.UnixMicro(), Resource: 7}, 10)
		return err
	},
	"FailingTimes": func(s suite) error {
		_, err := store.FailingTimes(s.Context(), s.tx, []string{planRule.ID}, noon, 10)
		return err
	},
	"ListRules": func(s suite) error {
		_, err := store.ListRules(s.Context(), s.tx, "", store.RulePosition{Name: "a", Place: 1}, 10)
		return err
	},
	"UnjudgedBy": func(s suite) error {
		_, _, err := store.UnjudgedBy(s.Context(), s.tx, planRule, "A::B::C", "r-0010", 10, 100)
		return err
	},
	"FailingByTag": func(s suite) error {
		_, _, err := store.FailingByTag(s.Context(), s.tx, []config.Place{place}, "team", 10)
		return err
	},
	"ListChanges": func(s suite) error {
		_, err := store.ListChanges(s.Context(), s.tx, store.ChangeQuery{
			From: noon, To: noon.AddDate(0, 0, 1), Before: store.ChangePosition{StateID: noon.UnixMilli() + 5000, Resource: 7}, Limit: 10, Look: 100})
		return err
	},
	"NewestChange": func(s suite) error {
		_, err := store.NewestChange(s.Context(), s.tx)
		return err
	},
	"WaitingOutgoing": func(s suite) error {
		_, err := store.WaitingOutgoing(s.Context(), s.tx, config.LaneKey{Place: place, Sink: config.SinkTopic}, 10)
		return err
	},
	"DueOutgoing": func(s suite) error {
		_, err := store.DueOutgoing(s.Context(), s.tx, config.LaneKey{Place: place, Sink: config.SinkTopic}, noon, 10)
		return err
	},
	"UndeliveredMessages": func(s suite) error {
		_, err := store.UndeliveredMessages(s.Context(), s.tx, store.OutgoingQuery{After: 7, Limit: 10})
		return err
	},
	"RollUps": func(s suite) error {
		_, err := store.RollUps(s.Context(), s.tx, place, someKeys())
		return err
	},
	"FindResources": func(s suite) error {
		_, err := store.FindResources(s.Context(), s.tx, "", "r-0010", 10)
		return err
	},
	"TallyType": func(s suite) error {
		_, err := store.TallyType(s.Context(), s.tx, place, "A::B::C")
		return err
	},
}

var planRule = config.Rule{Place: place, Name: "r", ID: "config-rule-r", State: config.RuleActive}

func someKeys() []config.ResourceKey {
	return []config.ResourceKey{key("A::B::C", "r-0010"), key("A::B::C", "r-0011"), key("A::B::D", "r-0012")}
}

func TestReadsGoByIndexes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		fill(t, d)
		for name, read := range pagedReads {
			t.Run(name, func(t *testing.T) {
				dbtest.Page(t, d, func(tx *db.Tx) error { return read(newSuite(t, tx)) }, "item_month")
			})
		}
		for name, read := range unpagedReads {
			t.Run(name, func(t *testing.T) {
				small := []string{"item_month"}                                                                              // a row a month
				if slices.Contains([]string{"Page", "CountTypes", "TallyByRule", "TallyByPack", "MemberProgresses"}, name) { // sums over the places of one piece of a walk
					small = append(small, dbtest.SmallSort)
				}
				if slices.Contains([]string{"FailuresOf", "ListChanges"}, name) {
					small = append(small, dbtest.SmallSort)
				}
				if name == "ConsoleDrafts" { // there are 200 at most
					small = append(small, "console_draft", dbtest.SmallSort)
				}
				if name == "ListChanges" { // it looks whether a month has its index
					small = append(small, "sqlite_schema")
				}
				if name == "FindResources" { // it asks each type of each place
					small = append(small, "type_tally", dbtest.SmallSort)
				}
				dbtest.Indexed(t, d, func(tx *db.Tx) error { return read(newSuite(t, tx)) }, small...)
			})
		}
	})
}

// fill keeps some resources with two items each, and verdicts of a rule.
func fill(t *testing.T, d *db.DB) {
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		s := newSuite(t, tx)
		s.must(store.PutRule(t.Context(), tx, planRule))
		var verdicts []store.NewVerdict
		for i := range 40 {
			k := key([]string{"A::B::C", "A::B::D"}[i%2], fmt.Sprintf("r-%04d", i))
			named := func(it *store.NewItem) { it.Name = fmt.Sprint("name-", i) }
			s.add(k, 1, named)
			s.add(k, 2, named)
			verdicts = append(verdicts, store.NewVerdict{RuleID: planRule.ID, Verdict: config.Verdict{Evaluation: config.Evaluation{
				ResourceType: k.Type, ResourceID: k.ID, Compliance: []config.Compliance{config.Compliant, config.NonCompliant}[i/2%2], Ordering: noon}}})
		}
		if err := fillAggregators(s); err != nil {
			return err
		}
		if err := fillOrganizationRules(s); err != nil {
			return err
		}
		return store.PutVerdicts(t.Context(), tx, place, verdicts)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// deletions begin anew each time, and are no page of a list.
var deletions = []string{"DeleteVerdicts", "ForgetResources", "ExpireResources", "ExpireHistory", "ExpireMonth", "CarryForward", "IndexMonths", "SweepOutgoing"}

// A read with a limit that is not in the tables above is not looked at.
func TestEveryPagedReadIsLookedAt(t *testing.T) {
	for _, name := range readsWithLimit(t) {
		if pagedReads[name] == nil && unpagedReads[name] == nil && !slices.Contains(deletions, name) {
			t.Errorf("%s has a limit: add it to pagedReads", name)
		}
	}
}

// readsWithLimit returns the exported functions with a parameter called limit, or
// one of a type that has a member Limit.
func readsWithLimit(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	limited := map[string]bool{}
	var functions []*ast.FuncDecl
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok && slices.ContainsFunc(s.Fields.List, has("Limit")) {
					limited[n.Name.Name] = true
				}
			case *ast.FuncDecl:
				functions = append(functions, n)
			}
			return true
		})
	}
	var out []string
	for _, f := range functions {
		for _, p := range f.Type.Params.List {
			of, _ := p.Type.(*ast.Ident)
			if f.Name.IsExported() && (has("limit")(p) || of != nil && limited[of.Name]) {
				out = append(out, f.Name.Name)
			}
		}
	}
	if len(out) < 5 {
		t.Fatalf("found only %v", out)
	}
	return out
}

func has(name string) func(*ast.Field) bool {
	return func(f *ast.Field) bool {
		return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == name })
	}
}
