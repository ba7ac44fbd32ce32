package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"plumb/internal/report"
)

// broken is a report of a function that two tests fail on at one line, and of one
// that cannot be built for two mistakes.
func broken() report.Report {
	cause := []report.Cause{{Path: "a/rule.py", Line: 12, Message: "KeyError: 'x'"}}
	return report.Report{Cases: []report.Case{
		{Suite: "a", Name: "one", Path: "a/plumb-test.yaml", Line: 5, Status: report.Failed, Message: "the function failed: KeyError: 'x'", Causes: cause},
		{Suite: "a", Name: "two", Path: "a/plumb-test.yaml", Line: 8, Status: report.Failed, Message: "the function failed: KeyError: 'x'", Causes: cause},
		{Suite: "a", Name: "three", Path: "a/plumb-test.yaml", Line: 9, Status: report.Passed, Causes: cause},
		{Suite: "b", Name: "one", Path: "b/plumb-test.yaml", Line: 5, Status: report.Broken, Message: "two mistakes", Causes: []report.Cause{
			{Path: "b/main.go", Line: 3, Message: "undefined: x"}, {Path: "b/main.go", Line: 4, Message: "undefined: y"}}},
		{Suite: "b", Name: "two", Path: "b/plumb-test.yaml", Line: 8, Status: report.Broken, Message: "as above", Follows: true},
	}}
}

func TestAnnotationStandsOnceAtTheLineThatIsToBeMended(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.GitHub(b, broken()) })
	want := "::error file=a/rule.py,line=12,title=a::KeyError: 'x' (in the tests one, two)\n" +
		"::error file=b/main.go,line=3,title=b::undefined: x (in the test one)\n" +
		"::error file=b/main.go,line=4,title=b::undefined: y (in the test one)\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSARIFLeadsToTheLineThatIsToBeMendedAndToTheTests(t *testing.T) {
	text := write(t, func(b *bytes.Buffer) error { return report.SARIF(b, broken()) })
	type location struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine int }
		}
	}
	var log struct {
		Runs []struct {
			Results []struct{ Locations, RelatedLocations []location }
		}
	}
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	if len(results) != 3 || results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI != "a/rule.py" || results[0].Locations[0].PhysicalLocation.Region.StartLine != 12 {
		t.Fatalf("got %+v", results)
	}
	if related := results[0].RelatedLocations; len(related) != 2 || related[1].PhysicalLocation.Region.StartLine != 8 {
		t.Errorf("related are %+v", related)
	}
}

func TestReportsForPeopleAndJUnitNameTheTests(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.Text(b, broken()) })
	if !strings.Contains(got, "a/plumb-test.yaml:8: failed: two: ") || !strings.Contains(got, "b/plumb-test.yaml:8: broken: two: as above") {
		t.Errorf("got\n%s", got)
	}
}
