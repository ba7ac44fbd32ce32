package cloudformation_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
)

const configTemplate = `
Parameters: {Word: {Type: String, Default: first}}
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: delivered-here}}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: config.amazonaws.com}, Action: "s3:*", Resource: [!GetAtt Bucket.Arn, !Sub "${Bucket.Arn}/*"]}]
  Recorder:
    Type: AWS::Config::ConfigurationRecorder
    Properties: {RoleARN: !Sub "arn:aws:iam::${AWS::AccountId}:role/config", RecordingGroup: {AllSupported: true, IncludeGlobalResourceTypes: "true"}}
  Channel:
    Type: AWS::Config::DeliveryChannel
    DependsOn: BucketPolicy
    Properties: {S3BucketName: !Ref Bucket, ConfigSnapshotDeliveryProperties: {DeliveryFrequency: Six_Hours}}
  Rule:
    Type: AWS::Config::ConfigRule
    DependsOn: [Recorder, Channel]
    Properties: {ConfigRuleName: versioned, Description: !Ref Word, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED}}
  Remediation:
    Type: AWS::Config::RemediationConfiguration
    Properties:
      ConfigRuleName: !Ref Rule
      TargetType: SSM_DOCUMENT
      TargetId: AWS-ConfigureS3BucketVersioning
      Automatic: false
      Parameters:
        BucketName: {ResourceValue: {Value: RESOURCE_ID}}
        VersioningState: {StaticValue: {Values: [Enabled]}}
  Pack:
    Type: AWS::Config::ConformancePack
    DependsOn: Rule
    Properties:
      ConformancePackName: packed
      TemplateBody: |
        Resources:
          Logs:
            Type: AWS::Config::ConfigRule
            Properties: {ConfigRuleName: logged, Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_LOGGING_ENABLED}}
  Authorization:
    Type: AWS::Config::AggregationAuthorization
    Properties: {AuthorizedAccountId: "210987654321", AuthorizedAwsRegion: eu-west-1}
  Aggregator:
    Type: AWS::Config::ConfigurationAggregator
    Properties: {ConfigurationAggregatorName: all, AccountAggregationSources: [{AccountIds: ["210987654321"], AllAwsRegions: true}]}
  Query:
    Type: AWS::Config::StoredQuery
    Properties: {QueryName: buckets, QueryDescription: !Ref Word, QueryExpression: "SELECT resourceId WHERE resourceType = 'AWS::S3::Bucket'"}
Outputs:
  Authorization: {Value: !Ref Authorization}
  Aggregator: {Value: !GetAtt Aggregator.ConfigurationAggregatorArn}
  Query: {Value: !GetAtt Query.QueryArn}
  Rule: {Value: !GetAtt Rule.ConfigRuleId}
`

func TestAStackHasWhatAWSConfigHas(t *testing.T) {
	p := apptest.Start(t)
	s := create(t, p, "config", configTemplate)
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); !strings.Contains(got, "Aggregator=arn:aws:config:us-east-1:123456789012:config-aggregator/") ||
		!strings.Contains(got, "Authorization=arn:aws:config:us-east-1:123456789012:aggregation-authorization/210987654321/eu-west-1") ||
		!strings.Contains(got, "Query=arn:aws:config:us-east-1:123456789012:stored-query/buckets/") || !strings.Contains(got, "Rule=config-rule-") {
		t.Errorf("outputs are\n%s", got)
	}
	status, err := p.Config().DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
	if err != nil || len(status.ConfigurationRecordersStatus) != 1 || !status.ConfigurationRecordersStatus[0].Recording {
		t.Errorf("the recorder is %+v, %v", status, err)
	}
	s = update(t, p, "config", configTemplate, "Word", "second")
	is(t, p, s, types.StackStatusUpdateComplete)
	query, err := p.Config().GetStoredQuery(ctx, &configservice.GetStoredQueryInput{QueryName: aws.String("buckets")})
	if err != nil || *query.StoredQuery.Description != "second" {
		t.Errorf("the query is %+v, %v", query, err)
	}
	// What is there already is not taken over.
	other := create(t, p, "other", "Resources: {Rule: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: versioned, "+
		"Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_LOGGING_ENABLED}}}}")
	is(t, p, other, types.StackStatusRollbackComplete)
	if got := strings.Join(story(t, p, "other"), "\n"); !strings.Contains(got, `"versioned already exists"`) || !strings.Contains(got, "HandlerErrorCode: AlreadyExists") {
		t.Errorf("events are\n%s", got)
	}
	objects, err := p.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("delivered-here")})
	if err != nil {
		t.Fatal(err)
	}
	s = remove(t, p, s)
	if len(objects.Contents) > 0 {
		// A bucket that has objects stays, with what it needs, and the rest goes.
		is(t, p, s, types.StackStatusDeleteFailed)
		if got := strings.Join(story(t, p, *s.StackId), "\n"); !strings.Contains(got, "Bucket DELETE_FAILED: ") || !strings.Contains(got, "The following resource(s) failed to delete: [Bucket]. ") {
			t.Errorf("events are\n%s", got)
		}
	} else {
		is(t, p, s, types.StackStatusDeleteComplete)
	}
	recorders, err := p.Config().DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	if err != nil || len(recorders.ConfigurationRecorders) != 0 {
		t.Errorf("recorders are left: %+v, %v", recorders, err)
	}
	packs, err := p.Config().DescribeConformancePacks(ctx, &configservice.DescribeConformancePacksInput{})
	if err != nil || len(packs.ConformancePackDetails) != 0 {
		t.Errorf("packs are left: %+v, %v", packs, err)
	}
}

