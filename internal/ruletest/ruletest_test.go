package ruletest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/coverage"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/report"
	"plumb/internal/ruletest"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// folder makes a folder of files.
func folder(t *testing.T, files map[string]string) string {
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
	return dir
}

// run runs the tests below a folder and returns the cases by their names.
func run(t *testing.T, dir string) map[string]report.Case {
	t.Helper()
	o := ruletest.Options{Workers: 2, Settings: settings.Default()}
	suites, err := ruletest.Collect([]string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]report.Case{}
	for _, c := range ruletest.Run(t.Context(), suites, o) {
		byName[c.Name] = c
	}
	return byName
}

// expect compares cases with "status" or "status: part of the message".
func expect(t *testing.T, got map[string]report.Case, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d cases, want %d: %v", len(got), len(want), got)
	}
	for name, says := range want {
		status, message, _ := strings.Cut(says, ": ")
		if c := got[name]; string(c.Status) != status || !strings.Contains(c.Message, message) {
			t.Errorf("%s is %q: %q, want %q\n%s", name, c.Status, c.Message, says, c.Detail)
		}
	}
}

const function = `import json
import boto3

config = boto3.client('config')

def lambda_handler(event, context):
    invoking = json.loads(event['invokingEvent'])
    want = json.loads(event['ruleParameters']).get('status', 'Enabled')
    kind = invoking['messageType']
    print('told of', kind)
    if kind == 'ScheduledNotification':
        ids = config.list_discovered_resources(resourceType='AWS::S3::Bucket')['resourceIdentifiers']
        verdicts = [('AWS::S3::Bucket', i['resourceId'], 'COMPLIANT', 'there', invoking['notificationCreationTime']) for i in ids]
    else:
        if kind == 'OversizedConfigurationItemChangeNotification':
            summary = invoking['configurationItemSummary']
            item = config.get_resource_config_history(resourceType=summary['resourceType'], resourceId=summary['resourceId'])['configurationItems'][0]
            item['configuration'] = json.loads(item['configuration'])
        else:
            item = invoking['configurationItem']
        gone = event['eventLeftScope'] or item['configurationItemStatus'] == 'ResourceDeleted'
        verdict = 'NOT_APPLICABLE' if gone else 'COMPLIANT' if item['configuration']['status'] == want else 'NON_COMPLIANT'
        verdicts = [(item['resourceType'], item['resourceId'], verdict, 'it was looked at', str(item['configurationItemCaptureTime']))]
    if want == 'silence':
        return
    config.put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': t, 'ComplianceResourceId': i, 'ComplianceType': c, 'Annotation': a, 'OrderingTimestamp': at} for t, i, c, a, at in verdicts])
`

