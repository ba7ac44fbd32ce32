package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/report"
)

// hostile is a report with texts that forms must escape or leave out.
func hostile() report.Report {
	nasty := []string{"plain", "a]]>b", "<b>&\"'", "tab\tline\nreturn\r", "color \x1b[31m", "nul \x00", "\xff\xfe", "ünïcödé \U0001F600 \uFFFE", "%41 100%"}
	r := report.Report{Tool: "plumb rule test", Version: "1 <beta>"}
	for i, s := range nasty {
		for j, status := range []report.Status{report.Passed, report.Failed, report.Broken, report.Skipped} {
			r.Cases = append(r.Cases, report.Case{
				Suite: "suite " + nasty[(i+j)%len(nasty)], Name: s, Path: "rules/a b#" + fmt.Sprint(i) + "?.yaml", Line: i - 1, Status: status, Message: s, Detail: s, Took: time.Second,
			})
		}
	}
	return r
}

// sarifMembers are the members that the schema of SARIF 2.1.0 allows and wants (with
// !) of the objects that we write; it allows no others.
var sarifMembers = map[string][]string{
	"log":              {"$schema", "!version", "!runs", "inlineExternalProperties", "properties"},
	"run":              {"!tool", "results", "originalUriBaseIds", "artifacts", "invocations", "properties"},
	"tool":             {"!driver", "extensions", "properties"},
	"driver":           {"!name", "fullName", "version", "semanticVersion", "informationUri", "rules", "properties"},
	"rule":             {"!id", "name", "shortDescription", "fullDescription", "helpUri", "properties"},
	"result":           {"ruleId", "ruleIndex", "level", "!message", "locations", "relatedLocations", "properties"},
	"message":          {"text", "markdown", "id", "arguments", "properties"},
	"location":         {"physicalLocation", "message", "properties"},
	"physicalLocation": {"artifactLocation", "region", "contextRegion", "properties"},
	"artifactLocation": {"uri", "uriBaseId", "index", "description", "properties"},
	"region":           {"startLine", "startColumn", "endLine", "endColumn", "snippet", "properties"},
}

// A sarif checks decoded SARIF.
type sarif struct{ *testing.T }

func (s sarif) object(kind string, v any) map[string]any {
	s.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		s.Fatalf("%s is %v", kind, v)
	}
	known := map[string]bool{}
	for _, name := range sarifMembers[kind] {
		bare := strings.TrimPrefix(name, "!")
		known[bare] = true
		if _, there := m[bare]; name != bare && !there {
			s.Errorf("%s has no %s", kind, bare)
		}
	}
	for name := range m {
		if !known[name] {
			s.Errorf("%s may have no %s", kind, name)
		}
	}
	return m
}

func (s sarif) list(v any) []any {
	s.Helper()
	list, ok := v.([]any)
	if !ok {
		s.Fatalf("%v is no list", v)
	}
	return list
}

