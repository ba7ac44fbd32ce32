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

// A template of the Serverless Application Model has more in it than rules and their
// functions: globals, events and types that stacks do not make, assertions, exports.
const serverless = `AWSTemplateFormatVersion: "2010-09-09"
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Globals: {Function: {Runtime: python3.12, Timeout: 9, Environment: {Variables: {A: b}}}, Api: {Cors: "'*'"}}
Rules: {Tested: {Assertions: [{Assert: {"Fn::Equals": [a, a]}}]}}
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  Code:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: index.lambda_handler
      Policies: [!ImportValue policies, {Statement: [{Effect: Allow, Action: "config:PutEvaluations", Resource: "*"}]}]
      Events: {Asked: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref Api}}}
      DeploymentPreference: {Type: Canary10Percent5Minutes}
      AutoPublishAlias: live
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Code, Action: "lambda:InvokeFunction", Principal: config.amazonaws.com}}
  Custom:
    Type: AWS::Config::ConfigRule
    DependsOn: Permission
    Properties:
      ConfigRuleName: custom
      Scope: {ComplianceResourceTypes: [AWS::S3::Bucket]}
      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !GetAtt Code.Arn, SourceDetails: [{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}]}
`

func TestServerlessTemplateDeclaresItsRules(t *testing.T) {
	dir := folder(t, map[string]string{"template.yaml": serverless, "src/index.py": python})
	all, err := rulefile.Find(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	c := all[0]
	if c.Name != "custom" || c.Kind != rulefile.Function || c.Path != filepath.Join(dir, "src") || c.Handler != "index.lambda_handler" ||
		c.Runtime != "python3.12" || c.Timeout != 9 || c.Variables["A"] != "b" || len(c.Types) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestTemplateWhoseFunctionIsElsewhereSaysSo(t *testing.T) {
	for says, text := range map[string]string{
		"not one of this template": strings.Replace(declares, "!GetAtt Code.Arn", "arn:aws:lambda:us-east-1:1:function:f", 1),
		"neither in a folder":      strings.Replace(declares, "CodeUri: src/", "Code: {S3Bucket: b}", 1),
		"template.yaml":            "Resources: [",
	} {
		if _, err := rulefile.Find(folder(t, map[string]string{"template.yaml": text})); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}