func TestFunctionIsAskedAsAWSConfigDoes(t *testing.T) {
	lambdatest.NeedBoto3(t)
	dir := folder(t, map[string]string{"rule.py": function, "bucket.json": `{"resourceId": "filed", "configuration": {"status": "Enabled"}}`, "plumb-test.yaml": `
types: [AWS::S3::Bucket]
schedule: One_Hour
tests:
  - {name: complies, item: {configuration: {status: Enabled}}, compliance: COMPLIANT, annotation: it was looked at}
  - {name: does not, item: {configuration: {status: Suspended}}, compliance: NON_COMPLIANT}
  - {name: a parameter, parameters: {status: Suspended}, item: {configuration: {status: Suspended}}, compliance: COMPLIANT}
  - {name: from a file, item: bucket.json, verdicts: {AWS::S3::Bucket filed: COMPLIANT}}
  - {name: gone, event: deleted, item: {configuration: {status: Enabled}}, compliance: NOT_APPLICABLE}
  - {name: left, event: out-of-scope, item: {configuration: {status: Enabled}}, compliance: NOT_APPLICABLE}
  - {name: oversized, event: oversized, item: {resourceId: large, configuration: {status: Enabled}}, compliance: COMPLIANT}
  - name: scheduled
    others: [{resourceType: AWS::S3::Bucket, resourceId: a}, {resourceType: AWS::S3::Bucket, resourceId: b}]
    verdicts: {AWS::S3::Bucket a: COMPLIANT, AWS::S3::Bucket b: COMPLIANT}
  - {name: nothing is left of the others, verdicts: {AWS::S3::Bucket a: NONE}}
  - {name: an error, item: {configuration: {}}, error: "KeyError: 'status'"}
  - {name: silent, parameters: {status: silence}, item: {configuration: {status: x}}, compliance: NONE}
  - {name: wrong verdict, item: {configuration: {status: Suspended}}, compliance: COMPLIANT}
  - {name: wrong annotation, item: {configuration: {status: Enabled}}, compliance: COMPLIANT, annotation: other}
  - {name: failing, item: {configuration: {}}, compliance: COMPLIANT}
  - {name: silent and should not be, parameters: {status: silence}, item: {configuration: {status: x}}, compliance: COMPLIANT}
  - {name: on another one, item: {configuration: {status: Enabled}}, verdicts: {AWS::S3::Bucket b: COMPLIANT}}
`})
	got := run(t, dir)
	expect(t, got, map[string]string{
		"complies": "passed", "does not": "passed", "a parameter": "passed", "from a file": "passed", "gone": "passed", "left": "passed",
		"oversized": "passed", "scheduled": "passed", "nothing is left of the others": "passed", "an error": "passed", "silent": "passed",
		"wrong verdict":            `failed: NON_COMPLIANT, where COMPLIANT is expected; it says "it was looked at"`,
		"wrong annotation":         `failed: the annotation is "it was looked at", where "other" is expected`,
		"failing":                  "failed: the function failed: KeyError: 'status'",
		"silent and should not be": "failed: it reported nothing, where COMPLIANT is expected",
		"on another one":           "failed: nothing was reported on AWS::S3::Bucket b",
	})
	if here, expected := got["failing"].Causes, got["an error"].Causes; len(here) != 1 || len(expected) != 0 {
		t.Errorf("the failure stands at %v; that which is expected at %v", here, expected)
	}
	for _, want := range []string{"told of ConfigurationItemChangeNotification", "rule.py\", line 22"} {
		if c := got["failing"]; !strings.Contains(c.Detail, want) {
			t.Errorf("%q is not in\n%s", want, c.Detail)
		}
	}
	if got["failing"].Line != 20 {
		t.Errorf("the line is %d", got["failing"].Line)
	}
}

func TestCoverageTellsWhatTheTestsLeaveOut(t *testing.T) {
	lambdatest.NeedBoto3(t)
	dir := folder(t, map[string]string{"rule.py": function, "plumb-test.yaml": `
types: [AWS::S3::Bucket]
tests:
  - {name: complies, item: {configuration: {status: Enabled}}, compliance: COMPLIANT}
  - {name: an error, item: {configuration: {}}, error: "KeyError: 'status'"}
`})
	c := &coverage.Coverage{}
	o := ruletest.Options{Settings: settings.Default(), Coverage: c}
	suites, err := ruletest.Collect([]string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range ruletest.Run(t.Context(), suites, o) {
		if one.Status != report.Passed {
			t.Errorf("%s: %s\n%s", one.Name, one.Message, one.Detail)
		}
	}
	var b strings.Builder
	if err := c.Text(&b, filepath.Base); err != nil {
		t.Fatal(err)
	}
	// The schedule and the oversized event are not tested, and nobody asks for silence.
	for _, want := range []string{"coverage rule.py: ", "; not run: 12-13, 16-18, 25; one way only: 11, 15, 24\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in %s", want, b.String())
		}
	}
}

func TestCoverageOfNodeNeedsNoSDK(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("this machine has no node")
	}
	dir := folder(t, map[string]string{"index.mjs": `export const handler = async (event) => {
  const item = JSON.parse(event.invokingEvent).configurationItem
  if (item.resourceId === 'a') {
    return 'first'
  } else if (item.resourceId === 'b') {
    return 'second'
  }
  return 'third'
}
`, "plumb-test.yaml": `
types: [AWS::S3::Bucket]
tests:
  - {name: a, item: {resourceId: a}, compliance: NONE}
  - {name: c, item: {resourceId: c}, compliance: NONE}
`})
	c := &coverage.Coverage{}
	o := ruletest.Options{Settings: settings.Default(), Coverage: c}
	suites, err := ruletest.Collect([]string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t.Context(), suites, o)
	var b strings.Builder
	if err := c.Text(&b, filepath.Base); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "coverage index.mjs: ") || !strings.Contains(got, "not run: 6") {
		t.Error(got)
	}
}

