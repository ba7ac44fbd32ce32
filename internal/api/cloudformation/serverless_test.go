package cloudformation_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// packaged is a template as a packaging command leaves it: the code is in a bucket.
const packaged = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters: {Key: {Type: String, Default: one.zip}, Verdict: {Type: String, Default: COMPLIANT}}
Globals: {Function: {Runtime: python3.12, Timeout: 20, Environment: {Variables: {VERDICT: !Ref Verdict}}}}
Resources:
  Judge:
    Type: AWS::Serverless::Function
    Properties:
      Handler: judge.handler
      CodeUri: {Bucket: packages, Key: !Ref Key}
      AutoPublishAlias: live
      Policies: [AWSConfigRulesExecutionRole, {S3ReadPolicy: {BucketName: packages}}]
      Events:
        Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
        Polled: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
        Stored: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}
        Told: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Written: {Type: CloudWatchLogs, Properties: {LogGroupName: !Ref Group, FilterPattern: ""}}
      FunctionUrlConfig: {AuthType: NONE}
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Bucket: {Type: AWS::S3::Bucket}
  Group: {Type: AWS::Logs::LogGroup}
  Allow:
    Type: AWS::Lambda::Permission
    Properties: {Action: "lambda:InvokeFunction", FunctionName: !Ref Judge.Alias, Principal: config.amazonaws.com, SourceAccount: !Ref "AWS::AccountId"}
  Rule:
    Type: AWS::Config::ConfigRule
    DependsOn: Allow
    Properties:
      ConfigRuleName: judged
      Scope: {ComplianceResourceTypes: ["AWS::S3::Bucket"]}
      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !Ref Judge.Alias, SourceDetails: [{EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}]}
Outputs:
  Version: {Value: !GetAtt Judge.Version.Version}
  Role: {Value: !Ref JudgeRole}
`

// judge is a rule that says what its environment tells it.
const judge = `
import json, os, boto3
def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    boto3.client("config").put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
        "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
        "ComplianceType": os.environ["VERDICT"], "OrderingTimestamp": item["configurationItemCaptureTime"]}])
