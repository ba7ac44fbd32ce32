package cloudformation_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

var ctx = context.Background()

// settle runs what is due until no operation on a stack goes on. Some services
// are asked again after a moment.
func settle(t *testing.T, p *apptest.Plumb, name string) types.Stack {
	t.Helper()
	for range 50 {
		p.Drain(t)
		out, err := p.CloudFormation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			t.Fatalf("describe %s: %v", name, err)
		}
		if s := out.Stacks[0]; !strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") {
			return s
		}
		p.Clock().Advance(2 * time.Second)
	}
	t.Fatalf("the stack %s does not settle:\n%s", name, strings.Join(story(t, p, name), "\n"))
	return types.Stack{}
}

// story returns the events of a stack, the first one first.
func story(t *testing.T, p *apptest.Plumb, name string) (lines []string) {
	t.Helper()
	pages := cloudformation.NewDescribeStackEventsPaginator(p.CloudFormation(), &cloudformation.DescribeStackEventsInput{StackName: &name})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.StackEvents {
			line := fmt.Sprintf("%s %s", *e.LogicalResourceId, e.ResourceStatus)
			if e.ResourceStatusReason != nil {
				line += ": " + *e.ResourceStatusReason
			}
			lines = append(lines, line)
		}
	}
	slices.Reverse(lines)
	return lines
}

func create(t *testing.T, p *apptest.Plumb, name, template string, parameters ...string) types.Stack {
	t.Helper()
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template, Parameters: pairs(parameters)}
	if _, err := p.CloudFormation().CreateStack(ctx, in); err != nil {
		t.Fatal(err)
	}
	return settle(t, p, name)
}

func pairs(list []string) (out []types.Parameter) {
	for i := 0; i+1 < len(list); i += 2 {
		out = append(out, types.Parameter{ParameterKey: &list[i], ParameterValue: &list[i+1]})
	}
	return out
}

func update(t *testing.T, p *apptest.Plumb, name, template string, parameters ...string) types.Stack {
	t.Helper()
	in := &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &template, Parameters: pairs(parameters)}
	if _, err := p.CloudFormation().UpdateStack(ctx, in); err != nil {
		t.Fatal(err)
	}
	return settle(t, p, name)
}

func remove(t *testing.T, p *apptest.Plumb, s types.Stack) types.Stack {
	t.Helper()
	if _, err := p.CloudFormation().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackId}); err != nil {
		t.Fatal(err)
	}
	return settle(t, p, *s.StackId)
}

func is(t *testing.T, p *apptest.Plumb, s types.Stack, want types.StackStatus) {
	t.Helper()
	if s.StackStatus != want {
		t.Fatalf("%s is %s (%s), want %s:\n%s", *s.StackName, s.StackStatus, aws.ToString(s.StackStatusReason), want, strings.Join(story(t, p, *s.StackId), "\n"))
	}
}

func outputs(s types.Stack) string {
	all := map[string]string{}
	for _, o := range s.Outputs {
		all[*o.OutputKey] = *o.OutputValue
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, k+"="+all[k])
	}
	return strings.Join(lines, "\n")
}

