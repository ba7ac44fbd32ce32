package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"plumb/internal/policy"
)

func TestIAMPolicyIsADocumentThatAllowsWhatATypeNeeds(t *testing.T) {
	code, out, errOut := plumb(t, "iam-policy", "AWS::SQS::Queue")
	if code != 0 || errOut != "" {
		t.Fatalf("code %d: %s", code, errOut)
	}
	doc, err := policy.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Statements) != 1 || !slices.Equal(doc.Statements[0].Actions, []string{"sqs:GetQueueAttributes", "sqs:ListQueueTags", "sqs:ListQueues"}) {
		t.Errorf("%+v", doc)
	}
}

func TestIAMPolicyWithoutTypesIsForAllAndSaysThatItIsLong(t *testing.T) {
	code, out, errOut := plumb(t, "iam-policy")
	if code != 0 || !strings.Contains(errOut, "a managed policy may have 6144") {
		t.Errorf("code %d: %s", code, errOut)
	}
	if !json.Valid([]byte(out)) {
		t.Error("standard output is not JSON")
	}
	for _, action := range []string{"s3:ListAllMyBuckets", "states:ListStateMachines", "wafv2:ListWebACLs"} {
		if !strings.Contains(out, `"`+action+`"`) {
			t.Errorf("%s is missing", action)
		}
	}
}

func TestIAMPolicyOfAnUnknownTypeNamesTheNearest(t *testing.T) {
	for typ, want := range map[string]string{
		"AWS::S3::Buckte":                  "is AWS::S3::Bucket meant?",
		"aws::s3::bucket":                  "is AWS::S3::Bucket meant?",
		"AWS::Nothing":                     `"plumb docs resource-types" lists`,
		"AWS::RoboMaker::RobotApplication": "is not read: its items come with PutResourceConfig",
	} {
		if code, out, errOut := plumb(t, "iam-policy", "AWS::SQS::Queue", typ); code != 1 || out != "" || !strings.Contains(errOut, want) {
			t.Errorf("%s: code %d: %s%s", typ, code, out, errOut)
		}
	}
}

func TestIAMPolicyAllowsToReadRecordsOfCloudTrail(t *testing.T) {
	code, out, errOut := plumb(t, "iam-policy", "AWS::SQS::Queue", "--cloudtrail", "https://sqs.eu-west-1.amazonaws.com/123456789012/trail", "--cloudtrail", "s3://trails/all")
	if code != 0 || errOut != "" {
		t.Fatalf("code %d: %s", code, errOut)
	}
	doc, err := policy.Parse(out)
	if err != nil || len(doc.Statements) != 4 || !slices.Equal(doc.Statements[1].Resources, []string{"arn:aws:sqs:eu-west-1:123456789012:trail"}) {
		t.Errorf("%+v, %v", doc, err)
	}
	if code, out, errOut := plumb(t, "iam-policy", "--cloudtrail", "trails"); code != 1 || out != "" || !strings.Contains(errOut, `--cloudtrail "trails": want the URL of an SQS queue`) {
		t.Errorf("code %d: %s%s", code, out, errOut)
	}
}
