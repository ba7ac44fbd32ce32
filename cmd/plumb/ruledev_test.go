package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
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
	if code, _, errs := plumb(t, "rule", "dev", "none"); code != 1 || !strings.Contains(errs, "no such file") {
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
		"guard/rule.guard": versionedGuard,
		"python/rule.py":   "import json\ndef lambda_handler(event, context):\n    print('told of', json.loads(event['invokingEvent'])['configurationItem']['resourceId'])\n",
	})
	code, out, errs := plumb(t, "rule", "dev", "guard", "--endpoint", p.URL())
	if code != 0 || !strings.Contains(out, "AWS::S3::Bucket logs  NON_COMPLIANT") {
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