// fails checks the code of an error and a part of its text.
func fails(t *testing.T, err error, code, text string) {
	t.Helper()
	var named smithy.APIError
	if !errors.As(err, &named) || named.ErrorCode() != code || !strings.Contains(named.ErrorMessage(), text) {
		t.Errorf("got %v, want %s: %s", err, code, text)
	}
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const ruleTemplate = `
AWSTemplateFormatVersion: "2010-09-09"
Description: A rule with its function
Parameters:
  Name: {Type: String, Default: tagged}
  Key: {Type: String, NoEcho: true, Default: hush}
Conditions:
  Loud: !Equals [!Ref Name, loud]
Resources:
  Rule:
    Type: AWS::Config::ConfigRule
    DependsOn: Permission
    Properties:
      ConfigRuleName: !Ref Name
      Scope: {ComplianceResourceTypes: ["AWS::S3::Bucket"]}
      InputParameters: {tag1Key: !Ref Key, number: 3}
      Source:
        Owner: CUSTOM_LAMBDA
        SourceIdentifier: !GetAtt Function.Arn
        SourceDetails:
          - {EventSource: aws.config, MessageType: ConfigurationItemChangeNotification}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: config.amazonaws.com}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Timeout: "30"
      Role: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/rule"
      Environment: {Variables: {LEVEL: 3}}
      Code:
        ZipFile: |
          import cfnresponse
          def handler(event, context):
              return cfnresponse.SUCCESS
  Topic:
    Type: AWS::SNS::Topic
    Condition: Loud
Outputs:
  Rule: {Value: !Ref Rule, Description: the name, Export: {Name: !Sub "${AWS::StackName}-rule"}}
  Arn: {Value: !GetAtt Rule.Arn}
  Function: {Value: !GetAtt Function.Arn}
`

func TestAStackMakesARuleWithItsFunction(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s := create(t, p, "rules", ruleTemplate)
		is(t, p, s, types.StackStatusCreateComplete)
		equal(t, story(t, p, "rules"),
			"rules CREATE_IN_PROGRESS: User Initiated",
			"Function CREATE_IN_PROGRESS", "Function CREATE_IN_PROGRESS: Resource creation Initiated", "Function CREATE_COMPLETE",
			"Permission CREATE_IN_PROGRESS", "Permission CREATE_IN_PROGRESS: Resource creation Initiated", "Permission CREATE_COMPLETE",
			"Rule CREATE_IN_PROGRESS", "Rule CREATE_IN_PROGRESS: Resource creation Initiated", "Rule CREATE_COMPLETE",
			"rules CREATE_COMPLETE")
		if got := outputs(s); !strings.Contains(got, "Rule=tagged") || !strings.Contains(got, "Function=arn:aws:lambda:us-east-1:123456789012:function:rules-Function-") ||
			!strings.Contains(got, "Arn=arn:aws:config:us-east-1:123456789012:config-rule/config-rule-") {
			t.Errorf("outputs are\n%s", got)
		}
		rules, err := p.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
		if err != nil || len(rules.ConfigRules) != 1 || *rules.ConfigRules[0].InputParameters != `{"number":"3","tag1Key":"hush"}` {
			t.Errorf("rules are %+v, %v", rules, err)
		}
		for _, e := range pages(t, p, "rules") {
			if strings.Contains(aws.ToString(e.ResourceProperties), "hush") {
				t.Errorf("a hidden parameter is shown: %s", *e.ResourceProperties)
			}
		}
		if got := *s.Parameters[1].ParameterValue; got != "****" {
			t.Errorf("a hidden parameter is shown: %s", got)
		}

		// The rule gets another name, so it is another one; the function is changed.
		s = update(t, p, "rules", strings.Replace(ruleTemplate, `Timeout: "30"`, "Timeout: 31", 1), "Name", "loud")
		is(t, p, s, types.StackStatusUpdateComplete)
		rules, err = p.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
		if err != nil || len(rules.ConfigRules) != 1 || *rules.ConfigRules[0].ConfigRuleName != "loud" {
			t.Errorf("rules are %+v, %v", rules.ConfigRules, err)
		}
		events := story(t, p, "rules")
		for _, want := range []string{
			"Rule UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.",
			"Function UPDATE_COMPLETE", "Topic CREATE_COMPLETE", "rules UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Rule DELETE_COMPLETE", "rules UPDATE_COMPLETE",
		} {
			if !slices.Contains(events, want) {
				t.Errorf("there is no event %q in\n%s", want, strings.Join(events, "\n"))
			}
		}
		if slices.Contains(events, "Permission UPDATE_IN_PROGRESS") {
			t.Error("a resource that does not change was changed")
		}

		s = remove(t, p, s)
		is(t, p, s, types.StackStatusDeleteComplete)
		rules, err = p.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{})
		if err != nil || len(rules.ConfigRules) != 0 {
			t.Errorf("rules are left: %+v, %v", rules.ConfigRules, err)
		}
		_, err = p.CloudFormation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("rules")})
		fails(t, err, "ValidationError", "Stack with id rules does not exist")
	})
}

