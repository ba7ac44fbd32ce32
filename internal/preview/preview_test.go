package preview

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"plumb/internal/report"
	"plumb/internal/rule/managed"
	"plumb/internal/rulefile"
)

// check checks a file by managed rules and says "STATUS ADDRESS: message" of each
// rule and resource.
func check(t *testing.T, name string, text []byte, identifiers ...string) []string {
	t.Helper()
	c, err := managed.Load()
	if err != nil {
		t.Fatal(err)
	}
	var rules []Rule
	for _, identifier := range identifiers {
		r, err := ManagedRule(c, identifier, "")
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	file, err := Read(name, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := catalogue(t).Items(file.Resources)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range Check(file, rules, items) {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", one.Status, one.Name, one.Message), ": "))
	}
	return lines
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d cases, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, w) }) {
			t.Errorf("%q is not among\n%s", w, strings.Join(got, "\n"))
		}
	}
}

// plan is what Terraform's provider for AWS made of testdata/plan.tf.
func plan(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPlanIsCheckedAndWhatIsNotKnownIsSaid(t *testing.T) {
	expect(t, check(t, "plan.json", plan(t), "S3_BUCKET_VERSIONING_ENABLED"),
		"failed aws_s3_bucket.logs: NON_COMPLIANT: Versioning is Suspended", "failed aws_s3_bucket.other: NON_COMPLIANT",
		`passed aws_s3_bucket.many["a"]`, `passed aws_s3_bucket.many["b"]`)
	expect(t, check(t, "plan.json", plan(t), "INCOMING_SSH_DISABLED"),
		"failed aws_security_group.web: NON_COMPLIANT: Port 22", "failed aws_security_group.bare: NON_COMPLIANT: Port 22")
	expect(t, check(t, "plan.json", plan(t), "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", "RDS_INSTANCE_PUBLIC_ACCESS_CHECK", "RDS_MULTI_AZ_SUPPORT", "EC2_IMDSV2_CHECK"),
		"failed aws_iam_policy.all", "failed aws_db_instance.books", "skipped aws_db_instance.books: cannot be told: configuration.multiAZ is known only after it is applied",
		"passed aws_instance.web")
	expect(t, check(t, "plan.json", plan(t), "EC2_INSTANCE_PROFILE_ATTACHED", "SQS_QUEUE_NO_PUBLIC_ACCESS"),
		"skipped aws_instance.web: cannot be told: it reads configuration.iamInstanceProfile.arn, of which a planned aws_instance says nothing",
		"passed aws_sqs_queue.q")
}

func TestPartThatMayBelongToAnybodyLeavesNobodyKnown(t *testing.T) {
	const versioning = `{"address": "aws_s3_bucket_versioning.x", "mode": "managed", "type": "aws_s3_bucket_versioning", "change": {"actions": ["create"],
		"after": {"versioning_configuration": [{"status": "Enabled"}]}, "after_unknown": {"bucket": true}}}`
	const buckets = `{"address": "aws_s3_bucket.a", "mode": "managed", "type": "aws_s3_bucket", "change": {"actions": ["create"], "after": {"bucket": "a"}, "after_unknown": {"tags_all": true}}},
		{"address": "aws_s3_bucket.gone", "mode": "managed", "type": "aws_s3_bucket", "change": {"actions": ["delete"], "after": null}},
		{"address": "data.aws_s3_bucket.read", "mode": "data", "type": "aws_s3_bucket", "change": {"actions": ["read"], "after": {"bucket": "b"}}}`
	expect(t, check(t, "plan.json", []byte(`{"format_version": "1.2", "resource_changes": [`+buckets+`]}`), "S3_BUCKET_VERSIONING_ENABLED", "S3_BUCKET_TAGGED"),
		"failed aws_s3_bucket.a: NON_COMPLIANT", "failed aws_s3_bucket.a: NON_COMPLIANT")
	expect(t, check(t, "plan.json", []byte(`{"format_version": "1.2", "resource_changes": [`+buckets+`, `+versioning+`]}`), "S3_BUCKET_VERSIONING_ENABLED"),
		"skipped aws_s3_bucket.a: cannot be told: supplementaryConfiguration.BucketVersioningConfiguration is known only after")
}

func TestStatesAreReadInBothForms(t *testing.T) {
	for name, text := range map[string]string{
		"the file": `{"version": 4, "terraform_version": "1.9.0", "resources": [
			{"mode": "managed", "type": "aws_s3_bucket", "name": "a", "module": "module.m", "instances": [{"index_key": "x", "attributes": {"bucket": "a", "id": "a"}}, {"index_key": 1, "attributes": {"bucket": "b"}}]},
			{"mode": "managed", "type": "aws_s3_bucket_versioning", "name": "a", "instances": [{"attributes": {"bucket": "a", "versioning_configuration": [{"status": "Enabled"}]}}]}]}`,
		"as it is shown": `{"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {
			"resources": [{"address": "aws_s3_bucket_versioning.a", "mode": "managed", "type": "aws_s3_bucket_versioning", "values": {"bucket": "a", "versioning_configuration": [{"status": "Enabled"}]}}],
			"child_modules": [{"resources": [{"address": "module.m.aws_s3_bucket.a[\"x\"]", "mode": "managed", "type": "aws_s3_bucket", "values": {"bucket": "a"}},
				{"address": "module.m.aws_s3_bucket.a[1]", "mode": "managed", "type": "aws_s3_bucket", "values": {"bucket": "b"}}]}]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, check(t, "state.json", []byte(text), "S3_BUCKET_VERSIONING_ENABLED"), `passed module.m.aws_s3_bucket.a["x"]`, "failed module.m.aws_s3_bucket.a[1]")
		})
	}
}

const templateText = `Parameters:
  Open: {Type: String, Default: 0.0.0.0/0}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Suspended}}
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Logs, PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Logs.Arn}/*"}]}}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: web, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Ref Open}]}
  Topic: {Type: AWS::SNS::Topic}
  Thing: {Type: AWS::Written::Thing, Properties: {Name: x}}
`

func TestTemplateIsCheckedWithTheLinesOfItsResources(t *testing.T) {
	expect(t, check(t, "template.yaml", []byte(templateText), "S3_BUCKET_VERSIONING_ENABLED", "S3_BUCKET_PUBLIC_READ_PROHIBITED", "INCOMING_SSH_DISABLED", "SNS_ENCRYPTED_KMS"),
		"failed Logs: NON_COMPLIANT: Versioning is Suspended", "skipped Logs: cannot be told: supplementaryConfiguration.BucketPolicy is known only after",
		"failed Web: NON_COMPLIANT: Port 22", "failed Topic: NON_COMPLIANT")
	file, err := Read("template.yaml", []byte(templateText), Options{Parameters: map[string]string{"Open": "10.0.0.0/8"}})
	if err != nil || file.What != "template" {
		t.Fatalf("%+v, %v", file, err)
	}
	items, others, err := catalogue(t).Items(file.Resources)
	if err != nil || len(items) != 4 || len(others) != 0 || items[0].Line != 4 {
		t.Errorf("%d items, others %v, %v", len(items), others, err)
	}
}

// What a transform makes is checked, and what nobody makes here is named.
func TestServerlessTemplateIsCheckedBeforeItIsPackaged(t *testing.T) {
	const text = `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12}}
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  Code:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: index.handler, Role: !ImportValue role, Events: {Asked: {Type: Api, Properties: {Path: /, Method: get}}}}
`
	expect(t, check(t, "template.yaml", []byte(text), "LAMBDA_INSIDE_VPC"), "failed Code: NON_COMPLIANT")
	file, err := Read("template.yaml", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, others, err := catalogue(t).Items(file.Resources)
	if err != nil || len(others) != 1 || others[0].Kind != "AWS::Serverless::Api" {
		t.Errorf("others %v, %v", others, err)
	}
}

func TestPolicyThatReadsWhatIsNotKnownGivesNoVerdict(t *testing.T) {
	file, err := Read("plan.json", plan(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := catalogue(t).Items(file.Resources)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]report.Status{
		`configuration.engine == "postgres"`:                               report.Passed,
		`configuration.storageEncrypted == true`:                           report.Failed,
		`configuration.multiAZ == true`:                                    report.Skipped,
		`configuration.notThere exists`:                                    report.Skipped,
		`configuration.engine == "mysql" or configuration.multiAZ == true`: report.Skipped,
		"let n = count(configuration.kmsKeyId)\nrule p { %n == 1 }":        report.Skipped,
		"let n = count(configuration.engine)\nrule p { %n == 1 }":          report.Passed,
		`relationships !empty`:                                             report.Skipped,
	} {
		w := rulefile.Rule{Kind: rulefile.Policy, Name: "p", Path: "p.guard", Text: `rule p when resourceType == "AWS::RDS::DBInstance" { ` + text + ` }`}
		if strings.HasPrefix(text, "let ") {
			w.Text = strings.Replace(text, "rule p", `rule p when resourceType == "AWS::RDS::DBInstance"`, 1)
		}
		r, err := WrittenRule(nil, w)
		if err != nil {
			t.Fatal(err)
		}
		cases := Check(file, []Rule{r}, items)
		if len(cases) != 1 || cases[0].Status != want {
			t.Errorf("%s: %+v, want %s", text, cases, want)
		}
	}
}

func TestWhatTheAuthorOfAPolicySaysIsShown(t *testing.T) {
	file, err := Read("template.yaml", []byte(templateText), Options{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := catalogue(t).Items(file.Resources)
	if err != nil {
		t.Fatal(err)
	}
	r, err := WrittenRule(nil, rulefile.Rule{Kind: rulefile.Policy, Name: "p", Path: "p.guard", Text: "rule owned when resourceType == \"AWS::S3::Bucket\" {\n" +
		"  tags.owner exists <<Every bucket has an owner.\n    Ask the team.>>\n  tags.costs exists <<Somebody pays.>>\n}\n"})
	if err != nil {
		t.Fatal(err)
	}
	cases := Check(file, []Rule{r}, items)
	if len(cases) != 1 || cases[0].Message != "NON_COMPLIANT: Failed rules: owned: Every bucket has an owner. Ask the team. Somebody pays." ||
		!strings.Contains(cases[0].Detail, "Somebody pays. (tags.costs EXISTS: Could not find key costs") || strings.Contains(cases[0].Detail, "L:0") {
		t.Errorf("got %+v", cases)
	}
	wrong := rulefile.Rule{Kind: rulefile.Policy, Name: "p", Path: "p.guard", Text: `rule p when resourceType == "AWS::S3::Buckett" { tags exists }`}
	if _, err := WrittenRule(nil, wrong); err == nil || !strings.HasPrefix(err.Error(), "p.guard:1: AWS Config has no resource type AWS::S3::Buckett; is AWS::S3::Bucket meant?") {
		t.Errorf("a policy on a type that is not there: %v", err)
	}
}

func TestWhatIsNoFileOfTheseIsRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"a": 1}`: "neither a plan or state", `{"version": 3, "terraform_version": "0.11"}`: "version 4",
		"Parameters: {A: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}": "--parameter A=VALUE", "Resources: [": "f:",
	} {
		if _, err := Read("f", []byte(text), Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestEveryFileOfAPartNamesWhatIsPlanned(t *testing.T) {
	c := catalogue(t)
	for of, f := range c.forms {
		if f.PartOf == nil {
			continue
		}
		for _, whole := range f.PartOf.Types {
			if w := c.forms[whole]; w == nil || w.PartOf != nil {
				t.Errorf("%s is a part of %s, which has no file", of, whole)
			}
		}
	}
}

func TestBrokenPlanIsToldAsJSONAndAFunctionIsNotRun(t *testing.T) {
	if _, err := Read("plan.json", []byte("{\n  \"resource_changes\": [\n"), Options{}); err == nil || !strings.HasPrefix(err.Error(), "plan.json: line 3: JSON not well-formed: ") {
		t.Errorf("got %v", err)
	}
	_, err := WrittenRule(nil, rulefile.Rule{Kind: rulefile.Function, Name: "f", Path: "rules/f"})
	if err == nil || !strings.HasPrefix(err.Error(), "rules/f: a function is not run") {
		t.Errorf("got %v", err)
	}
}
