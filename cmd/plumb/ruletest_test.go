package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inFolder makes a folder of files the working folder of the test.
func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GITHUB_ACTIONS", "")
	return dir
}

const (
	versionedGuard = `rule versioned when resourceType == "AWS::S3::Bucket" { configuration.status == "on" }` + "\n"
	versionedTests = "types: [AWS::S3::Bucket]\ntests:\n  - {name: on, item: {configuration: {status: \"on\"}}, compliance: COMPLIANT}\n" +
		"  - {name: off, item: {configuration: {status: \"off\"}}, compliance: NON_COMPLIANT}\n"
)

func TestRuleTestEndsAsTestRunnersDo(t *testing.T) {
	wrong := strings.Replace(versionedTests, "NON_COMPLIANT", "COMPLIANT", 1)
	for name, c := range map[string]struct {
		tests string
		code  int
		says  string
	}{
		"passed": {versionedTests, 0, "ok   versioned/plumb-test.yaml: 2 passed"},
		"failed": {wrong, 1, "versioned/plumb-test.yaml:4: failed: off: NON_COMPLIANT, where COMPLIANT is expected"},
		"broken": {"tests: []\n", 2, "versioned/plumb-test.yaml:1: broken: read: tests is a list"},
	} {
		t.Run(name, func(t *testing.T) {
			inFolder(t, map[string]string{"versioned/rule.guard": versionedGuard, "versioned/plumb-test.yaml": c.tests})
			code, out, errs := plumb(t, "rule", "test", ".", "-j", "1")
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("code %d: %s%s", code, out, errs)
			}
		})
	}
	inFolder(t, map[string]string{"a.txt": ""})
	for _, path := range []string{".", "none", "a.txt"} {
		if code, _, errs := plumb(t, "rule", "test", path); code != 2 || errs == "" {
			t.Errorf("%s: code %d: %s", path, code, errs)
		}
	}
}

func TestRuleTestWritesEveryReportThatIsAskedFor(t *testing.T) {
	wrong := strings.Replace(versionedTests, "NON_COMPLIANT", "COMPLIANT", 1)
	dir := inFolder(t, map[string]string{"rule.guard": versionedGuard, "plumb-test.yaml": wrong})
	code, out, errs := plumb(t, "rule", "test", dir, "--json", "--junit=junit.xml", "--sarif=report.sarif", "--github")
	if code != 1 || errs != "" {
		t.Errorf("code %d: %s", code, errs)
	}
	document, annotations, _ := strings.Cut(out, "\n}\n")
	var counts struct{ Passed, Failed int }
	if err := json.Unmarshal([]byte(document+"}"), &counts); err != nil || counts.Passed != 1 || counts.Failed != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if want := "::error file=plumb-test.yaml,line=4,title=plumb-test.yaml::off: "; !strings.HasPrefix(annotations, want) {
		t.Errorf("the annotations are %s", annotations)
	}
	for name, check := range map[string]func([]byte) error{
		"junit.xml":    func(b []byte) error { return xml.Unmarshal(b, &struct{}{}) },
		"report.sarif": func(b []byte) error { return json.Unmarshal(b, &struct{}{}) },
	} {
		text, err := os.ReadFile(name)
		if err != nil || check(text) != nil || !strings.Contains(string(text), "plumb-test.yaml") {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
}

func TestRuleTestOfRulesInThisRepositoryPasses(t *testing.T) {
	code, out, _ := plumb(t, "rule", "test", "../../rules/encrypted-volumes.yaml")
	if code != 0 || !strings.HasPrefix(out, "ok   ../../rules/encrypted-volumes.yaml: 8 passed") {
		t.Errorf("code %d: %s", code, out)
	}
}