func pages(t *testing.T, p *apptest.Plumb, name string) []types.StackEvent {
	t.Helper()
	out, err := p.CloudFormation().DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.StackEvents
}

const messages = `
Parameters: {Delay: {Type: String, Default: "0"}, Named: {Type: String, Default: work}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Named, DelaySeconds: !Ref Delay, Tags: [{Key: a, Value: b}]}}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "for ${Queue.QueueName}", Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Queue.Arn}]
  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {VersioningConfiguration: {Status: Enabled}, BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: "7"}}
Outputs:
  Url: {Value: !Ref Queue}
  Bucket: {Value: !Ref Bucket}
  Group: {Value: !Ref Group}
`

func TestWhatAnUpdateDidIsUndoneWhenItFails(t *testing.T) {
	p := apptest.Start(t)
	s := create(t, p, "messages", messages)
	is(t, p, s, types.StackStatusCreateComplete)
	before := outputs(s)
	attribute := func(name sqstypes.QueueAttributeName) string {
		out, err := p.SQS().GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: s.Outputs[index(s, "Url")].OutputValue, AttributeNames: []sqstypes.QueueAttributeName{name}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes[string(name)]
	}
	broken := messages[:strings.Index(messages, "Outputs:")] + `
  Late: {Type: AWS::SQS::Queue, DependsOn: [Queue, New], Properties: {DelaySeconds: 9999}}
  New: {Type: AWS::SQS::Queue, Properties: {QueueName: new}}
` + messages[strings.Index(messages, "Outputs:"):]
	s = update(t, p, "messages", broken, "Delay", "5")
	is(t, p, s, types.StackStatusUpdateRollbackComplete)
	if got := outputs(s); got != before {
		t.Errorf("outputs are\n%s\nthey were\n%s", got, before)
	}
	if got := attribute("DelaySeconds"); got != "0" {
		t.Errorf("the queue was not changed back: %s", got)
	}
	if _, err := p.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("new")}); err == nil {
		t.Error("the new queue is still there")
	}
	events := strings.Join(story(t, p, "messages"), "\n")
	for _, want := range []string{
		"Queue UPDATE_COMPLETE", "Late CREATE_FAILED: Resource handler returned message: ", "HandlerErrorCode: InvalidRequest)",
		"messages UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Late].",
		"messages UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "New DELETE_COMPLETE", "messages UPDATE_ROLLBACK_COMPLETE",
	} {
		if !strings.Contains(events, want) {
			t.Errorf("no event %q in\n%s", want, events)
		}
	}
	// A replacement that failed leaves the one before.
	s = update(t, p, "messages", broken, "Named", "other")
	is(t, p, s, types.StackStatusUpdateRollbackComplete)
	if got := outputs(s); got != before {
		t.Errorf("outputs are\n%s\nthey were\n%s", got, before)
	}
	if _, err := p.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("other")}); err == nil {
		t.Error("the replacement is still there")
	}
	attribute("QueueArn")

	s = remove(t, p, s)
	is(t, p, s, types.StackStatusDeleteComplete)
	if got := strings.Join(story(t, p, *s.StackId), "\n"); !strings.Contains(got, "Bucket DELETE_SKIPPED") {
		t.Errorf("the bucket was not kept:\n%s", got)
	}
	buckets, err := p.S3().ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil || len(buckets.Buckets) != 1 || *buckets.Buckets[0].Name != strings.ToLower(*buckets.Buckets[0].Name) {
		t.Errorf("buckets are %+v, %v", buckets, err)
	}
	queues, err := p.SQS().ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil || len(queues.QueueUrls) != 0 {
		t.Errorf("queues are left: %v, %v", queues.QueueUrls, err)
	}
}

func index(s types.Stack, key string) int {
	return slices.IndexFunc(s.Outputs, func(o types.Output) bool { return *o.OutputKey == key })
}

