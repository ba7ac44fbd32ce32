package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/report"
)

func sample(t *testing.T) report.Report {
	t.Helper()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return report.Report{Tool: "plumb rule test", Version: "1.0", Cases: []report.Case{
		{Suite: "a", Name: "fine", Path: "rules/a.yaml", Line: 3, Status: report.Passed, Took: 1500 * time.Millisecond},
		{Suite: "a", Name: "wrong", Path: filepath.Join(here, "rules", "a b.yaml"), Line: 7, Status: report.Failed, Message: "COMPLIANT, where NON_COMPLIANT is expected", Detail: "line 1\nline \x1b[31m2"},
		{Suite: "b", Name: "lost", Path: "b.yaml", Status: report.Broken, Message: "no such file: 100%"},
		{Suite: "c", Name: "later", Path: "c.yaml", Status: report.Skipped, Message: "no tests"},
	}}
}

func write(t *testing.T, f func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextShowsWhatFailedAndALineForEachSuite(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.Text(b, sample(t)) })
	want := "rules/a b.yaml:7: failed: wrong: COMPLIANT, where NON_COMPLIANT is expected\n    line 1\n    line \x1b[31m2\n" +
		"FAIL a: 1 passed, 1 failed (1500 ms)\n" +
		"b.yaml: broken: lost: no such file: 100%\nFAIL b: 0 passed, 1 broken\n" +
		"c.yaml: skipped: later: no tests\nskip c: 0 passed, 1 skipped\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJUnitCountsAndHoldsWhatXMLCanHold(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.JUnit(b, sample(t)) })
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Cases []struct {
				ClassName string `xml:"classname,attr"`
				Time      string `xml:"time,attr"`
				Failure   string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(got), &suites); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if suites.Tests != 4 || suites.Failures != 1 || suites.Errors != 1 || len(suites.Suites) != 3 {
		t.Errorf("%+v", suites)
	}
	wrong := suites.Suites[0].Cases[1]
	if wrong.Failure != "rules/a b.yaml:7\nline 1\nline [31m2" || wrong.ClassName != "rules.a b" || suites.Suites[0].Cases[0].Time != "1.500" {
		t.Errorf("%+v", suites.Suites[0].Cases)
	}
}

func TestSARIFHasRelativePathsAndOnlyWhatFailed(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.SARIF(b, sample(t)) })
	var log struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID    string
				RuleIndex int
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(got), &log); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	results := log.Runs[0].Results
	if log.Version != "2.1.0" || len(results) != 2 {
		t.Fatalf("%+v", log)
	}
	at := results[0].Locations[0].PhysicalLocation
	if at.ArtifactLocation.URI != "rules/a%20b.yaml" || at.Region.StartLine != 7 || results[1].RuleID != "b" || results[1].RuleIndex != 1 {
		t.Errorf("%+v", results)
	}
	if results[1].Locations[0].PhysicalLocation.Region.StartLine != 1 {
		t.Errorf("a case without a line is at %d", results[1].Locations[0].PhysicalLocation.Region.StartLine)
	}
}

func TestGitHubAnnotationsAreEscaped(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.GitHub(b, sample(t)) })
	want := "::error file=rules/a b.yaml,line=7,title=a::wrong: COMPLIANT, where NON_COMPLIANT is expected%0Aline 1%0Aline \x1b[31m2\n" +
		"::error file=b.yaml,line=1,title=b::lost: no such file: 100%25\n::notice file=c.yaml,line=1,title=c::later: no tests\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSONHasEveryCase(t *testing.T) {
	got := write(t, func(b *bytes.Buffer) error { return report.JSON(b, sample(t)) })
	var out struct {
		Passed, Failed, Broken, Skipped int
		Cases                           []struct {
			Name         string
			Milliseconds int
		}
	}
	if err := json.Unmarshal([]byte(got), &out); err != nil {
		t.Fatal(err)
	}
	if out.Passed != 1 || out.Failed != 1 || out.Broken != 1 || out.Skipped != 1 || len(out.Cases) != 4 || out.Cases[0].Milliseconds != 1500 {
		t.Errorf("%s", got)
	}
	if empty := write(t, func(b *bytes.Buffer) error { return report.JSON(b, report.Report{}) }); !strings.Contains(empty, `"cases": []`) {
		t.Errorf("an empty report is %s", empty)
	}
}
