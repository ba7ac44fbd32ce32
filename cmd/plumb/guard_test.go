package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const guardRules = `let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
rule versioned when %buckets !empty {
  %buckets.Properties.Versioning == "Enabled" <<turn versioning on>>
}
`

const guardTests = `
- name: suspended
  input: {Resources: {logs: {Type: AWS::S3::Bucket, Properties: {Versioning: Suspended}}}}
  expectations: {rules: {versioned: FAIL}}
- name: nothing there
  input: {}
  expectations: {rules: {versioned: SKIP}}
`

const suspended = `Resources:
  logs:
    Type: AWS::S3::Bucket
    Properties:
      Versioning: Suspended
`

// guardFolder writes files and gives their folder.
func guardFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// guardCommand runs "plumb guard" and gives its exit code and output.
func guardCommand(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	cmd := newGuardCommand()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&o)
	cmd.SetErr(&e)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		exit, ok := errors.AsType[exitError](err)
		if !ok {
			t.Fatalf("the error is %v", err)
		}
		code = exit.code
		if exit.err != nil {
			e.WriteString(exit.err.Error())
		}
	}
	return code, o.String(), e.String()
}

func TestGuardValidateShowsWhatFailedAndExitsWith19(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "t.yaml": suspended})
	code, out, errs := guardCommand(t, "", "validate", "--rules", dir+"/buckets.guard", "--data", dir+"/t.yaml")
	if code != 19 || errs != "" {
		t.Errorf("code %d: %s", code, errs)
	}
	for _, want := range []string{
		"t.yaml Status = FAIL\nFAILED rules\nbuckets.guard/versioned    FAIL\n---\n",
		"Resource = logs {", "Message          = turn versioning on", "5.      Versioning: Suspended",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestGuardValidateReadsDataFromStandardInput(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules})
	enabled := strings.ReplaceAll(suspended, "Suspended", "Enabled")
	code, out, _ := guardCommand(t, enabled, "validate", "-r", dir+"/buckets.guard", "-S", "all")
	if code != 0 || !strings.Contains(out, "STDIN Status = PASS\nPASS rules\nbuckets.guard/versioned    PASS\n") {
		t.Errorf("code %d:\n%s", code, out)
	}
}

func TestGuardValidateTakesSeveralValuesAfterOneFlag(t *testing.T) {
	dir := guardFolder(t, map[string]string{
		"a.guard": guardRules, "b.guard": "rule named { Resources.logs exists }", "t.yaml": suspended, "u.yaml": suspended,
	})
	_, out, errs := guardCommand(t, "", "validate", "-r", dir+"/a.guard", dir+"/b.guard", "-d", dir+"/t.yaml", dir+"/u.yaml",
		"--structured", "--show-summary", "none", "-o", "json")
	var reports []struct {
		Status    string   `json:"status"`
		Compliant []string `json:"compliant"`
	}
	if err := json.Unmarshal([]byte(out), &reports); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if len(reports) != 2 || reports[0].Status != "FAIL" || len(reports[0].Compliant) != 1 {
		t.Errorf("%+v", reports)
	}
}

func TestGuardValidateMergesInputParameters(t *testing.T) {
	dir := guardFolder(t, map[string]string{
		"a.guard": "rule small { size <= limits.size }", "d.json": `{"size": 3}`, "p.json": `{"limits": {"size": 2}}`,
	})
	args := []string{"validate", "-r", dir + "/a.guard", "-d", dir + "/d.json"}
	if code, out, errs := guardCommand(t, "", append(args, "--input-parameters", dir+"/p.json")...); code != 19 {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if code, _, errs := guardCommand(t, "", append(args, "-i", dir+"/d.json")...); code != 255 || !strings.Contains(errs, `key "size" is in both`) {
		t.Errorf("code %d: %s", code, errs)
	}
}

func TestGuardValidateWritesSARIFWithTheLineOfTheValue(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "t.yaml": suspended})
	code, out, errs := guardCommand(t, "", "validate", "-r", dir+"/buckets.guard", "-d", dir+"/t.yaml", "-z", "-S", "none", "-o", "sarif")
	if code != 19 || !strings.Contains(out, `"startLine": 5`) || !strings.Contains(out, `"ruleId": "VERSIONED"`) {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestGuardValidateRefusesFlagsThatDoNotGoTogether(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "t.yaml": suspended})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-z"}, "either --rules or --payload is needed"},
		{[]string{"-r", dir + "/buckets.guard", "-d", dir + "/t.yaml", "-z"}, "--structured needs --show-summary none"},
		{[]string{"-r", dir + "/buckets.guard", "-d", dir + "/t.yaml", "-o", "junit"}, "--output-format junit needs --structured"},
		{[]string{"-r", dir + "/none.guard", "-d", dir + "/t.yaml"}, "does not exist"},
		{[]string{"-r", dir + "/buckets.guard", "-P"}, "--payload cannot be used with --rules or --data"},
		{[]string{"--nonsense"}, "unknown flag"},
		{[]string{"-r", dir + "/buckets.guard", "-d", dir + "/t.yaml", "-o", "xml"}, `there is no output format "xml"`},
	} {
		code, _, errs := guardCommand(t, "", append([]string{"validate"}, c.args...)...)
		if code != 255 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: code %d: %s", c.args, code, errs)
		}
	}
}