func TestACreationThatFailsEndsAsItWasAskedTo(t *testing.T) {
	p := apptest.Start(t)
	const template = `
Resources:
  Good: {Type: AWS::SQS::Queue, Properties: {QueueName: good}}
  Bad: {Type: AWS::SQS::Queue, DependsOn: Good, Properties: {DelaySeconds: 9999}}
`
	for name, test := range map[string]struct {
		in   cloudformation.CreateStackInput
		want types.StackStatus
		good bool
	}{
		"rollback": {cloudformation.CreateStackInput{}, types.StackStatusRollbackComplete, false},
		"nothing":  {cloudformation.CreateStackInput{OnFailure: types.OnFailureDoNothing}, types.StackStatusCreateFailed, true},
		"disabled": {cloudformation.CreateStackInput{DisableRollback: aws.Bool(true)}, types.StackStatusCreateFailed, true},
		"delete":   {cloudformation.CreateStackInput{OnFailure: types.OnFailureDelete}, types.StackStatusDeleteComplete, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.StackName, test.in.TemplateBody = &name, aws.String(template)
			out, err := p.CloudFormation().CreateStack(ctx, &test.in)
			if err != nil {
				t.Fatal(err)
			}
			s := settle(t, p, *out.StackId)
			is(t, p, s, test.want)
			_, err = p.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("good")})
			if (err == nil) != test.good {
				t.Errorf("the good queue: %v", err)
			}
			if test.want != types.StackStatusDeleteComplete {
				is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
			}
		})
	}
}

func TestStacksImportWhatOthersExport(t *testing.T) {
	p := apptest.Start(t)
	const exporting = `
Parameters: {Value: {Type: String, Default: one}}
Resources: {Group: {Type: AWS::Logs::LogGroup}}
Outputs: {Out: {Value: !Ref Value, Export: {Name: shared}}}`
	const importing = `
Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub ["/imported/${v}", {v: !ImportValue shared}]}}}
Outputs: {Out: {Value: !ImportValue shared}}`
	early := create(t, p, "early", importing)
	is(t, p, early, types.StackStatusRollbackComplete)
	if got := strings.Join(story(t, p, "early"), "\n"); !strings.Contains(got, "No export named shared found.") {
		t.Errorf("events are\n%s", got)
	}
	a := create(t, p, "a", exporting)
	b := create(t, p, "b", importing)
	is(t, p, b, types.StackStatusCreateComplete)
	if got := outputs(b); got != "Out=one" {
		t.Errorf("imported %s", got)
	}
	exports, err := p.CloudFormation().ListExports(ctx, &cloudformation.ListExportsInput{})
	if err != nil || len(exports.Exports) != 1 || *exports.Exports[0].Value != "one" || *exports.Exports[0].ExportingStackId != *a.StackId {
		t.Errorf("exports are %+v, %v", exports, err)
	}
	imports, err := p.CloudFormation().ListImports(ctx, &cloudformation.ListImportsInput{ExportName: aws.String("shared")})
	if err != nil || !slices.Equal(imports.Imports, []string{"b"}) {
		t.Errorf("imports are %v, %v", imports, err)
	}
	_, err = p.CloudFormation().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: a.StackId})
	fails(t, err, "ValidationError", "Export shared cannot be deleted as it is in use by b")
	is(t, p, update(t, p, "a", exporting, "Value", "two"), types.StackStatusUpdateRollbackComplete)
	is(t, p, create(t, p, "c", exporting), types.StackStatusRollbackComplete) // the name is taken
	is(t, p, remove(t, p, b), types.StackStatusDeleteComplete)
	is(t, p, update(t, p, "a", exporting, "Value", "two"), types.StackStatusUpdateComplete)
	is(t, p, remove(t, p, a), types.StackStatusDeleteComplete)
	other := p.As("210987654321", p.Region())
	_, err = other.CloudFormation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: a.StackId})
	fails(t, err, "ValidationError", "does not exist")
}