`

// recording starts a server that records, so that rules can be put.
func recording(t *testing.T) *apptest.Plumb {
	t.Helper()
	p := apptest.Start(t)
	if err := p.Record(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

// verdict evaluates the rule and returns what it says of a bucket.
func verdict(t *testing.T, p *apptest.Plumb) string {
	t.Helper()
	in := &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"judged"}}
	if _, err := p.Config().StartConfigRulesEvaluation(ctx, in); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	out, err := p.Config().GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("judged")})
	if err != nil || len(out.EvaluationResults) == 0 {
		t.Fatalf("the results are %+v, %v", out, err)
	}
	return string(out.EvaluationResults[0].ComplianceType)
}

// upload puts an archive with one file into a bucket, which it makes.
func upload(t *testing.T, p *apptest.Plumb, key, name, text string) {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	object(t, p, key, archive.String())
}

// object puts a text into the bucket of packages, which it makes.
func object(t *testing.T, p *apptest.Plumb, key, text string) {
	t.Helper()
	_, _ = p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("packages")})
	_, err := p.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("packages"), Key: &key, Body: strings.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAServerlessTemplateIsDeployedUpdatedAndDeleted(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := recording(t)
	upload(t, p, "one.zip", "judge.py", judge)
	upload(t, p, "two.zip", "judge.py", judge+"\n# other\n")
	all := []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}
	ask := func(capabilities []types.Capability) error {
		_, err := p.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{
			StackName: aws.String("sam"), TemplateBody: aws.String(packaged), Capabilities: capabilities})
		return err
	}
	if err := ask(nil); err == nil || !strings.Contains(err.Error(), "Requires capabilities : [CAPABILITY_AUTO_EXPAND, CAPABILITY_IAM]") {
		t.Errorf("without capabilities the answer is %v", err)
	}
	if err := ask(all[:1]); err == nil || !strings.Contains(err.Error(), "CAPABILITY_AUTO_EXPAND") {
		t.Errorf("without the capability to expand the answer is %v", err)
	}
	if err := ask(all); err != nil {
		t.Fatal(err)
	}
	s := settle(t, p, "sam")
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); !strings.Contains(got, "Version=1") || !strings.Contains(got, "Role=sam-JudgeRole-") {
		t.Errorf("outputs are\n%s", got)
	}
	role := strings.TrimPrefix(lineOf(outputs(s), "Role="), "Role=")
	attached, err := iam.NewFromConfig(p.SDK()).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil || len(attached.AttachedPolicies) != 3 {
		t.Errorf("the role has %+v, %v", attached, err)
	}
	schedules, err := scheduler.NewFromConfig(p.SDK()).ListSchedules(ctx, &scheduler.ListSchedulesInput{})
	if err != nil || len(schedules.Schedules) != 1 || *schedules.Schedules[0].Name != "JudgeNightly" {
		t.Errorf("schedules are %+v, %v", schedules, err)
	}
	stages(t, p)
	p.Clock().Advance(2 * time.Minute)
	if got := verdict(t, p); got != "COMPLIANT" {
		t.Errorf("the verdict is %s", got)
	}

	in := &cloudformation.UpdateStackInput{StackName: s.StackName, UsePreviousTemplate: aws.Bool(true), Capabilities: all,
		Parameters: pairs([]string{"Key", "two.zip", "Verdict", "NON_COMPLIANT"})}
	if _, err := p.CloudFormation().UpdateStack(ctx, in); err != nil {
		t.Fatal(err)
	}
	s = settle(t, p, "sam")
	is(t, p, s, types.StackStatusUpdateComplete)
	if got := outputs(s); !strings.Contains(got, "Version=2") {
		t.Errorf("after other code outputs are\n%s", got)
	}
	p.Clock().Advance(2 * time.Minute)
	if got := verdict(t, p); got != "NON_COMPLIANT" {
		t.Errorf("after the update the verdict is %s", got)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
	if rules, err := p.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{}); err != nil || len(rules.ConfigRules) != 0 {
		t.Errorf("rules are left: %+v, %v", rules, err)
	}
	if functions, err := p.Lambda().ListFunctions(ctx, &lambda.ListFunctionsInput{}); err != nil || len(functions.Functions) != 0 {
		t.Errorf("functions are left: %+v, %v", functions, err)
	}
}

// stages checks both stages of a template, and its summary.
func stages(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	original, err := p.CloudFormation().GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String("sam"), TemplateStage: types.TemplateStageOriginal})
	if err != nil || *original.TemplateBody != packaged {
		t.Errorf("the original is %v, %v", original, err)
	}
	processed, err := p.CloudFormation().GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String("sam"), TemplateStage: types.TemplateStageProcessed})
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Resources map[string]struct{ Type string }
	}
	if err := json.Unmarshal([]byte(*processed.TemplateBody), &v); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"Judge": "AWS::Lambda::Function", "JudgeRole": "AWS::IAM::Role", "JudgeAliaslive": "AWS::Lambda::Alias", "JudgeNightly": "AWS::Scheduler::Schedule",
		"JudgeHourly": "AWS::Events::Rule", "JudgeHourlyPermission": "AWS::Lambda::Permission", "JudgePolled": "AWS::Lambda::EventSourceMapping",
	} {
		if got := v.Resources[id].Type; got != want {
			t.Errorf("%s is %q, want %s", id, got, want)
		}
	}
	summary, err := p.CloudFormation().GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{StackName: aws.String("sam")})
	if err != nil || strings.Join(summary.DeclaredTransforms, " ") != "AWS::Serverless-2016-10-31" || summary.ResourceTypes[0] != "AWS::Serverless::Function" {
		t.Errorf("the summary is %+v, %v", summary, err)
	}
}

func lineOf(text, prefix string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

// custom is a template of the shape that the Rule Development Kit deploys: every
// choice is a parameter.
const custom = `
Parameters:
  RuleName: {Type: String, MinLength: "1"}
  FunctionName: {Type: String}
  RoleArn: {Type: String, Default: ""}
  Bucket: {Type: String}
  Events: {Type: CommaDelimitedList, Default: NONE}
  Period: {Type: String, Default: NONE}
  Input: {Type: String, Default: "{}"}
  Layers: {Type: String, Default: ""}
  Mode: {Type: String, Default: DETECTIVE, AllowedValues: [DETECTIVE, PROACTIVE, BOTH]}
  Verdict: {Type: String, Default: COMPLIANT}