func TestGuardValidateSaysWhereARuleFileIsWrongAndExitsWith5(t *testing.T) {
	dir := guardFolder(t, map[string]string{"bad.guard": "rule a {\n  b == \n}", "t.yaml": suspended})
	code, _, errs := guardCommand(t, "", "validate", "-r", dir+"/bad.guard", "-d", dir+"/t.yaml")
	if code != 5 || !strings.Contains(errs, "bad.guard:3:1: found \"}\"") {
		t.Errorf("code %d: %s", code, errs)
	}
}

func TestGuardTestMeetsExpectations(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "tests/buckets_tests.yaml": guardTests})
	code, out, errs := guardCommand(t, "", "test", "--rules-file", dir+"/buckets.guard", "--test-data", dir+"/tests")
	want := "Test Case #1\nName: suspended\n  PASS Rules:\n    versioned: Expected = FAIL\n\n" +
		"Test Case #2\nName: nothing there\n  PASS Rules:\n    versioned: Expected = SKIP\n\n"
	if code != 0 || out != want {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestGuardTestExitsWith7IfAnExpectationIsNotMet(t *testing.T) {
	wrong := strings.ReplaceAll(guardTests, "versioned: FAIL", "versioned: PASS")
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "tests/buckets_tests.yaml": wrong})
	for _, args := range [][]string{
		{"test", "-r", dir + "/buckets.guard", "-t", dir + "/tests/buckets_tests.yaml"},
		{"test", "--dir", dir},
		{"test", "--dir", dir, "-o", "junit"},
	} {
		code, out, errs := guardCommand(t, "", args...)
		if code != 7 || !strings.Contains(out, "Expected = PASS, Evaluated = [FAIL]") {
			t.Errorf("%v: code %d: %s%s", args, code, out, errs)
		}
	}
}

func TestGuardTestExitsWith1IfATestCannotBeRun(t *testing.T) {
	dir := guardFolder(t, map[string]string{"buckets.guard": guardRules, "tests/buckets_tests.yaml": "- name: no input"})
	code, out, _ := guardCommand(t, "", "test", "--dir", dir)
	if code != 1 || !strings.Contains(out, "input is missing") {
		t.Errorf("code %d: %s", code, out)
	}
}

func TestGuardParseTreePrintsYAMLAndJSON(t *testing.T) {
	code, out, _ := guardCommand(t, "rule a { b == 1 }", "parse-tree", "-y")
	if code != 0 || !strings.HasPrefix(out, "assignments: []\nguard_rules:\n- rule_name: a\n") {
		t.Errorf("code %d: %s", code, out)
	}
	if code, out, _ = guardCommand(t, "rule a { b == 1 }", "parse-tree", "-p"); code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("code %d: %s", code, out)
	}
	if code, _, errs := guardCommand(t, "rule {", "parse-tree", "-p"); code != 255 || !strings.Contains(errs, "1:6: found") {
		t.Errorf("code %d: %s", code, errs)
	}
}

func TestGuardHelpHasExamples(t *testing.T) {
	for _, name := range []string{"validate", "test", "parse-tree"} {
		if code, out, _ := guardCommand(t, "", name, "--help"); code != 0 || !strings.Contains(out, "plumb guard "+name+" -") {
			t.Errorf("%s: code %d: %s", name, code, out)
		}
	}
}