const functionsTemplate = `
Parameters: {Memory: {Type: String, Default: "128"}}
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: nodejs20.x
      MemorySize: !Ref Memory
      ReservedConcurrentExecutions: 5
      Role: !Sub "arn:aws:iam::${AWS::AccountId}:role/f"
      Tags: [{Key: team, Value: a}]
      Code: {ZipFile: "exports.handler = async () => require('cfn-response').SUCCESS"}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}
  Alias: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Function, Name: live, FunctionVersion: !GetAtt Version.Version}}
  Invoke: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: !Ref Function, Qualifier: $LATEST, MaximumRetryAttempts: "1"}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref Function, AuthType: NONE}}
  Mapping: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Function, EventSourceArn: !GetAtt Dead.Arn, BatchSize: 5}}
  Group: {Type: AWS::Logs::LogGroup}
  Stream: {Type: AWS::Logs::LogStream, Properties: {LogGroupName: !Ref Group}}
  Topic: {Type: AWS::SNS::Topic}
  Subscription: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: lambda, Endpoint: !GetAtt Function.Arn, FilterPolicy: {kind: [a]}}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: config.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}]}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      Tags: [{Key: team, Value: a}]
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, Prefix: logs/, ExpirationInDays: 30}]}
      CorsConfiguration: {CorsRules: [{AllowedMethods: [GET], AllowedOrigins: ["*"], MaxAge: 60}]}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      NotificationConfiguration: {QueueConfigurations: [{Event: "s3:ObjectCreated:*", Queue: !GetAtt Dead.Arn, Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}]}}}]}
    DependsOn: Allowed
  Allowed:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Dead]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: "sqs:SendMessage", Resource: !GetAtt Dead.Arn}]}
Outputs:
  Alias: {Value: !Ref Alias}
  Url: {Value: !GetAtt Url.FunctionUrl}
`

func TestAStackHasFunctionsAndWhatBelongsToThem(t *testing.T) {
	p := apptest.Start(t)
	s := create(t, p, "functions", functionsTemplate)
	is(t, p, s, types.StackStatusCreateComplete)
	if got := outputs(s); !strings.Contains(got, ":live\n") || !strings.Contains(got, "Url=http") {
		t.Errorf("outputs are\n%s", got)
	}
	s = update(t, p, "functions", strings.Replace(functionsTemplate, "MaxAge: 60", "MaxAge: 61", 1), "Memory", "256")
	is(t, p, s, types.StackStatusUpdateComplete)
	// The stack's tags are those of its resources too, and go with it.
	tagged := func(tags ...types.Tag) {
		t.Helper()
		_, err := p.CloudFormation().UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: s.StackName, UsePreviousTemplate: aws.Bool(true), Tags: tags,
			Parameters: []types.Parameter{{ParameterKey: aws.String("Memory"), UsePreviousValue: aws.Bool(true)}}})
		if err != nil {
			t.Fatal(err)
		}
		is(t, p, settle(t, p, "functions"), types.StackStatusUpdateComplete)
		out, err := p.Lambda().ListFunctions(ctx, &lambda.ListFunctionsInput{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Lambda().ListTags(ctx, &lambda.ListTagsInput{Resource: out.Functions[0].FunctionArn})
		want := map[string]string{"team": "a"}
		for _, tag := range tags {
			want[*tag.Key] = *tag.Value
		}
		if err != nil || !maps.Equal(got.Tags, want) {
			t.Errorf("the function's tags are %v, %v, want %v", got, err, want)
		}
	}
	before := len(story(t, p, "functions"))
	tagged(types.Tag{Key: aws.String("cost"), Value: aws.String("1")})
	tagged(types.Tag{Key: aws.String("owner"), Value: aws.String("2")})
	if events := strings.Join(story(t, p, "functions")[before:], "\n"); strings.Contains(events, "Version UPDATE") {
		t.Errorf("what has no tags was changed:\n%s", events)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
}
