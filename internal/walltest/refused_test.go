package walltest

import (
	"strings"
	"testing"
	"time"

	"plumb/internal/settings"
)

// TestWhatIsAnothersIsNotNamed tries what AWS does not let an account arrange at all:
// roles, dead letters and functions of another account.
func TestWhatIsAnothersIsNotNamed(t *testing.T) {
	h := newHanding(t, func(*settings.Settings) {})
	const theirs, document = "arn:aws:iam::" + alice + ":role/alices", `{\"schemaVersion\":\"0.3\",\"assumeRole\":\"` + "arn:aws:iam::" + alice + `:role/alices\",\"mainSteps\":[{\"name\":\"a\",\"action\":\"aws:sleep\",\"inputs\":{\"Duration\":\"PT1S\"}}]}`
	h.must(h.alice, `iam CreateRole {"RoleName":"alices","AssumeRolePolicyDocument":"`+strings.ReplaceAll(trust, `{\"Service\":\"lambda.amazonaws.com\"}`, `\"*\"`)+`"}`)
	h.grant(way{to: "queue"})
	h.grant(way{to: "function"})
	for _, c := range []string{
		`sqs CreateQueue {"QueueName":"bobs"}`, `logs CreateLogGroup {"logGroupName":"bobs"}`,
		`cognito-identity CreateIdentityPool {"IdentityPoolName":"bobs","AllowUnauthenticatedIdentities":true}`,
		`apigatewayv2 CreateApi {"Name":"api","ProtocolType":"HTTP"}`,
		`ssm CreateDocument {"Name":"theirs","DocumentType":"Automation","DocumentFormat":"JSON","Content":"` + document + `"}`,
	} {
		h.must(h.bob, c)
	}
	pool := list(h.must(h.bob, `cognito-identity ListIdentityPools {"MaxResults":1}`)["IdentityPools"])[0].(map[string]any)["IdentityPoolId"].(string)
	api := list(h.must(h.bob, `apigatewayv2 GetApis {}`)["Items"])[0].(map[string]any)["ApiId"].(string)
	for _, c := range []string{
		`sqs SetQueueAttributes {"QueueUrl":"http://x/` + bob + `/bobs","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"` + queueARN + `\",\"maxReceiveCount\":1}"}}`,
		`lambda CreateEventSourceMapping {"FunctionName":"` + functionARN + `","EventSourceArn":"arn:aws:sqs:us-east-1:` + bob + `:bobs"}`,
		`lambda CreateEventSourceMapping {"FunctionName":"does","EventSourceArn":"` + queueARN + `"}`,
		`lambda UpdateFunctionConfiguration {"FunctionName":"does","Role":"` + theirs + `"}`,
		`logs PutSubscriptionFilter {"logGroupName":"bobs","filterName":"f","filterPattern":"","destinationArn":"` + functionARN + `"}`,
		`cloudformation CreateStack {"StackName":"s","RoleARN":"` + theirs + `","TemplateBody":"{\"Resources\":{\"Q\":{\"Type\":\"AWS::SQS::Queue\"}}}"}`,
		`events PutRule {"Name":"r","ScheduleExpression":"rate(1 hour)","RoleArn":"` + theirs + `"}`,
		`scheduler CreateSchedule {"Name":"x","ScheduleExpression":"rate(1 hour)","FlexibleTimeWindow":{"Mode":"OFF"},"Target":{"Arn":"` + queueARN + `","RoleArn":"` + theirs + `"}}`,
		`firehose CreateDeliveryStream {"DeliveryStreamName":"x","ExtendedS3DestinationConfiguration":{"RoleARN":"` + theirs + `","BucketARN":"arn:aws:s3:::alices"}}`,
		`config PutConfigurationRecorder {"ConfigurationRecorder":{"name":"default","roleARN":"` + theirs + `"}}`,
		`cognito-identity SetIdentityPoolRoles {"IdentityPoolId":"` + pool + `","Roles":{"unauthenticated":"` + theirs + `"}}`,
		`apigatewayv2 CreateIntegration {"ApiId":"` + api + `","IntegrationType":"AWS_PROXY","IntegrationUri":"` + functionARN + `","PayloadFormatVersion":"2.0","CredentialsArn":"` + theirs + `"}`,
		`apigatewayv2 ImportApi {"Body":` + quoted(imported(theirs)) + `}`,
		`apigatewayv2 ReimportApi {"ApiId":"` + api + `","Body":` + quoted(imported(theirs)) + `}`,
		`ssm StartAutomationExecution {"DocumentName":"theirs"}`,
		`ssm StartAutomationExecution {"DocumentName":"AWS-EnableS3BucketEncryption","Parameters":{"BucketName":["alices"],"AutomationAssumeRole":["` + theirs + `"]}}`,
	} {
		if out, err := h.do(h.bob, c); err == nil {
			t.Errorf("%s: answered %s", c, text(out))
		}
	}
}

// imported is a document of an API that invokes a function by a role.
func imported(role string) string {
	return `{"openapi":"3.0.1","info":{"title":"a"},"paths":{"/":{"get":{"x-amazon-apigateway-integration":{"type":"aws_proxy","payloadFormatVersion":"2.0",` +
		`"uri":"` + functionARN + `","credentials":"` + role + `"}}}}}`
}

// TestAnothersRoleIsNotActedWith has policies asked of nobody, so that roles of another
// account can be named: they open nothing.
func TestAnothersRoleIsNotActedWith(t *testing.T) {
	h := newHanding(t, func(s *settings.Settings) { s.IAM = "off" })
	const theirs = "arn:aws:iam::" + alice + ":role/alices"
	own := func(action, resource string) string {
		return quoted(strings.Replace(statement("", action, resource), "arn:aws:iam::"+bob+":root", theirs, 1))
	}
	h.must(h.alice, `sqs SetQueueAttributes {"QueueUrl":"http://x/`+alice+`/inbox","Attributes":{"Policy":`+own("sqs:SendMessage", queueARN)+`}}`)
	h.must(h.alice, `s3 PutBucketPolicy {"Bucket":"alices","Policy":`+own("s3:*", "arn:aws:s3:::alices/*")+`}`)
	for _, c := range []string{
		`scheduler CreateSchedule {"Name":"hourly","ScheduleExpression":"rate(1 hour)","FlexibleTimeWindow":{"Mode":"OFF"},"Target":{"Arn":"` + queueARN + `","RoleArn":"` + theirs + `"}}`,
		`events PutRule {"Name":"queue","EventPattern":"{\"source\":[\"bob\"]}"}`,
		`events PutTargets {"Rule":"queue","Targets":[{"Id":"t","Arn":"` + queueARN + `","RoleArn":"` + theirs + `"}]}`,
		`events PutEvents {"Entries":[{"Source":"bob","DetailType":"x","Detail":"{}"}]}`,
		`firehose CreateDeliveryStream {"DeliveryStreamName":"flow","ExtendedS3DestinationConfiguration":{"RoleARN":"` + theirs + `","BucketARN":"arn:aws:s3:::alices","BufferingHints":{"IntervalInSeconds":60,"SizeInMBs":1}}}`,
		`firehose PutRecord {"DeliveryStreamName":"flow","Record":{"Data":"eA=="}}`,
	} {
		h.must(h.bob, c)
	}
	h.p.Drain(t)
	h.p.Clock().Advance(time.Hour)
	h.p.Drain(t)
	for _, to := range []string{"queue", "bucket"} {
		if n := h.arrived(to); n != 0 {
			t.Errorf("%d arrived in the %s", n, to)
		}
	}
}