func TestStacksNest(t *testing.T) {
	p := apptest.Start(t)
	const inner = `
Parameters: {Name: {Type: String}, Delay: {Type: String, Default: "0"}}
Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name, DelaySeconds: !Ref Delay}}}
Outputs: {Arn: {Value: !GetAtt Queue.Arn}}`
	if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("templates")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("templates"), Key: aws.String("inner.yaml"), Body: strings.NewReader(inner)}); err != nil {
		t.Fatal(err)
	}
	const outer = `
Parameters: {Delay: {Type: String, Default: "0"}}
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://s3.amazonaws.com/templates/inner.yaml", Parameters: {Name: nested, Delay: !Ref Delay}}
Outputs: {Arn: {Value: !GetAtt Inner.Outputs.Arn}}`
	s := create(t, p, "outer", outer)
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); got != "Arn=arn:aws:sqs:us-east-1:123456789012:nested" {
		t.Errorf("outputs are %s", got)
	}
	s = update(t, p, "outer", outer, "Delay", "7")
	is(t, p, s, types.StackStatusUpdateComplete)
	s = update(t, p, "outer", outer, "Delay", "7777")
	is(t, p, s, types.StackStatusUpdateRollbackComplete)
	list, err := p.CloudFormation().ListStacks(ctx, &cloudformation.ListStacksInput{})
	if err != nil || len(list.StackSummaries) != 2 {
		t.Fatalf("stacks are %+v, %v", list, err)
	}
	child := list.StackSummaries[0]
	if *child.ParentId != *s.StackId || *child.RootId != *s.StackId || !strings.HasPrefix(*child.StackName, "outer-Inner-") {
		t.Errorf("the nested stack is %+v", child)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
	if _, err := p.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nested")}); err == nil {
		t.Error("the queue of the nested stack is left")
	}
}

func TestChangeSetsSayWhatWouldBeDone(t *testing.T) {
	p := apptest.Start(t)
	c := p.CloudFormation()
	propose := func(kind types.ChangeSetType, name, template string, parameters ...string) *cloudformation.DescribeChangeSetOutput {
		t.Helper()
		out, err := c.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
			StackName: aws.String("set"), ChangeSetName: &name, ChangeSetType: kind, TemplateBody: &template, Parameters: pairs(parameters)})
		if err != nil {
			t.Fatal(err)
		}
		set, err := c.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: out.Id})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	changes := func(set *cloudformation.DescribeChangeSetOutput) (out []string) {
		for _, c := range set.Changes {
			out = append(out, fmt.Sprint(c.ResourceChange.Action, *c.ResourceChange.LogicalResourceId, c.ResourceChange.Replacement))
		}
		return out
	}
	execute := func(name string) types.Stack {
		t.Helper()
		_, err := c.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String("set"), ChangeSetName: &name})
		if err != nil {
			t.Fatal(err)
		}
		return settle(t, p, "set")
	}
	set := propose(types.ChangeSetTypeCreate, "first", messages)
	equal(t, changes(set), "AddQueue", "AddTopic", "AddQueuePolicy", "AddBucket", "AddGroup")
	if set.Status != types.ChangeSetStatusCreateComplete || set.ExecutionStatus != types.ExecutionStatusAvailable {
		t.Errorf("the change set is %s, %s", set.Status, set.ExecutionStatus)
	}
	out, err := c.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("set")})
	if err != nil || out.Stacks[0].StackStatus != types.StackStatusReviewInProgress {
		t.Errorf("the stack is %+v, %v", out, err)
	}
	is(t, p, execute("first"), types.StackStatusCreateComplete)

	set = propose(types.ChangeSetTypeUpdate, "same", messages)
	if set.Status != types.ChangeSetStatusFailed || !strings.Contains(*set.StatusReason, "The submitted information didn't contain changes.") {
		t.Errorf("the change set is %s: %s", set.Status, aws.ToString(set.StatusReason))
	}
	_, err = c.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	fails(t, err, "InvalidChangeSetStatus", "cannot be executed in its current status of [FAILED]")

	without := strings.Replace(messages, `  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: "7"}}`, "", 1)
	without = strings.Replace(without, "  Group: {Value: !Ref Group}", "", 1)
	set = propose(types.ChangeSetTypeUpdate, "next", without, "Named", "other")
	equal(t, changes(set), "ModifyQueueTrue", "ModifyTopicFalse", "ModifyQueuePolicyFalse", "RemoveGroup")
	propose(types.ChangeSetTypeUpdate, "unused", without, "Delay", "1")
	list, err := c.ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: aws.String("set")})
	if err != nil || len(list.Summaries) != 4 {
		t.Errorf("change sets are %+v, %v", list, err)
	}
	is(t, p, execute("next"), types.StackStatusUpdateComplete)
	_, err = c.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String("set"), ChangeSetName: aws.String("unused")})
	fails(t, err, "InvalidChangeSetStatus", "cannot be executed")
	if _, err := c.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: aws.String("set"), ChangeSetName: aws.String("unused")}); err != nil {
		t.Error(err)
	}
	_, err = c.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String("set"), ChangeSetName: aws.String("unused")})
	fails(t, err, "ChangeSetNotFound", "ChangeSet [unused] does not exist")
	_, err = c.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
		StackName: aws.String("set"), ChangeSetName: aws.String("import"), ChangeSetType: types.ChangeSetTypeImport, TemplateBody: aws.String(messages)})
	fails(t, err, "ValidationError", "IMPORT are not supported")
}

