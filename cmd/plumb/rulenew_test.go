package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/config"
)

// needs is what a machine must have to run rules of a language, as a command that
// ends well; nil is nothing.
var needs = map[string][]string{
	"python": {"python3", "-c", "import boto3"},
	"node":   {"sh", "-c", `ls "${PLUMB_NODE_PATH:-$(npm root -g)}"/@aws-sdk/client-config-service`},
	"go":     {"go", "mod", "download", "github.com/aws/aws-lambda-go@v1.54.0"},
	"guard":  nil,
	"cel":    nil,
}

func TestNewRulePassesItsFirstTests(t *testing.T) {
	for language, need := range needs {
		t.Run(language, func(t *testing.T) {
			if need != nil && exec.Command(need[0], need[1:]...).Run() != nil {
				t.Skipf("this machine has not what rules in %s need", language)
			}
			inFolder(t, nil)
			code, out, errs := plumb(t, "rule", "new", "my-rule", "--language", language, "--type", "AWS::EC2::Instance")
			if code != 0 || !strings.Contains(out, "plumb rule test my-rule\n") {
				t.Fatalf("code %d: %s%s", code, out, errs)
			}
			code, out, errs = plumb(t, "rule", "test", "my-rule")
			if code != 0 || !strings.Contains(out, "passed") || strings.Contains(out, "skipped") {
				t.Errorf("code %d: %s%s", code, out, errs)
			}
		})
	}
}

