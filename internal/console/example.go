package console

import (
	"time"

	"plumb/internal/config"
)

// An entry is a line of a timeline.
type entry struct {
	At      time.Time
	Lane    string // configuration, verdicts, relationships, gap
	Text    string
	Href    string
	Verdict string
	Note    string
	Here    bool
	State   int64 // of the revision
}

// A difference is two states of something, path by path.
type difference struct {
	Old, New string
	Lines    []diffLine
	Noise    []diffLine
	Same     string
	Empty    string
}

type diffLine struct {
	Path, Was, Is string
	Type          string // CREATE, UPDATE, DELETE
	Blame         string
}

// A branch is a member of a tree.
type branch struct {
	Name, Value, Kind string
	Blame             string
	Open              bool
	Children          []branch
}

// A curve is a line over time.
type curve struct {
	Width, Height int
	Path, Area    string
	Label         string
}

// A figure is a number that leads on.
type figure struct{ Value, Label, Note, Href, Class string }

// examplePage is one of each component.
type examplePage struct {
	listPage
	Verdicts []string
	Timeline []entry
	Diff     difference
	Tree     []branch
	Graph    graph
	Numbers  []figure
	Line     curve
}

func showExample(v *visit) (*page, error) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	t := &table{
		Caption: "A table", Columns: []col{{Name: "resource"}, {Name: "verdict"}, {"count", true}, {Name: "share"}, {Name: "when"}}, Note: "What the reader has to know of the numbers.",
		Rows: []row{
			{Cells: []cell{linked("logs", Root+"components"), verdict(config.NonCompliant), number(1204), share(7, 3), moment(at, at.Add(time.Hour))}, Mark: "bad"},
			{Cells: []cell{linked("reports", Root+"components"), verdict(config.Compliant), number(6), share(1, 0), moment(time.Time{}, at)}},
		},
	}
	p := &page{Title: "Components", Template: "example", Table: t, Data: examplePage{
		listPage: listPage{Facets: []facet{v.facet("type", "type", []string{"AWS::S3::Bucket", "AWS::IAM::Role"}, func(string) string { return "12" })}, Table: t},
		Verdicts: []string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"},
		Timeline: []entry{
			{At: at.Add(50 * time.Millisecond), Lane: "verdicts", Text: "bucket-versioning-enabled", Verdict: "NON_COMPLIANT", Note: "0.05 s later"},
			{At: at, Lane: "configuration", Text: "versioning Enabled → Suspended", Href: Root + "components", Here: true},
			{At: at.Add(-time.Hour), Lane: "gap", Text: "the recorder was stopped"},
		},
		Diff: difference{Old: "before", New: "after", Same: "31 paths are the same.", Lines: []diffLine{{Path: "Configuration.Versioning", Was: "Enabled", Is: "Suspended", Type: "UPDATE"}}},
		Tree: treeOf(map[string]any{"name": "logs", "versioning": map[string]any{"status": "Suspended"}, "days": int64(30)}, nil),
		Graph: neighborGraph(node{Name: "logs", Kind: "AWS::S3::Bucket", Class: "bad"}, []node{
			{Name: "key", Kind: "AWS::KMS::Key", Href: Root + "components", Class: "good"}, {Name: "12 more", Kind: "AWS::S3::AccessPoint", Href: Root + "components"}}),
		Numbers: []figure{{"82 %", "of what is judged complies", "12 s old", Root + "components", ""}, {"14", "new failures today", "", Root + "components", "bad"}},
		Line:    curveOf([]int64{60, 62, 61, 70, 82}, "an example of a line"),
	}}
	return p, nil
}
