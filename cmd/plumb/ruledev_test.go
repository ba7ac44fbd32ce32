package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

func TestRuleDevEvaluatesUntilASignal(t *testing.T) {
	inFolder(t, map[string]string{
		"rule.guard": versionedGuard, "fixtures/off.yaml": "resourceType: AWS::S3::Bucket\nresourceId: logs\nconfiguration: {status: \"off\"}\n",
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w := &watcher{when: "AWS::S3::Bucket logs  NON_COMPLIANT", do: cancel}
	if code := run(ctx, []string{"rule", "dev", ".", "--watch"}, strings.NewReader(""), w, w); code != 0 || !strings.Contains(w.text.String(), w.when) {
		t.Errorf("code %d: %s", code, w.text.String())
	}
	if code, _, errs := plumb(t, "rule", "dev", "none"); code != exitBroken || !strings.Contains(errs, "no such file") {
		t.Errorf("code %d: %s", code, errs)
	}
}

func TestRuleDevEvaluatesWhatARunningServerRecorded(t *testing.T) {
	p := apptest.Start(t)
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: aws.String("logs"), SchemaVersionId: aws.String("1"),
		Configuration: aws.String(`{"name": "logs", "status": "off"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, map[string]string{
		"guard/rule.guard":      versionedGuard,
		"guard/plumb-test.yaml": "rule: rule.guard\ntypes: [AWS::S3::Bucket]\ntests:\n  - {name: off, item: {configuration: {status: 'off'}}, compliance: NON_COMPLIANT}\n",
		"python/rule.py":        "import json\ndef lambda_handler(event, context):\n    print('told of', json.loads(event['invokingEvent'])['configurationItem']['resourceId'])\n",
	})
	code, out, errs := plumb(t, "rule", "dev", "guard", "--endpoint", p.URL())
	if code != 0 || !strings.Contains(out, "AWS::S3::Bucket logs  NON_COMPLIANT") || !strings.Contains(out, "1 looked at") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = plumb(t, "rule", "dev", "python", "--endpoint", p.URL())
	if strings.Contains(out, "no python3") {
		t.Skip("this machine has no python3")
	}
	if code != 0 || !strings.Contains(out, "AWS::S3::Bucket logs  no verdict") || !strings.Contains(out, "told of logs") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// A rule that is put on a running server evaluates all that is recorded there: those
// verdicts are not the answers to what the loop asks.
func TestRuleDevIsNotMixedUpWithWhatTheServerDoes(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t)
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		_, err := p.Config().PutResourceConfig(t.Context(), &configservice.PutResourceConfigInput{
			ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: &id, SchemaVersionId: aws.String("1"), Configuration: aws.String(`{"status": "off"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	inFolder(t, map[string]string{"rule.py": `import json, boto3
def lambda_handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'], 'ComplianceResourceId': item['resourceId'],
        'ComplianceType': 'NON_COMPLIANT', 'OrderingTimestamp': item['configurationItemCaptureTime']}])
`})
	for range 3 { // the code is the same: what differs is what the server has done before
		code, out, errs := plumb(t, "rule", "dev", ".", "--endpoint", p.URL())
		for _, id := range []string{"a", "b", "c"} {
			if n := strings.Count(out, "AWS::S3::Bucket "+id+"  NON_COMPLIANT"); n != 1 {
				t.Errorf("%s is there %d times", id, n)
			}
		}
		if code != 0 || strings.Contains(out, "no verdict") {
			t.Errorf("code %d: %s%s", code, out, errs)
		}
	}
}

func TestRuleDevEndsAsItsTestsDo(t *testing.T) {
	inFolder(t, map[string]string{
		"rule.guard":      versionedGuard,
		"plumb-test.yaml": "rule: rule.guard\ntypes: [AWS::S3::Bucket]\ntests:\n  - {name: off, item: {configuration: {status: 'off'}}, compliance: COMPLIANT}\n",
	})
	if code, out, _ := plumb(t, "rule", "dev", "."); code != exitFailed {
		t.Errorf("code %d: %s", code, out)
	}
	for _, args := range [][]string{{"rule", "dev", ".", "--endpoint", "http://127.0.0.1:1"}, {"rule", "test"}, {"rule", "test", ".", "--junitt=x"}, {"check"}, {"check", "x", "--rul", "y"}} {
		if code, _, errs := plumb(t, args...); code != exitBroken || errs == "" {
			t.Errorf("%q ends with %d: %s", args, code, errs)
		}
	}
}