func TestAuthorOfARuleThatOutgrowsItsMemoryIsToldSo(t *testing.T) {
	if need := needs["python"]; exec.Command(need[0], need[1:]...).Run() != nil {
		t.Skip("this machine has not what rules in Python need")
	}
	inFolder(t, nil)
	if code, out, errs := plumb(t, "rule", "new", "eater", "--type", "AWS::S3::Bucket"); code != 0 {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	edit(t, "eater/rule.py", "def lambda_handler(event, context):\n", "def lambda_handler(event, context):\n    kept = [bytearray(8 << 20) for i in range(300)]\n")
	for _, command := range []string{"test", "dev"} {
		_, out, errs := plumb(t, "rule", command, "eater")
		if !strings.Contains(out, "signal: killed: the function needs more than its memory of ") {
			t.Errorf("rule %s: %s%s", command, out, errs)
		}
	}
}

func TestItemSampleIsAFixtureForATest(t *testing.T) {
	code, out, errs := plumb(t, "item", "sample", "AWS::S3::Bucket")
	var it config.Item
	if err := json.Unmarshal([]byte(out), &it); code != 0 || err != nil || it.Type != "AWS::S3::Bucket" || it.ID == "" {
		t.Fatalf("code %d, %v: %s%s", code, err, out, errs)
	}
	inFolder(t, map[string]string{
		"bucket.json": out, "rule.guard": `rule named when resourceType == "AWS::S3::Bucket" { configuration.name exists }` + "\n",
		"plumb-test.yaml": "tests:\n  - {name: sample, item: bucket.json, compliance: COMPLIANT}\n",
	})
	if code, out, errs := plumb(t, "rule", "test", "."); code != 0 {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if code, _, errs := plumb(t, "item", "sample", "AWS::S3::Buckets"); code != 1 || !strings.Contains(errs, "AWS::S3::Bucket") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// judged is a server with a bucket, a managed rule, a policy and a function.
func judged(t *testing.T) *apptest.Plumb {
	t.Helper()
	p := apptest.Start(t)
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: aws.String("AWS::EC2::Volume"), ResourceId: aws.String("vol-0a1b2c3d"), ResourceName: aws.String("payments"), SchemaVersionId: aws.String("1"),
		Configuration: aws.String(`{"configuration": {"encrypted": false, "attachments": [{"state": "attached"}], "state": {"value": "in-use"}}, "resourceType": "AWS::EC2::Volume", "resourceId": "vol-0a1b2c3d", "awsAccountId": "123456789012", "awsRegion": "us-east-1", "configurationItemStatus": "OK"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.PutFunction(t.Context(), "told", "index.handler", nil); err != nil {
		t.Log(err)
	}
	for _, r := range []types.ConfigRule{
		{ConfigRuleName: aws.String("volumes"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String("ENCRYPTED_VOLUMES")}},
		{ConfigRuleName: aws.String("policy"), Source: &types.Source{
			Owner: types.OwnerCustomPolicy, SourceDetails: []types.SourceDetail{{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification}},
			CustomPolicyDetails: &types.CustomPolicyDetails{PolicyRuntime: aws.String("guard-2.x.x"), PolicyText: aws.String("rule encrypted { configuration.encrypted == true <<encrypt it>> }")},
		}, Scope: &types.Scope{ComplianceResourceTypes: []string{"AWS::EC2::Volume"}}},
	} {
		if _, err := p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &r}); err != nil {
			t.Fatal(err)
		}
	}
	p.Drain(t)
	return p
}

func TestWhySaysWhatDecided(t *testing.T) {
	p := judged(t)
	for rule, want := range map[string][]string{
		"volumes": {"volumes says of AWS::EC2::Volume vol-0a1b2c3d: NON_COMPLIANT", "The volume is not encrypted.", "check: configuration.encrypted == true", "configuration.encrypted = false"},
		"policy":  {"NON_COMPLIANT", "Failed rules: encrypted", `encrypt it (configuration.encrypted EQUALS true: found false at /configuration/encrypted)`},
	} {
		for _, resource := range []string{"vol-0a1b2c3d", "payments", "AWS::EC2::Volume/vol-0a1b2c3d"} {
			code, out, errs := plumb(t, "why", rule, resource, "--endpoint", p.URL())
			for _, w := range want {
				if code != 0 || !strings.Contains(out, w) {
					t.Errorf("%s on %s: code %d: %q is not in\n%s%s", rule, resource, code, w, out, errs)
				}
			}
		}
	}
	for says, args := range map[string][]string{"no recorded resource has the id or name": {"volumes", "none"}, "none' provided in the request is invalid": {"none", "payments"}} {
		if code, _, errs := plumb(t, append([]string{"why", "--endpoint", p.URL()}, args...)...); code != 1 || !strings.Contains(errs, says) {
			t.Errorf("%v: code %d: %s", args, code, errs)
		}
	}
}

func TestRuleRunEvaluatesAgainAndItemCaptureHidesTheOwner(t *testing.T) {
	p := judged(t)
	for _, args := range [][]string{{"volumes"}, {"volumes", "payments"}} {
		code, out, errs := plumb(t, append([]string{"rule", "run", "--endpoint", p.URL()}, args...)...)
		if code != 0 || !strings.Contains(out, "AWS::EC2::Volume vol-0a1b2c3d  NON_COMPLIANT  The volume is not encrypted.") {
			t.Errorf("%v: code %d: %s%s", args, code, out, errs)
		}
	}
	code, out, errs := plumb(t, "item", "capture", "payments", "--endpoint", p.URL())
	if code != 0 || strings.Contains(out, "payments") || strings.Contains(out, "0a1b2c3d") || !strings.Contains(out, `"resourceId": "vol-00000001"`) {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	if code, _, errs := plumb(t, "rule", "event", "volumes", "payments", "--endpoint", p.URL()); code != 1 || !strings.Contains(errs, "gets no events") {
		t.Errorf("code %d: %s", code, errs)
	}
}

func TestRuleEventIsWhatTheFunctionWouldGet(t *testing.T) {
	p := judged(t)
	inFolder(t, map[string]string{
		"rule.py":         "import json\ndef handler(event, context):\n    print('told of', json.loads(event['invokingEvent'])['messageType'])\n",
		"fixtures/a.json": `{"resourceType": "AWS::EC2::Volume", "resourceId": "vol-file"}`,
	})
	if code, out, errs := plumb(t, "rule", "dev", ".", "--endpoint", p.URL()); code != 0 {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	out, err := p.Config().DescribeConfigRules(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	for _, r := range out.ConfigRules {
		if r.Source.Owner == types.OwnerCustomLambda {
			name = *r.ConfigRuleName
		}
	}
	for says, args := range map[string][]string{
		`\"resourceId\":\"vol-0a1b2c3d\"`: {"payments"}, `\"resourceId\":\"vol-file\"`: {"--item", "fixtures/a.json"}, `ScheduledNotification`: nil,
		"OversizedConfigurationItemChangeNotification": {"payments", "--oversized"}, `"eventLeftScope": true`: {"payments", "--left-scope"},
	} {
		code, event, errs := plumb(t, append([]string{"rule", "event", name, "--endpoint", p.URL()}, args...)...)
		if code != 0 || !strings.Contains(event, says) || !strings.Contains(event, `"configRuleName": "`+name+`"`) || !json.Valid([]byte(event)) {
			t.Errorf("%v: code %d: %q is not in %s%s", args, code, says, event, errs)
		}
	}
}