func TestSARIFFollowsItsSchema(t *testing.T) {
	for name, r := range map[string]report.Report{"sample": sample(t), "hostile": hostile(), "broken": broken(), "empty": {Tool: "x"}} {
		var b bytes.Buffer
		if err := report.SARIF(&b, r); err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(b.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s := sarif{t}
		log := s.object("log", v)
		if log["version"] != "2.1.0" || len(s.list(log["runs"])) != 1 {
			t.Errorf("%s: version %v", name, log["version"])
		}
		run := s.object("run", s.list(log["runs"])[0])
		driver := s.object("driver", s.object("tool", run["tool"])["driver"])
		var ids []string
		for _, rule := range s.list(driver["rules"]) {
			id, _ := s.object("rule", rule)["id"].(string)
			if id == "" || slices.Contains(ids, id) {
				t.Errorf("%s: the rule %q is there twice, or has no id", name, id)
			}
			ids = append(ids, id)
		}
		for _, one := range s.list(run["results"]) {
			s.result(s.object("result", one), ids)
		}
	}
}

func (s sarif) result(m map[string]any, ids []string) {
	s.Helper()
	if i, ok := m["ruleIndex"].(float64); !ok || int(i) >= len(ids) || ids[int(i)] != m["ruleId"] {
		s.Errorf("the rule %v is not %v of %q", m["ruleId"], m["ruleIndex"], ids)
	}
	if level, _ := m["level"].(string); !slices.Contains([]string{"none", "note", "warning", "error"}, level) {
		s.Errorf("the level is %q", level)
	}
	if text, _ := s.object("message", m["message"])["text"].(string); text == "" {
		s.Error("a message has no text")
	}
	related, _ := m["relatedLocations"].([]any)
	for _, l := range slices.Concat(s.list(m["locations"]), related) {
		place := s.object("physicalLocation", s.object("location", l)["physicalLocation"])
		artifact := s.object("artifactLocation", place["artifactLocation"])
		text, _ := artifact["uri"].(string)
		if u, err := url.Parse(text); err != nil || u.IsAbs() || strings.HasPrefix(text, "/") || u.RawQuery != "" || u.Fragment != "" {
			s.Errorf("%q is no relative reference to a file: %v", text, err)
		}
		if base, _ := artifact["uriBaseId"].(string); base == "" {
			s.Error("a relative reference has no base")
		}
		if line, ok := s.object("region", place["region"])["startLine"].(float64); !ok || line < 1 {
			s.Errorf("a region starts in line %v", line)
		}
	}
}

// junitElements are what the schema of JUnit's XML, as Jenkins has it, allows and
// wants (with !) of elements: their attributes, and what stands in them.
var junitElements = map[string]struct{ attributes, children []string }{
	"testsuites": {[]string{"name", "time", "tests", "failures", "errors", "disabled"}, []string{"testsuite"}},
	"testsuite": {[]string{"!name", "!tests", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
		[]string{"properties", "testcase", "system-out", "system-err"}},
	"testcase": {[]string{"!name", "classname", "time", "assertions", "status"}, []string{"skipped", "error", "failure", "system-out", "system-err"}},
	"skipped":  {[]string{"message"}, nil},
	"error":    {[]string{"message", "type"}, nil},
	"failure":  {[]string{"message", "type"}, nil},
}

var number = regexp.MustCompile(`^\d+(\.\d+)?$`)

func TestJUnitFollowsItsSchema(t *testing.T) {
	for name, r := range map[string]report.Report{"sample": sample(t), "hostile": hostile(), "broken": broken(), "empty": {Tool: "x"}} {
		var b bytes.Buffer
		if err := report.JUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		open, cases := []string{}, 0
		for d := xml.NewDecoder(&b); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				junitElement(t, open, token)
				open = append(open, token.Name.Local)
				if token.Name.Local == "testcase" {
					cases++
				}
			case xml.EndElement:
				open = open[:len(open)-1]
			}
		}
		if cases != len(r.Cases) {
			t.Errorf("%s: %d cases, want %d", name, cases, len(r.Cases))
		}
	}
}

func junitElement(t *testing.T, open []string, e xml.StartElement) {
	t.Helper()
	known, ok := junitElements[e.Name.Local]
	if !ok || len(open) == 0 && e.Name.Local != "testsuites" || len(open) > 0 && !slices.Contains(junitElements[open[len(open)-1]].children, e.Name.Local) {
		t.Errorf("%s may not stand in %v", e.Name.Local, open)
	}
	given := map[string]string{}
	for _, a := range e.Attr {
		given[a.Name.Local] = a.Value
		if !slices.Contains(known.attributes, a.Name.Local) && !slices.Contains(known.attributes, "!"+a.Name.Local) {
			t.Errorf("%s may have no %s", e.Name.Local, a.Name.Local)
		}
		if slices.Contains([]string{"tests", "failures", "errors", "skipped", "time"}, a.Name.Local) && !number.MatchString(a.Value) {
			t.Errorf("%s of %s is %q", a.Name.Local, e.Name.Local, a.Value)
		}
	}
	for _, name := range known.attributes {
		if bare, wanted := strings.CutPrefix(name, "!"); wanted && given[bare] == "" && bare != "name" {
			t.Errorf("%s has no %s", e.Name.Local, bare)
		}
	}
}