func TestStacksAreReadInParts(t *testing.T) {
	p := apptest.Start(t)
	c := p.CloudFormation()
	s := create(t, p, "messages", messages)
	one, err := c.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: s.StackName, LogicalResourceId: aws.String("Queue")})
	if err != nil || *one.StackResourceDetail.PhysicalResourceId != *s.Outputs[index(s, "Url")].OutputValue {
		t.Errorf("the queue is %+v, %v", one, err)
	}
	_, err = c.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: s.StackName, LogicalResourceId: aws.String("None")})
	fails(t, err, "ValidationError", "Resource None does not exist for stack messages")
	all, err := c.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: s.Outputs[index(s, "Url")].OutputValue})
	if err != nil || len(all.StackResources) != 5 {
		t.Errorf("resources are %+v, %v", all, err)
	}
	list, err := c.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: s.StackName})
	if err != nil || len(list.StackResourceSummaries) != 5 {
		t.Errorf("resources are %+v, %v", list, err)
	}
	text, err := c.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: s.StackName})
	if err != nil || *text.TemplateBody != messages {
		t.Errorf("the template is %+v, %v", text, err)
	}
	summary, err := c.GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{StackName: s.StackName})
	if err != nil || len(summary.Parameters) != 2 || len(summary.ResourceTypes) != 5 {
		t.Errorf("the summary is %+v, %v", summary, err)
	}
	valid, err := c.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: aws.String(ruleTemplate)})
	if err != nil || *valid.Description != "A rule with its function" || !*valid.Parameters[1].NoEcho {
		t.Errorf("the template is %+v, %v", valid, err)
	}
	if _, err := c.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: s.StackName, EnableTerminationProtection: aws.Bool(true)}); err != nil {
		t.Error(err)
	}
	_, err = c.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackName})
	fails(t, err, "ValidationError", "Stack [messages] cannot be deleted while TerminationProtection is enabled")
}

func TestRequestsForStacksAreRefusedInAWSsWords(t *testing.T) {
	p := apptest.Start(t)
	c := p.CloudFormation()
	group := "Resources: {Group: {Type: AWS::Logs::LogGroup}}"
	create(t, p, "there", group)
	make := func(name, template string, parameters ...string) error {
		_, err := c.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template, Parameters: pairs(parameters)})
		return err
	}
	change := func(name, template string) error {
		_, err := c.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &template})
		return err
	}
	fails(t, make("there", group), "AlreadyExistsException", "Stack [there] already exists")
	fails(t, make("1", group), "ValidationError", "at 'stackName' failed to satisfy constraint")
	fails(t, make("a", "Resources: {A: {Type: AWS::EC2::Instance}}"), "ValidationError", "Template format error: Unrecognized resource types: [AWS::EC2::Instance]")
	fails(t, make("a", "{"), "ValidationError", "Template format error: YAML not well-formed")
	fails(t, make("a", "Parameters: {P: {Type: String}}\n"+group), "ValidationError", "Parameters: [P] must have values")
	fails(t, make("a", "Parameters: {P: {Type: String, AllowedValues: [x]}}\n"+group, "P", "y"), "ValidationError", "Parameter 'P' must be one of AllowedValues")
	fails(t, make("a", group, "Q", "y"), "ValidationError", "Parameters: [Q] do not exist in the template")
	fails(t, make("a", "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: x}}\n"+group), "ValidationError", "AWS::SSM::Parameter::Value<String>")
	fails(t, make("a", strings.Repeat("#", 51201)), "ValidationError", "less than or equal to 51200")
	fails(t, make("a", ""), "ValidationError", "at 'templateBody' failed")
	fails(t, change("there", group+" # the same"), "ValidationError", "No updates are to be performed.")
	fails(t, change("none", group), "ValidationError", "Stack [none] does not exist")
	fails(t, change("there", "Resources: {Group: {Type: AWS::SQS::Queue}}"), "ValidationError", "Update of resource type is not permitted.")
	_, err := c.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String("none")})
	fails(t, err, "ValidationError", "Stack [none] does not exist")
	_, err = c.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: aws.String("none")})
	fails(t, err, "ValidationError", "Stack with id none does not exist")
	if _, err := c.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("none")}); err != nil {
		t.Errorf("a stack that is not there is gone already: %v", err)
	}
	odd := create(t, p, "odd", "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Colour: red}}}")
	is(t, p, odd, types.StackStatusRollbackComplete)
	if got := strings.Join(story(t, p, "odd"), "\n"); !strings.Contains(got, "extraneous key [Colour] is not permitted") {
		t.Errorf("events are\n%s", got)
	}
}

