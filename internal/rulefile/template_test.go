package rulefile_test

import (
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/rulefile"
)

const declares = `Parameters:
  Port: {Type: String}
Resources:
  Code:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: index.lambda_handler, Runtime: python3.9, Timeout: 9, Environment: {Variables: {A: b}}}
  Custom:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: custom
      InputParameters: {port: !Ref Port}
      Scope: {ComplianceResourceTypes: [AWS::S3::Bucket]}
      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !GetAtt Code.Arn, SourceDetails: [{EventSource: aws.config, MessageType: ScheduledNotification, MaximumExecutionFrequency: One_Hour}]}
  Policy:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: guard-2.x.x, PolicyText: "rule a { b exists }"}}
  Volumes:
    Type: AWS::Config::ConfigRule
    Properties: {Source: {Owner: AWS, SourceIdentifier: ENCRYPTED_VOLUMES}}
`

func TestTemplateDeclaresItsRules(t *testing.T) {
	dir := folder(t, map[string]string{"template.yaml": declares, "src/index.py": python})
	all, err := rulefile.Find(dir)
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	byName := map[string]rulefile.Rule{}
	for _, r := range all {
		byName[r.Name] = r
	}
	c := byName["custom"]
	if c.Kind != rulefile.Function || c.Path != filepath.Join(dir, "src") || c.Handler != "index.lambda_handler" || c.Runtime != "python3.12" || c.Timeout != 9 ||
		c.Variables["A"] != "b" || c.Frequency != "One_Hour" || len(c.Types) != 1 || c.Parameters["port"] == "" {
		t.Errorf("%+v", c)
	}
	if p := byName["Policy"]; p.Kind != rulefile.Policy || !strings.Contains(p.Text, "b exists") {
		t.Errorf("%+v", p)
	}
	if v := byName["Volumes"]; v.Kind != rulefile.Managed || v.Identifier != "ENCRYPTED_VOLUMES" || v.Line != 18 {
		t.Errorf("%+v", v)
	}
}

func TestTemplateWhoseFunctionIsElsewhereSaysSo(t *testing.T) {
	for says, text := range map[string]string{
		"not one of this template": strings.Replace(declares, "!GetAtt Code.Arn", "arn:aws:lambda:us-east-1:1:function:f", 1),
		"is not in a folder":       strings.Replace(declares, "CodeUri: src/", "Code: {S3Bucket: b}", 1),
		"template.yaml":            "Resources: [",
	} {
		if _, err := rulefile.Find(folder(t, map[string]string{"template.yaml": text})); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}
