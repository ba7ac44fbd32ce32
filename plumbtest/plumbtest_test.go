package plumbtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/lambda/lambdatest"
	"plumb/internal/scaffold"
	"plumb/plumbtest"
)

const bucket = "AWS::S3::Bucket"

func TestRuleJudgesFixtures(t *testing.T) {
	p := plumbtest.Start(t)
	p.Record()
	names := p.Put("testdata/owned")
	if !slices.Equal(names, []string{"owned"}) {
		t.Fatalf("it put %v", names)
	}
	p.Fixture("testdata/logs.yaml", "testdata/lost.json")
	p.Drain()
	want := []plumbtest.Verdict{{bucket, "logs", "COMPLIANT", ""}, {bucket, "lost", "NON_COMPLIANT", "Failed rules: owned"}}
	if got := p.Verdicts("owned"); len(got) != 3 || !slices.Equal(got[:2], want) { // the third is the delivery channel's bucket
		t.Errorf("the verdicts are %v", got)
	}
	p.Remove(bucket, "lost")
	p.Drain()
	if got := p.Compliance("owned", bucket, "lost"); got == "NON_COMPLIANT" {
		t.Errorf("a bucket that is gone is %s", got)
	}
}

func TestClientsOfTheSDKReachTheServer(t *testing.T) {
	p := plumbtest.Start(t, plumbtest.Account("210987654321"), plumbtest.Region("eu-west-1"))
	p.Record()
	p.Put("testdata/owned", func(r *plumbtest.Rule) { r.Name = "renamed" })
	out, err := configservice.NewFromConfig(p.SDK()).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	if err != nil || len(out.ConfigRules) != 1 || !strings.Contains(aws.ToString(out.ConfigRules[0].ConfigRuleArn), ":eu-west-1:210987654321:") {
		t.Fatalf("%v, %v", out, err)
	}
	other := p.As("123456789012", "eu-west-1")
	if out, err = configservice.NewFromConfig(other.SDK()).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{}); err != nil || len(out.ConfigRules) != 0 {
		t.Errorf("another account sees %v, %v", out, err)
	}
	if !slices.Contains(p.Environ(), "AWS_ENDPOINT_URL="+p.URL()) {
		t.Error("the environment names another server")
	}
}

func TestClockIsMovedAndResetForgets(t *testing.T) {
	p := plumbtest.Start(t)
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	p.Freeze(at)
	p.Advance(24 * time.Hour)
	if got := p.Now(); !got.Equal(at.Add(24 * time.Hour)) {
		t.Errorf("it is %v", got)
	}
	p.Unfreeze()
	p.Record()
	p.Put("testdata/owned")
	p.Reset()
	if got := time.Until(p.Now()).Abs(); got > time.Minute {
		t.Errorf("after a reset the clock is %v away", got)
	}
	out, err := configservice.NewFromConfig(p.SDK()).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	if err != nil || len(out.ConfigRules) != 0 {
		t.Errorf("%v, %v", out, err)
	}
}

func TestFunctionRunsWithoutATestMain(t *testing.T) {
	lambdatest.NeedBoto3(t)
	dir := t.TempDir()
	const code = `import json, boto3

def lambda_handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'], 'ComplianceResourceId': item['resourceId'],
        'ComplianceType': 'COMPLIANT', 'Annotation': json.loads(event['ruleParameters'])['says'],
        'OrderingTimestamp': item['configurationItemCaptureTime']}])
`
	if err := os.WriteFile(filepath.Join(dir, "rule.py"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	p := plumbtest.Start(t)
	p.Record()
	p.Fixture("testdata/logs.yaml")
	rule := p.Put(dir, func(r *plumbtest.Rule) {
		r.Name, r.Types, r.Parameters = "said", []string{bucket}, map[string]string{"says": "it was asked"}
	})[0]
	p.Evaluate(rule)
	for _, v := range p.Verdicts(rule) {
		if v.ResourceID == "logs" && v.Compliance == "COMPLIANT" && v.Annotation == "it was asked" {
			return
		}
	}
	t.Errorf("it says %v", p.Verdicts(rule))
}

// TestOutsideModuleUsesThePackage builds a module that requires this one, as a
// user's does, without a network.
func TestOutsideModuleUsesThePackage(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: with it, tests that take minutes run")
	}
	_, self, _, _ := runtime.Caller(0)
	if !filepath.IsAbs(self) { // with -trimpath
		self, _ = filepath.Abs("plumbtest_test.go")
	}
	root := filepath.Dir(filepath.Dir(self))
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	// What "go mod tidy" would write: the versions are those of this module.
	outside := strings.Replace(string(mod), "module plumb\n", "module outside.example/rules\n", 1) +
		"\nrequire plumb v0.0.0\n\nreplace plumb => " + root + "\n"
	example := `package rules

import (
	"testing"

	"plumb/plumbtest"
)

func TestOwned(t *testing.T) {
	p := plumbtest.Start(t)
	p.Record()
	rule := p.Put("owned")[0]
	p.Fixture("logs.yaml", "lost.json")
	p.Drain()
	if got := p.Compliance(rule, "AWS::S3::Bucket", "lost"); got != "NON_COMPLIANT" {
		t.Error(got)
	}
}

func TestProgram(t *testing.T) {
	p := plumbtest.Start(t)
	p.Record()
	rule := p.Put("program")[0]
	p.Fixture("logs.yaml", "lost.json")
	p.Drain()
	if lost, logs := p.Compliance(rule, "AWS::S3::Bucket", "lost"), p.Compliance(rule, "AWS::S3::Bucket", "logs"); lost != "NON_COMPLIANT" || logs != "COMPLIANT" {
		t.Error(lost, logs)
	}
}
`
	if _, err := scaffold.New(filepath.Join(dir, "program"), scaffold.Go, bucket); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("go", "mod", "download", "github.com/aws/aws-lambda-go@v1.54.0").Run(); err != nil {
		t.Skipf("Lambda's library for Go is not here: %v", err)
	}
	for name, text := range map[string]string{"go.mod": outside, "go.sum": string(sum), "rules_test.go": example} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-v", "./...")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestOwned") || !strings.Contains(string(out), "--- PASS: TestProgram") {
		t.Errorf("%v\n%s", err, out)
	}
}