func TestSetupIsThereForOneTestAlone(t *testing.T) {
	lambdatest.NeedBoto3(t)
	const code = `import json
import boto3

def lambda_handler(event, context):
    users = boto3.client('iam').list_users()['Users']
    at = json.loads(event['invokingEvent'])['notificationCreationTime']
    verdicts = [('AWS::IAM::User', u['UserId'], 'NON_COMPLIANT') for u in users] or [('AWS::::Account', event['accountId'], 'COMPLIANT')]
    boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': t, 'ComplianceResourceId': i, 'ComplianceType': c, 'OrderingTimestamp': at} for t, i, c in verdicts])
`
	dir := folder(t, map[string]string{"rule.py": code, "plumb-test.yaml": `
schedule: One_Hour
tests:
  - name: two users
    setup:
      - {call: iam CreateUser, input: {UserName: alice}, as: alice}
      - {call: iam CreateUser, input: {UserName: "${alice.User.UserName}-too"}, as: other}
    verdicts: {"AWS::IAM::User ${alice.User.UserId}": NON_COMPLIANT, "AWS::IAM::User ${other.User.UserId}": NON_COMPLIANT}
  - {name: nobody is left, verdicts: {"AWS::::Account 123456789012": COMPLIANT}}
  - {name: refused, setup: [{call: iam CreateUser, input: {}}], verdicts: {"A::B::C d": COMPLIANT}}
  - {name: unknown, setup: [{call: iam MakeUser}], verdicts: {"A::B::C d": COMPLIANT}}
  - {name: and still nobody, verdicts: {"AWS::::Account 123456789012": COMPLIANT}}
`})
	expect(t, run(t, dir), map[string]string{
		"two users": "passed", "nobody is left": "passed", "refused": "broken: setup in line 10", "unknown": "broken: setup in line 11", "and still nobody": "passed",
	})
}

func TestFunctionThatCannotStartIsToldOnce(t *testing.T) {
	lambdatest.NeedBoto3(t)
	dir := folder(t, map[string]string{"rule.py": "def lambda_handler(event, context):\n    x = = 1\n", "plumb-test.yaml": `
tests:
  - {name: first, item: {resourceType: AWS::S3::Bucket}, compliance: COMPLIANT}
  - {name: second, item: {resourceType: AWS::S3::Bucket}, compliance: COMPLIANT}
  - {name: expected, item: {resourceType: AWS::S3::Bucket}, error: UserCodeSyntaxError}
`})
	got := run(t, dir)
	if at := got["first"].Causes; len(at) != 1 || filepath.Base(at[0].Path) != "rule.py" || at[0].Line != 2 {
		t.Errorf("the cause is %+v", at)
	}
	expect(t, got, map[string]string{
		"first": "broken: the function cannot start: Runtime.UserCodeSyntaxError", "second": "broken: as above", "expected": "broken: as above",
	})
}

func TestProgramThatDoesNotBuildIsToldOnce(t *testing.T) {
	if exec.Command("go", "version").Run() != nil {
		t.Skip("this machine has no go")
	}
	dir := folder(t, map[string]string{"go.mod": "module mine\n", "main.go": "package main\n\nfunc main() { undefined() }\n", "plumb-test.yaml": `
tests:
  - {name: first, item: {resourceType: AWS::S3::Bucket}, compliance: COMPLIANT}
  - {name: second, item: {resourceType: AWS::S3::Bucket}, compliance: COMPLIANT}
`})
	got := run(t, dir)
	if at := got["first"].Causes; len(at) != 1 || filepath.Base(at[0].Path) != "main.go" || at[0].Line != 3 || at[0].Message != "undefined: undefined" || !got["second"].Follows {
		t.Errorf("the cause is %+v", at)
	}
	expect(t, got, map[string]string{"first": "broken: main.go:3:15: undefined: undefined", "second": "broken: cannot be packed, as above"})
}

const policy = `rule versioned when resourceType == "AWS::S3::Bucket" {
  configuration.status == CONFIG_RULE_PARAMETERS.status
}
`

func TestPoliciesRunWithTheirTrialsAndWithItems(t *testing.T) {
	dir := folder(t, map[string]string{
		"a/versioned.guard": policy,
		"a/versioned_tests.yaml": `
- {name: on, input: {resourceType: "AWS::S3::Bucket", configuration: {status: on}, CONFIG_RULE_PARAMETERS: {status: on}}, expectations: {rules: {versioned: PASS}}}
- {name: off, input: {resourceType: "AWS::S3::Bucket", configuration: {status: off}, CONFIG_RULE_PARAMETERS: {status: on}}, expectations: {rules: {versioned: PASS, other: PASS}}}
`,
		"b/versioned.guard": policy,
		"b/plumb-test.yaml": `
types: [AWS::S3::Bucket]
parameters: {status: "on"}
tests:
  - {name: item on, item: {configuration: {status: "on"}}, compliance: COMPLIANT}
  - {name: item off, item: {configuration: {status: "off"}}, compliance: NON_COMPLIANT, annotation: "Failed rules: versioned"}
  - {name: other type, item: {resourceType: AWS::EC2::VPC, configuration: {}}, compliance: NOT_APPLICABLE}
  - {name: gone, event: deleted, item: {configuration: {status: "off"}}, compliance: NOT_APPLICABLE}
`,
		"c/untested.guard":   policy,
		"d/broken.guard":     "rule a {\n  b == \n}",
		"d/broken_test.yaml": "[]",
	})
	expect(t, run(t, dir), map[string]string{
		"on": "passed", "off": "failed: versioned is FAIL, where PASS is expected; there is no rule other",
		"item on": "passed", "item off": "passed", "other type": "passed", "gone": "passed",
		"tests": "skipped: no tests beside it", "broken.guard": `broken: found "}"`,
	})
}

