package cloudformation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

const sourcesTemplate = `
Parameters: {Word: {Type: String, Default: first}}
Resources:` + function + `
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: ses.amazonaws.com}}
  Committed: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: codecommit.amazonaws.com}}
  Bucket: {Type: AWS::S3::Bucket}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop, Description: !Ref Word, Tags: [{Key: word, Value: !Ref Word}]}}
  BusPolicy:
    Type: AWS::Events::EventBusPolicy
    Properties: {EventBusName: !Ref Bus, StatementId: other, Statement: {Effect: Allow, Principal: {AWS: "arn:aws:iam::210987654321:root"}, Action: "events:PutEvents", Resource: !GetAtt Bus.Arn}}
  OnBus: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus, EventPattern: {source: [shop]}, Targets: [{Id: f, Arn: !GetAtt Function.Arn}]}}
  Stream:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamType: DirectPut
      ExtendedS3DestinationConfiguration: {BucketARN: !GetAtt Bucket.Arn, RoleARN: !Sub "arn:aws:iam::${AWS::AccountId}:role/f", Prefix: !Sub "${Word}/", BufferingHints: {SizeInMBs: 1, IntervalInSeconds: 60}}
      Tags: [{Key: word, Value: !Ref Word}]
  Rules: {Type: AWS::SES::ReceiptRuleSet, Properties: {RuleSetName: inbox}}
  Mail:
    Type: AWS::SES::ReceiptRule
    DependsOn: Permission
    Properties: {RuleSetName: !Ref Rules, Rule: {Name: mail, Enabled: true, Recipients: [!Sub "${Word}@example.com"], Actions: [{LambdaAction: {FunctionArn: !GetAtt Function.Arn}}]}}
  Filter: {Type: AWS::SES::ReceiptFilter, Properties: {Filter: {Name: blocked, IpFilter: {Cidr: 10.0.0.0/8, Policy: Block}}}}
  Pressed:
    Type: AWS::IoT::TopicRule
    Properties: {TopicRulePayload: {Sql: !Sub "SELECT * FROM '${Word}'", Description: !Ref Word, RuleDisabled: false, AwsIotSqlVersion: "2016-03-23", Actions: [{Lambda: {FunctionArn: !GetAtt Function.Arn}}]}}
  Thing: {Type: AWS::IoT::Thing, Properties: {ThingName: button, AttributePayload: {Attributes: {word: !Ref Word}}}}
  Code:
    Type: AWS::CodeCommit::Repository
    DependsOn: Committed
    Properties: {RepositoryName: code, RepositoryDescription: !Ref Word, Triggers: [{Name: all, DestinationArn: !GetAtt Function.Arn, Events: [all], CustomData: !Ref Word}]}
  Pool: {Type: AWS::Cognito::IdentityPool, Properties: {AllowUnauthenticatedIdentities: true, IdentityPoolName: !Sub "pool_${Word}"}}
  PoolRoles: {Type: AWS::Cognito::IdentityPoolRoleAttachment, Properties: {IdentityPoolId: !Ref Pool, Roles: {unauthenticated: !Sub "arn:aws:iam::${AWS::AccountId}:role/f"}}}
Outputs:
  Bus: {Value: !GetAtt Bus.Arn}
  Stream: {Value: !Ref Stream}
  Pressed: {Value: !Ref Pressed}
  Clone: {Value: !GetAtt Code.CloneUrlHttp}
  Pool: {Value: !Ref Pool}
`

func TestAStackHasWhatInvokesFunctions(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s := create(t, p, "sources", sourcesTemplate)
		is(t, p, s, types.StackStatusCreateComplete)
		invokers(t, p, s, "first")
		if !strings.Contains(valueOf(s, "Clone"), "/v1/repos/code") || valueOf(s, "Bus") != "arn:aws:events:us-east-1:123456789012:event-bus/shop" {
			t.Errorf("outputs are\n%s", outputs(s))
		}
		before := outputs(s)
		s = update(t, p, "sources", sourcesTemplate, "Word", "second")
		is(t, p, s, types.StackStatusUpdateComplete)
		if invokers(t, p, s, "second"); outputs(s) != before {
			t.Errorf("outputs are\n%s\nand were\n%s", outputs(s), before)
		}
		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
		for service, operation := range map[string]string{
			"firehose": "ListDeliveryStreams", "ses": "ListReceiptRuleSets", "iot": "ListTopicRules", "codecommit": "ListRepositories",
		} {
			if left := asked(t, p, service, operation, nil); strings.ContainsAny(left, "[") && !strings.Contains(left, "[]") {
				t.Errorf("after the stack %s says %s", operation, left)
			}
		}
	})
}

// asked makes a call, and returns its answer as JSON.
func asked(t *testing.T, p *apptest.Plumb, service, operation string, in map[string]any) string {
	t.Helper()
	out, err := p.Client().Call(ctx, service, operation, in)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// invokers checks that each source is as the template says.
func invokers(t *testing.T, p *apptest.Plumb, s types.Stack, word string) {
	t.Helper()
	for _, c := range []struct {
		service, operation string
		in                 map[string]any
		want               string
	}{
		{"events", "DescribeEventBus", map[string]any{"Name": "shop"}, `"Description":"` + word + `"`},
		{"events", "DescribeEventBus", map[string]any{"Name": "shop"}, "210987654321"},
		{"events", "ListTagsForResource", map[string]any{"ResourceARN": valueOf(s, "Bus")}, `"Value":"` + word + `"`},
		{"events", "ListRules", map[string]any{"EventBusName": "shop"}, "sources-OnBus-"},
		{"firehose", "DescribeDeliveryStream", map[string]any{"DeliveryStreamName": valueOf(s, "Stream")}, `"Prefix":"` + word + `/"`},
		{"firehose", "ListTagsForDeliveryStream", map[string]any{"DeliveryStreamName": valueOf(s, "Stream")}, `"Value":"` + word + `"`},
		{"ses", "DescribeReceiptRule", map[string]any{"RuleSetName": "inbox", "RuleName": "mail"}, word + "@example.com"},
		{"ses", "ListReceiptFilters", nil, `"Cidr":"10.0.0.0/8"`},
		{"iot", "GetTopicRule", map[string]any{"ruleName": valueOf(s, "Pressed")}, "FROM '" + word + "'"},
		{"iot", "DescribeThing", map[string]any{"thingName": "button"}, `"word":"` + word + `"`},
		{"codecommit", "GetRepository", map[string]any{"repositoryName": "code"}, `"repositoryDescription":"` + word + `"`},
		{"codecommit", "GetRepositoryTriggers", map[string]any{"repositoryName": "code"}, `"customData":"` + word + `"`},
		{"cognito-identity", "DescribeIdentityPool", map[string]any{"IdentityPoolId": valueOf(s, "Pool")}, "pool_" + word},
		{"cognito-identity", "GetIdentityPoolRoles", map[string]any{"IdentityPoolId": valueOf(s, "Pool")}, "role/f"},
	} {
		got := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\"`, `"`).Replace(asked(t, p, c.service, c.operation, c.in))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s answers %s, want %s", c.operation, got, c.want)
		}
	}
}