func TestAStackMakesRolesAndSchedules(t *testing.T) {
	p := apptest.Start(t)
	const template = `
Parameters: {Rate: {Type: String, Default: rate(1 hour)}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: [!Ref Managed]
      Policies:
        - PolicyName: own
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "config:PutEvaluations", Resource: "*"}]}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: !Sub "sqs:${Rate}", Resource: "*"}]}
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Role]}}
  Queue: {Type: AWS::SQS::Queue}
  Schedule:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: !Ref Rate, Targets: [{Id: q, Arn: !GetAtt Queue.Arn}]}
Outputs:
  Role: {Value: !GetAtt Role.Arn}
  Schedule: {Value: !GetAtt Schedule.Arn}
`
	in := &cloudformation.CreateStackInput{StackName: aws.String("roles"), TemplateBody: aws.String(strings.ReplaceAll(template, "sqs:${Rate}", "sqs:*"))}
	_, err := p.CloudFormation().CreateStack(ctx, in)
	fails(t, err, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
	in.Capabilities = []types.Capability{types.CapabilityCapabilityIam}
	if _, err := p.CloudFormation().CreateStack(ctx, in); err != nil {
		t.Fatal(err)
	}
	s := settle(t, p, "roles")
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); !strings.Contains(got, "Role=arn:aws:iam::123456789012:role/roles-Role-") || !strings.Contains(got, "rule/roles-Schedule-") {
		t.Errorf("outputs are\n%s", got)
	}
	_, err = p.CloudFormation().UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: aws.String("roles"), UsePreviousTemplate: aws.Bool(true), Capabilities: in.Capabilities, Parameters: pairs([]string{"Rate", "rate(2 hours)"})})
	if err != nil {
		t.Fatal(err)
	}
	is(t, p, settle(t, p, "roles"), types.StackStatusUpdateComplete)
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
}

func TestAStackGoesOnAfterARestart(t *testing.T) {
	p := apptest.Start(t)
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range 30 {
		fmt.Fprintf(&b, "  Q%d: {Type: AWS::SQS::Queue, Properties: {QueueName: q%d}", i, i)
		if i > 0 {
			fmt.Fprintf(&b, ", DependsOn: Q%d", i-1)
		}
		b.WriteString("}\n")
	}
	begin(t, p, "long", b.String())
	for range 5 {
		p.Restart(t)
	}
	s := settle(t, p, "long")
	is(t, p, s, types.StackStatusCreateComplete)
	queues, err := p.SQS().ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil || len(queues.QueueUrls) != 30 {
		t.Errorf("there are %d queues, %v", len(queues.QueueUrls), err)
	}
	if _, err := p.CloudFormation().DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackId}); err != nil {
		t.Fatal(err)
	}
	p.Restart(t)
	is(t, p, settle(t, p, *s.StackId), types.StackStatusDeleteComplete)
}