// What keeps a policy from being read is annotated where it stands, below the working
// folder, and once for all tests.
func TestPolicyThatCannotBeReadIsToldWhereItStands(t *testing.T) {
	top := folder(t, map[string]string{
		"rules/a/p.guard":         "rule a {\n  b == \n}",
		"rules/a/plumb-test.yaml": "types: [AWS::S3::Bucket]\ntests:\n  - {name: one, item: {}, compliance: COMPLIANT}\n  - {name: two, item: {}, compliance: COMPLIANT}\n",
	})
	t.Chdir(top)
	cases := run(t, "rules")
	one := cases["one"]
	if len(one.Causes) != 1 || one.Causes[0].Path != "rules/a/p.guard" || one.Causes[0].Line != 3 || !strings.HasPrefix(one.Causes[0].Message, `found "}"`) {
		t.Errorf("the causes are %+v", one.Causes)
	}
	if !strings.HasPrefix(one.Message, "rules/a/p.guard:3:1: ") {
		t.Errorf("it says %s", one.Message)
	}
	if two := cases["two"]; two.Status != report.Broken || !two.Follows {
		t.Errorf("the second test tells it again: %+v", two)
	}
}

// A misspelled type would never be met, so that its tests would pass and its rule look at nothing.
func TestTypeThatIsNotThereIsRefusedWhereverItIsWritten(t *testing.T) {
	const policy = "rule owned when resourceType == \"AWS::S3::Buckett\" { tags.owner exists }\n"
	for name, files := range map[string]map[string]string{
		"p.guard":           {"p.guard": policy, "p_tests.yaml": "- name: a\n  input: {resourceType: AWS::S3::Bucket}\n  expectations: {rules: {owned: SKIP}}\n"},
		"p_tests.yaml":      {"p.guard": "rule owned { tags.owner exists }\n", "p_tests.yaml": "- name: a\n  input: {resourceType: AWS::S3::Buckett}\n  expectations: {rules: {owned: FAIL}}\n"},
		"rule.guard":        {"rule.guard": policy, "plumb-test.yaml": "types: [AWS::S3::Bucket]\ntests:\n  - {name: a, item: {}, compliance: NOT_APPLICABLE}\n"},
		"plumb-test.yaml":   {"rule.guard": "rule owned { tags.owner exists }\n", "plumb-test.yaml": "types: [AWS::S3::Buckett]\ntests:\n  - {name: a, item: {}, compliance: NON_COMPLIANT}\n"},
		"x.yaml":            {"x.yaml": "identifier: X\ndescription: X.\nresources: [AWS::S3::Buckett]\ntrigger: change\ncheck: \"true\"\nexamples: [{name: a, item: {}, compliance: COMPLIANT}]\n"},
		"y.plumb-test.yaml": {"rule.guard": "rule owned { tags.owner exists }\n", "y.plumb-test.yaml": "rule: rule.guard\ntests:\n  - {name: a, item: {resourceType: AWS::S3::Buckett}, compliance: NON_COMPLIANT}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			refused := false
			for _, c := range run(t, folder(t, files)) {
				refused = refused || c.Status == report.Broken && filepath.Base(c.Path) == name && c.Message == "AWS Config has no resource type AWS::S3::Buckett; is AWS::S3::Bucket meant?"
			}
			if !refused {
				t.Errorf("not refused: %v", run(t, folder(t, files)))
			}
		})
	}
}

