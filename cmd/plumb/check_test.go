package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const checkedTemplate = `Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Suspended}}
  Kept:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}, BucketName: kept}
  Other: {Type: AWS::Nobody::Knows}
`

func TestCheckEndsByWhatItFinds(t *testing.T) {
	inFolder(t, map[string]string{
		"template.yaml": checkedTemplate, "good.yaml": strings.Replace(checkedTemplate, "Suspended", "Enabled", 1),
		"named.guard": `rule named when resourceType == "AWS::S3::Bucket" { resourceName == /^kept/ }` + "\n", "rule.py": "def handler(e, c):\n    pass\n",
	})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"template.yaml", "--rule", "S3_BUCKET_VERSIONING_ENABLED"}, 1, "template.yaml:2: failed: Logs: NON_COMPLIANT: Versioning is Suspended"},
		{[]string{"good.yaml", "--rule", "S3_BUCKET_VERSIONING_ENABLED"}, 0, "ok   S3_BUCKET_VERSIONING_ENABLED: 2 passed"},
		{[]string{"good.yaml", "--rule", "named.guard"}, 0, "Logs: cannot be told: resourceName is known only after it is applied\nok   named: 1 passed, 1 skipped"},
		{[]string{"good.yaml", "--rule", "named.guard", "--quiet"}, 0, "ok   named: 1 passed\n"},
		{[]string{"good.yaml", "--rule", "REQUIRED_TAGS", "--rule-parameter", "REQUIRED_TAGS.tag1Key=team"}, 1, "failed: Kept"},
		{[]string{"template.yaml"}, 1, "FAIL S3_BUCKET_VERSIONING_ENABLED: 1 passed, 1 failed"},
		{[]string{"good.yaml", "--rule", "NO_SUCH_RULE"}, 2, "neither the identifier of a managed rule nor a file"},
		{[]string{"good.yaml", "--rule", "rule.py"}, 2, "a function is not run on what is not there yet"},
		{[]string{"good.yaml", "--rule", "REQUIRED_TAGS"}, 2, "required parameter [tag1Key]"},
		{[]string{"rule.py"}, 2, "rule.py: "},
		{[]string{"none"}, 2, "no such file"},
		{[]string{"--types"}, 0, "aws_s3_bucket_versioning\n"},
	} {
		code, out, errs := plumb(t, append([]string{"check"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%v: code %d: %q is not in\n%s%s", c.args, code, c.says, out, errs)
		}
	}
	if _, _, errs := plumb(t, "check", "good.yaml"); !strings.Contains(errs, "not checked, because no file says how they become items: 1 of AWS::Nobody::Knows") {
		t.Errorf("it does not say what was not checked: %s", errs)
	}
}

func TestCheckOfAPlanWritesSARIFAndAnnotations(t *testing.T) {
	text, err := os.ReadFile("../../internal/preview/testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := inFolder(t, map[string]string{"plan.json": string(text)})
	code, out, errs := plumb(t, "check", filepath.Join(dir, "plan.json"), "-r", "INCOMING_SSH_DISABLED", "--sarif=check.sarif", "--github")
	if code != 1 || !strings.Contains(out, "::error file=plan.json,line=1,title=INCOMING_SSH_DISABLED::aws_security_group.web: NON_COMPLIANT") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if text, err := os.ReadFile("check.sarif"); err != nil || !strings.Contains(string(text), `"ruleId": "INCOMING_SSH_DISABLED"`) {
		t.Errorf("%v: %s", err, text)
	}
}