Conditions:
  OwnRole: !Equals [!Ref RoleArn, ""]
  OnChange: !Not [!Equals [!Join [",", !Ref Events], NONE]]
  OnTime: !Not [!Equals [!Ref Period, NONE]]
  Layered: !Not [!Equals [!Ref Layers, ""]]
  Unscoped: !Or [!Not [{Condition: OnChange}], !Equals [!Join [",", !Ref Events], ALL]]
  Both: !Equals [!Ref Mode, BOTH]
Resources:
  Code:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Ref FunctionName
      Code: {S3Bucket: !Ref Bucket, S3Key: !Sub "${RuleName}/${RuleName}.zip"}
      Handler: rule.handler
      MemorySize: "256"
      Runtime: python3.12
      Timeout: "60"
      Environment: {Variables: {VERDICT: !Ref Verdict}}
      Role: !If [OwnRole, !GetAtt Role.Arn, !Ref RoleArn]
      Layers: !If [Layered, !Split [",", !Ref Layers], !Ref "AWS::NoValue"]
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !GetAtt Code.Arn, Action: "lambda:InvokeFunction", Principal: config.amazonaws.com}
  Rule:
    Type: AWS::Config::ConfigRule
    DependsOn: [Permission]
    Properties:
      ConfigRuleName: !Ref RuleName
      Scope: !If [Unscoped, !Ref "AWS::NoValue", {ComplianceResourceTypes: !Ref Events}]
      EvaluationModes: !If [Both, [{Mode: DETECTIVE}, {Mode: PROACTIVE}], [{Mode: !Ref Mode}]]
      InputParameters: !Ref Input
      Source:
        Owner: CUSTOM_LAMBDA
        SourceIdentifier: !GetAtt Code.Arn
        SourceDetails:
          - !If [OnChange, {EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}, !Ref "AWS::NoValue"]
          - !If [OnChange, {EventSource: aws.config, MessageType: OversizedConfigurationItemChangeNotification}, !Ref "AWS::NoValue"]
          - !If [OnTime, {EventSource: aws.config, MessageType: ScheduledNotification, MaximumExecutionFrequency: !Ref Period}, !Ref "AWS::NoValue"]
  Role:
    Type: AWS::IAM::Role
    Condition: OwnRole
    Properties:
      Path: /rules/
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies: [{PolicyName: Rule, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["config:PutEvaluations"], Resource: "*"}]}}]
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"]
Outputs:
  Code: {Value: !GetAtt Code.Arn}
`

// managed is the same for a rule that AWS manages.
const managed = `
Parameters:
  RuleName: {Type: String}
  Identifier: {Type: String}
  Events: {Type: CommaDelimitedList, Default: NONE}
  Period: {Type: String, Default: NONE}
  Input: {Type: String, Default: "{}"}
Conditions:
  Scoped: !Not [!Equals [!Join [",", !Ref Events], NONE]]
  OnTime: !Not [!Equals [!Ref Period, NONE]]
Resources:
  Rule:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: !Ref RuleName
      Scope: !If [Scoped, {ComplianceResourceTypes: !Ref Events}, !Ref "AWS::NoValue"]
      MaximumExecutionFrequency: !If [OnTime, !Ref Period, !Ref "AWS::NoValue"]
      InputParameters: !Ref Input
      Source: {Owner: AWS, SourceIdentifier: !Ref Identifier}
