package ruledev

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/lambda/lambdatest"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// A desk is a session on a folder, with what it prints.
type desk struct {
	*testing.T
	Session
	out bytes.Buffer
}

func newDesk(t *testing.T, files map[string]string) *desk {
	t.Helper()
	d := &desk{T: t}
	d.Session = Session{Folder: t.TempDir(), Out: &d.out, Limit: 10, Managed: managed.Load}
	var bench *rulebench.Bench
	d.Bench = func(ctx context.Context) (_ *rulebench.Bench, err error) {
		if bench == nil {
			bench, err = rulebench.Start(ctx, slog.New(slog.DiscardHandler), rulebench.Options{Settings: settings.Default()})
		}
		return bench, err
	}
	t.Cleanup(func() {
		if bench != nil {
			bench.Close()
		}
	})
	for name, text := range files {
		d.save(name, text)
	}
	return d
}

func (d *desk) save(name, text string) {
	d.Helper()
	path := filepath.Join(d.Folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// shows runs a round and looks for texts in what it prints.
func (d *desk) shows(want ...string) {
	d.Helper()
	d.out.Reset()
	if err := d.Round(d.Context()); err != nil {
		d.Fatal(err)
	}
	d.printed(want...)
}

func (d *desk) printed(want ...string) {
	d.Helper()
	for _, w := range want {
		if !strings.Contains(d.out.String(), w) {
			d.Errorf("%q is not in\n%s", w, d.out.String())
		}
	}
}

const (
	on  = `{"resourceType": "AWS::S3::Bucket", "resourceId": "on", "configuration": {"status": "on"}}`
	off = `{"resourceType": "AWS::S3::Bucket", "resourceId": "off", "configuration": {"status": "off"}}`
	bad = `{"resourceType": "AWS::S3::Bucket", "resourceId": "bad", "configuration": {}}`
)

const function = `import json, boto3
config = boto3.client('config')
def lambda_handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    print('looking at', item['resourceId'])
    verdict = 'COMPLIANT' if item['configuration']['status'] == 'on' else 'NON_COMPLIANT'
    config.put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'], 'ComplianceResourceId': item['resourceId'], 'ComplianceType': verdict,
        'Annotation': 'it is ' + item['configuration']['status'], 'OrderingTimestamp': item['configurationItemCaptureTime']}])
`

func TestFunctionIsEvaluatedOnFixturesAndAgainWhenItIsSaved(t *testing.T) {
	lambdatest.NeedBoto3(t)
	d := newDesk(t, map[string]string{"rule.py": function, "fixtures/on.json": on, "fixtures/off.json": off, "fixtures/bad.json": bad})
	d.shows("AWS::S3::Bucket on  COMPLIANT  it is on\n", "AWS::S3::Bucket off  NON_COMPLIANT  it is off\n      looking at off\n",
		"AWS::S3::Bucket bad  error  KeyError: 'status'\n      looking at bad\n", `rule.py", line 6, in lambda_handler`, "3 looked at")
	d.save("rule.py", strings.Replace(function, "== 'on'", "= 'on'", 1))
	d.shows("Runtime.UserCodeSyntaxError", "rule.py")
	if n := strings.Count(d.out.String(), "UserCodeSyntaxError"); n != 1 {
		t.Errorf("a function that cannot start is shown %d times:\n%s", n, d.out.String())
	}
	d.save("rule.py", strings.Replace(function, "== 'on'", "== 'off'", 1))
	d.shows("AWS::S3::Bucket on  NON_COMPLIANT", "AWS::S3::Bucket off  COMPLIANT")
	d.save("rule.py", "def lambda_handler(event, context):\n    pass\n")
	d.shows("AWS::S3::Bucket on  no verdict  the function ended without PutEvaluations")
}

func TestSetupOfATestIsThereForItAlone(t *testing.T) {
	lambdatest.NeedBoto3(t)
	const code = `import json, boto3
def lambda_handler(event, context):
    at = json.loads(event['invokingEvent'])['notificationCreationTime']
    for user in boto3.client('iam').list_users()['Users']:
        boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
            'ComplianceResourceType': 'AWS::IAM::User', 'ComplianceResourceId': user['UserId'], 'ComplianceType': 'NON_COMPLIANT', 'OrderingTimestamp': at}])
`
	d := newDesk(t, map[string]string{"rule.py": code, "plumb-test.yaml": `
schedule: One_Hour
tests:
  - {name: a user, setup: [{call: iam CreateUser, input: {UserName: bob}, as: bob}], verdicts: {"AWS::IAM::User ${bob.User.UserId}": NON_COMPLIANT}}
  - {name: nobody, compliance: NONE}
  - {name: refused, setup: [{call: iam CreateUser, input: {}}], compliance: NONE}
  - {name: nobody again, compliance: NONE}
`})
	for range 2 {
		d.shows("a user  AWS::IAM::User A", "  NON_COMPLIANT", "nobody  no verdict", "refused  error  setup in line 6", "nobody again  no verdict", "4 looked at")
		if n := strings.Count(d.out.String(), "the test fails"); n != 1 {
			t.Errorf("%d tests fail, and one is wrong:\n%s", n, d.out.String())
		}
	}
}

const policy = `rule versioned when resourceType == "AWS::S3::Bucket" {
  configuration.status == "on" <<turn it on>>
}
`

func TestPolicySaysWhichClauseDecided(t *testing.T) {
	d := newDesk(t, map[string]string{"p.guard": policy, "fixtures/on.json": on, "fixtures/off.yaml": off})
	d.shows("p (policy)", "AWS::S3::Bucket on  COMPLIANT", "AWS::S3::Bucket off  NON_COMPLIANT  Failed rules: versioned",
		`turn it on (configuration.status EQUALS "on": found "off" at /configuration/status)`)
	d.save("p.guard", "rule a {\n  b == \n}")
	d.shows(`p.guard:3:1: found "}"`)
}

func TestTestsOfAFolderAreEvaluatedWithTheirParameters(t *testing.T) {
	d := newDesk(t, map[string]string{
		"p.guard": strings.Replace(policy, `== "on"`, "== CONFIG_RULE_PARAMETERS.status", 1),
		"plumb-test.yaml": "types: [AWS::S3::Bucket]\nparameters: {status: \"on\"}\ntests:\n  - {name: first, item: {configuration: {status: \"on\"}}, compliance: COMPLIANT}\n" +
			"  - {name: second, parameters: {status: \"off\"}, item: {configuration: {status: \"off\"}}, compliance: NON_COMPLIANT}\n",
	})
	d.shows("first  COMPLIANT", "second  COMPLIANT", "the test fails: COMPLIANT, where NON_COMPLIANT is expected")
}

func TestRuleFileIsEvaluatedOnItsExamples(t *testing.T) {
	text, err := os.ReadFile("../../rules/encrypted-volumes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, map[string]string{"mine.yaml": string(text)})
	d.shows("mine (catalogue)", "attached and not encrypted  NON_COMPLIANT", "configuration.encrypted = false", "8 looked at")
	if strings.Contains(d.out.String(), "the test fails") {
		t.Errorf("an example fails:\n%s", d.out.String())
	}
	d.save("mine.yaml", strings.Replace(string(text), "check: ", "check: )", 1))
	d.shows("mine.yaml:")
}

func TestFolderWithNothingToLookAtSaysWhatToDo(t *testing.T) {
	newDesk(t, map[string]string{"p.guard": policy}).shows("nothing to look at", "fixtures", "--endpoint")
	broken := newDesk(t, map[string]string{"p.guard": "rule p { tags exists"})
	broken.shows("p.guard:1")
	if !broken.Broken {
		t.Error("a policy that cannot be read is not broken, for want of items")
	}
	d := newDesk(t, map[string]string{"p.guard": policy, "plumb-test.yaml": "types: [AWS::S3::Bucket]\ntests:\n  - {name: a, item: {}, compliance: COMPLIANT}\n"})
	d.Running = true
	d.shows("p has nothing to look at: the server has recorded nothing of AWS::S3::Bucket; without --endpoint")
	if err := newDesk(t, nil).Round(t.Context()); err == nil || !strings.Contains(err.Error(), "holds no rule") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestSaveOfCodeElsewhereIsNoticed(t *testing.T) {
	lambdatest.NeedBoto3(t)
	d := newDesk(t, map[string]string{"rule/fixtures/on.json": on, "src/rule.py": function, "rule/main.tf": `
data "archive_file" "code" {
  source_file = "${path.module}/../src/rule.py"
  output_path = "code.zip"
}
resource "aws_lambda_function" "f" {
  filename = "code.zip"
  handler  = "rule.lambda_handler"
  runtime  = "python3.12"
}
resource "aws_config_config_rule" "r" {
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.f.arn
  }
}
`})
	top := d.Folder
	d.Session.Folder = filepath.Join(top, "rule")
	ctx, cancel := context.WithCancel(t.Context())
	tick := make(chan time.Time)
	ended := make(chan error)
	go func() { ended <- d.watch(ctx, tick) }()
	wait := func() { tick <- time.Time{} }
	wait()
	d.printed("on  COMPLIANT")
	d.out.Reset()
	wait()
	wait()
	if d.out.Len() > 0 {
		t.Errorf("it was evaluated without a save:\n%s", d.out.String())
	}
	if err := os.WriteFile(filepath.Join(top, "src", "rule.py"), []byte(strings.Replace(function, "== 'on'", "== 'off'", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	wait()
	wait()
	d.printed("on  NON_COMPLIANT")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSaveIsNoticedAndNothingElseIs(t *testing.T) {
	d := newDesk(t, map[string]string{"p.guard": policy, "fixtures/on.json": on})
	ctx, cancel := context.WithCancel(t.Context())
	tick := make(chan time.Time)
	ended := make(chan error)
	go func() { ended <- d.watch(ctx, tick) }()
	wait := func() { tick <- time.Time{} } // the round before it has ended when this is taken
	wait()
	d.printed("on  COMPLIANT")
	d.out.Reset()
	wait()
	wait()
	if d.out.Len() > 0 {
		t.Errorf("it was evaluated without a save:\n%s", d.out.String())
	}
	d.save("p.guard", strings.ReplaceAll(policy, `"on"`, `"never"`))
	wait()
	wait()
	d.printed("on  NON_COMPLIANT")
	d.out.Reset()
	d.save("p.guard", "nonsense {")
	wait()
	wait()
	d.printed("p.guard:1:")
	d.save("fixtures/on.json", "{")
	wait()
	wait()
	d.printed("on.json")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