func TestPolicyThatGivesAnotherVerdictSaysWhy(t *testing.T) {
	got := run(t, folder(t, map[string]string{"rule.guard": "rule owned { tags.owner exists <<Who pays?>> }\n", "plumb-test.yaml": `
types: [AWS::S3::Bucket]
tests:
  - {name: lost, item: {}, compliance: COMPLIANT}
`}))
	if c := got["lost"]; c.Status != report.Failed || !strings.HasPrefix(c.Detail, "Who pays? (tags.owner EXISTS: ") {
		t.Errorf("got %+v", c)
	}
}

func TestRuleFilesRunTheirExamplesAndItems(t *testing.T) {
	text, err := os.ReadFile("../../rules/encrypted-volumes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "compliance: NOT_APPLICABLE", "compliance: COMPLIANT", 1)
	dir := folder(t, map[string]string{"a/mine.yaml": wrong, "a/other.yaml": "not: a rule\n", "b/bad.yaml": "identifier: X\ncheck: \"1 +\"\n"})
	got := run(t, dir)
	if c := got["not attached"]; c.Status != report.Failed || c.Message != "NOT_APPLICABLE, where COMPLIANT is expected" || c.Line == 0 {
		t.Errorf("%+v", c)
	}
	if c := got["NOT_APPLICABLE"]; c.Status != report.Skipped {
		t.Errorf("%+v", c)
	}
	if c := got["read"]; c.Status != report.Broken || c.Line != 1 {
		t.Errorf("%+v", c)
	}
}

func TestFolderOfTheRuleDevelopmentKitWithoutTestsIsSkipped(t *testing.T) {
	dir := folder(t, map[string]string{"R/parameters.json": `{"Parameters": {"RuleName": "R"}}`, "R/R.py": "def lambda_handler(e, c):\n    pass\n"})
	expect(t, run(t, dir), map[string]string{"tests": "skipped: no plumb-test.yaml"})
}

func TestFileThatIsWrongSaysEverythingWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"":          ":1: the file is empty",
		"tests: []": ":1: tests is a list",
		"test: [a]": `:1: unknown key "test"`,
		"rule: none\ntests: [{name: a, item: {}, compliance: COMPLIANT}]":                                   ":1: stat",
		"schedule: Daily\ntests: [{name: a, compliance: COMPLIANT}]":                                        `:1: schedule "Daily" is none of`,
		"tests:\n  - {name: a, item: {resourceType: A::B::C}}":                                              ":2: the test a expects nothing",
		"tests:\n  - {name: a, compliance: COMPLIANT}":                                                      ":2: a test with the event change needs an item",
		"tests:\n  - {name: a, event: late, compliance: COMPLIANT}":                                         `:2: event "late" is none of`,
		"tests:\n  - {name: a, event: scheduled, item: {resourceType: A::B::C}, compliance: COMPLIANT}":     ":2: a scheduled event has no item",
		"tests:\n  - {name: a, item: {resourcetype: x}, compliance: GOOD}":                                  `:2: an item has no member "resourcetype"`,
		"tests:\n  - {name: a, item: {resourceType: A::B::C}, setup: [{call: iam}], compliance: COMPLIANT}": ":2: a call of setup is SERVICE OPERATION",
		"tests:\n  - {name: a, item: {resourceType: A::B::C}, setup: {call: iam A}, compliance: COMPLIANT}": ":2: setup is a list",
		"tests:\n  - {item: none.json, verdicts: {a: COMPLIANT}}":                                           ":2: verdicts are by",
	} {
		dir := folder(t, map[string]string{"rule.py": "def handler(e, c):\n    pass\n", "plumb-test.yaml": text})
		_, err := ruletest.ReadFile(filepath.Join(dir, "plumb-test.yaml"), "")
		if err == nil || !strings.Contains(err.Error(), "plumb-test.yaml"+want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestARuleThatIsWrongIsNotToldOnceMoreForEachTest(t *testing.T) {
	dir := folder(t, map[string]string{"plumb-test.yaml": "rule: none\ntests:\n  - {name: a, item: {}, compliance: COMPLIANT}\n  - {name: b, item: {}, compliance: COMPLIANT}\n"})
	if _, err := ruletest.ReadFile(filepath.Join(dir, "plumb-test.yaml"), ""); err == nil || strings.Contains(err.Error(), "resourceType") {
		t.Errorf("got %v", err)
	}
}

func TestPathWithoutTestsIsRefused(t *testing.T) {
	dir := folder(t, map[string]string{"a.txt": "x"})
	for _, path := range []string{filepath.Join(dir, "a.txt"), filepath.Join(dir, "none")} {
		if _, err := ruletest.Collect([]string{path}, ruletest.Options{}); err == nil {
			t.Errorf("%s has tests", path)
		}
	}
}