`

// rules are the templates that authors of rules deploy, with what they change.
func rules() map[string]struct {
	template      string
	first, second []string
} {
	return map[string]struct {
		template      string
		first, second []string
	}{
		"custom": {custom, []string{"RuleName", "owned", "FunctionName", "owned-code", "Bucket", "packages", "Events", "AWS::S3::Bucket"},
			[]string{"Verdict", "NON_COMPLIANT", "Period", "TwentyFour_Hours"}},
		"managed": {managed, []string{"RuleName", "versioned", "Identifier", "S3_BUCKET_VERSIONING_ENABLED", "Events", "AWS::S3::Bucket"},
			[]string{"Input", `{"isMfaDeleteEnabled": "true"}`}},
		"serverless": {packaged, []string{"Key", "one.zip"}, []string{"Verdict", "NON_COMPLIANT"}},
	}
}

// deploy does what "aws cloudformation deploy" does, and returns the stack, or why
// the change set failed.
func deploy(t *testing.T, p *apptest.Plumb, name, template string, kind types.ChangeSetType, parameters []string) (types.Stack, string) {
	t.Helper()
	set := "set" + strconv.Itoa(len(parameters)) + string(kind)
	in := &cloudformation.CreateChangeSetInput{
		StackName: &name, ChangeSetName: &set, ChangeSetType: kind, TemplateBody: &template, Parameters: pairs(parameters),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}
	if _, err := p.CloudFormation().CreateChangeSet(ctx, in); err != nil {
		t.Fatal(err)
	}
	out, err := p.CloudFormation().DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: &name, ChangeSetName: &set})
	if err != nil {
		t.Fatal(err)
	}
	if out.Status == types.ChangeSetStatusFailed {
		return types.Stack{}, *out.StatusReason
	}
	if _, err := p.CloudFormation().ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: &name, ChangeSetName: &set}); err != nil {
		t.Fatal(err)
	}
	return settle(t, p, name), ""
}

func TestTemplatesOfRulesAreDeployedUpdatedAndDeleted(t *testing.T) {
	p := recording(t)
	upload(t, p, "owned/owned.zip", "rule.py", judge)
	upload(t, p, "one.zip", "judge.py", judge)
	for name, c := range rules() {
		t.Run(name, func(t *testing.T) {
			s, _ := deploy(t, p, name, c.template, types.ChangeSetTypeCreate, c.first)
			is(t, p, s, types.StackStatusCreateComplete)
			if _, why := deploy(t, p, name, c.template, types.ChangeSetTypeUpdate, c.first); !strings.Contains(why, "didn't contain changes") {
				t.Errorf("the same again is %q", why)
			}
			s, _ = deploy(t, p, name, c.template, types.ChangeSetTypeUpdate, append(append([]string{}, c.first...), c.second...))
			is(t, p, s, types.StackStatusUpdateComplete)
			is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
		})
	}
	left, err := p.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
	if err != nil || len(left.ConfigRules) != 0 {
		t.Errorf("rules are left: %+v, %v", left, err)
	}
}

// TestTheCommandLineDeploysRules has the AWS CLI deploy, change and delete the
// same. Its waiters ask every half a minute.
func TestTheCommandLineDeploysRules(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: the waiters of the AWS CLI take minutes")
	}
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not there")
	}
	p := recording(t)
	upload(t, p, "owned/owned.zip", "rule.py", judge)
	upload(t, p, "one.zip", "judge.py", judge)
	for name, c := range rules() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "template.yaml")
			if err := os.WriteFile(file, []byte(c.template), 0o600); err != nil {
				t.Fatal(err)
			}
			with := func(parameters []string) []string {
				args := []string{"deploy", "--no-fail-on-empty-changeset", "--stack-name", name, "--template-file", file, "--capabilities", "CAPABILITY_IAM", "--parameter-overrides"}
				for i := 0; i+1 < len(parameters); i += 2 {
					args = append(args, parameters[i]+"="+parameters[i+1])
				}
				return args
			}
			for _, step := range []struct {
				args []string
				want string
			}{
				{with(c.first), "Successfully created/updated stack - " + name},
				{with(c.first), "No changes to deploy."},
				{with(append(append([]string{}, c.first...), c.second...)), "Successfully created/updated stack - " + name},
				{[]string{"delete-stack", "--stack-name", name}, ""},
				{[]string{"wait", "stack-delete-complete", "--stack-name", name}, ""},
			} {
				if got := commandLine(t, p, step.args...); !strings.Contains(got, step.want) {
					t.Fatalf("aws %s: %s", strings.Join(step.args, " "), got)
				}
				if strings.HasPrefix(step.want, "No changes") {
					forgetChangeSets(t, p, name)
				}
			}
		})
	}
}

// forgetChangeSets deletes the change sets of a stack that failed. The command line
// names them by the second, and does not delete them.
func forgetChangeSets(t *testing.T, p *apptest.Plumb, stack string) {
	t.Helper()
	out, err := p.CloudFormation().ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Summaries {
		if _, err := p.CloudFormation().DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: s.ChangeSetId}); err != nil {
			t.Fatal(err)
		}
	}
}

func commandLine(t *testing.T, p *apptest.Plumb, args ...string) string {
	t.Helper()
	c := exec.CommandContext(ctx, "aws", append([]string{"cloudformation"}, args...)...)
	c.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+p.URL(), "AWS_ACCESS_KEY_ID=123456789012", "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_SESSION_TOKEN=", "AWS_PAGER=")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("aws cloudformation %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
