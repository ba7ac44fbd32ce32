package wire_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/model/stsapi"
	"plumb/internal/wire"
)

const botoScript = `
import boto3, os, sys
from botocore.config import Config
url = sys.argv[1]
def client(name):
    return boto3.client(name, endpoint_url=url, region_name="eu-west-1", aws_access_key_id=sys.argv[2],
                        aws_secret_access_key=sys.argv[3], config=Config(retries={"max_attempts": 0}))
def code(f, **kw):
    try:
        f(**kw)
    except Exception as e:
        return e.response["Error"]["Code"] + " " + str(e.response["ResponseMetadata"]["HTTPStatusCode"]) + " " + e.response["Error"]["Message"]
    return "no error"
config = client("config")
config.put_config_rule(ConfigRule={"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": "X"}})
item = config.get_resource_config_history(resourceType="Org::Team::Thing", resourceId="i")["configurationItems"][0]
print(item["configurationItemCaptureTime"].timestamp(), item["resourceType"])
print(code(config.delete_config_rule, ConfigRuleName="gone"))
print(code(config.describe_config_rules))
print(code(config.get_resource_config_history, resourceType="foo", resourceId="i")[:116])
f = client("lambda")
r = f.invoke(FunctionName="arn:aws:lambda:eu-west-1:123456789012:function:f:live", Payload=b'{"a":1}')
print(r["StatusCode"], r["Payload"].read(), r["ExecutedVersion"], r["ResponseMetadata"]["HTTPStatusCode"])
print(code(f.get_function, FunctionName="gone"))
sns = client("sns")
print(sns.create_topic(Name="t", Attributes={"DisplayName": "a & b"}, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"])
print(code(sns.get_topic_attributes, TopicArn="gone"))
sqs = client("sqs")
print(sqs.get_queue_url(QueueName="q")["QueueUrl"])
print(code(sqs.receive_message, QueueUrl=url + "/111122223333/gone"))
sts = client("sts")
print(sts.get_caller_identity()["Arn"])
print(code(sts.get_session_token))
`

const botoWant = `1443610576.349 Org::Team::Thing
NoSuchConfigRuleException 400 no rule gone
NotImplementedException 501 AWS Config: the operation DescribeConfigRules is not implemented yet.
ValidationException 400 1 validation error detected: Value 'foo' at 'resourceType' failed to satisfy constraint: Mem
202 b'{"a":1}' 7 202
ResourceNotFoundException 404 Function not found: gone
arn:aws:sns:eu-west-1:111122223333:t a & b k=v
NotFound 404 Topic does not exist
URL/111122223333/q
AWS.SimpleQueueService.NonExistentQueue 400 The specified queue does not exist.
arn:aws:iam::111122223333:user/dana
NotImplementedException 501 AWS Security Token Service: the operation GetSessionToken is not implemented yet.
`

func TestBoto3ReadsAnswersAndErrors(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("python3 with boto3 is not here")
	}
	url := start(t, configService(), func(o *wire.Options) {
		for _, s := range []service{lambdaService(), snsService(), sqsService(), stsService()} {
			o.Services = append(o.Services, s.Registry())
		}
	})
	script := t.TempDir() + "/script.py"
	if err := os.WriteFile(script, []byte(botoScript), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", script, url, accessKey, secretKey).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.ReplaceAll(string(out), url, "URL"); got != botoWant {
		t.Errorf("got\n%s\nwant\n%s", got, botoWant)
	}
}

func configService() service {
	s := configapi.NewService()
	s.PutConfigRule(func(context.Context, *configapi.PutConfigRuleInput) (*configapi.PutConfigRuleOutput, error) {
		return &configapi.PutConfigRuleOutput{}, nil
	})
	s.DeleteConfigRule(func(_ context.Context, in *configapi.DeleteConfigRuleInput) (*configapi.DeleteConfigRuleOutput, error) {
		return nil, configapi.NoSuchConfigRuleException("no rule %s", *in.ConfigRuleName)
	})
	s.GetResourceConfigHistory(func(
		_ context.Context, in *configapi.GetResourceConfigHistoryInput,
	) (*configapi.GetResourceConfigHistoryOutput, error) {
		return &configapi.GetResourceConfigHistoryOutput{ConfigurationItems: []configapi.ConfigurationItem{{
			ResourceType: in.ResourceType, ConfigurationItemCaptureTime: new(time.UnixMilli(1443610576349)),
		}}}, nil
	})
	return s
}

func lambdaService() service {
	s := lambdaapi.NewService()
	s.Invoke(func(_ context.Context, in *lambdaapi.InvokeInput) (*lambdaapi.InvokeOutput, error) {
		return &lambdaapi.InvokeOutput{StatusCode: new(int32(202)), Payload: in.Payload, ExecutedVersion: new("7")}, nil
	})
	s.GetFunction(func(_ context.Context, in *lambdaapi.GetFunctionInput) (*lambdaapi.GetFunctionOutput, error) {
		return nil, lambdaapi.ResourceNotFoundException("Function not found: %s", *in.FunctionName)
	})
	return s
}

func snsService() service {
	s := snsapi.NewService()
	s.CreateTopic(func(ctx context.Context, in *snsapi.CreateTopicInput) (*snsapi.CreateTopicOutput, error) {
		c := caller.From(ctx)
		arn := "arn:aws:sns:" + c.Region + ":" + c.Account + ":" + *in.Name + " " + in.Attributes["DisplayName"] +
			" " + *in.Tags[0].Key + "=" + *in.Tags[0].Value
		return &snsapi.CreateTopicOutput{TopicArn: &arn}, nil
	})
	s.GetTopicAttributes(func(context.Context, *snsapi.GetTopicAttributesInput) (*snsapi.GetTopicAttributesOutput, error) {
		return nil, snsapi.NotFoundException("Topic does not exist")
	})
	return s
}

func sqsService() service {
	s := sqsapi.NewService()
	s.GetQueueUrl(func(ctx context.Context, in *sqsapi.GetQueueUrlInput) (*sqsapi.GetQueueUrlOutput, error) {
		c := caller.From(ctx)
		return &sqsapi.GetQueueUrlOutput{QueueUrl: new(c.Endpoint + "/" + c.Account + "/" + *in.QueueName)}, nil
	})
	s.ReceiveMessage(func(context.Context, *sqsapi.ReceiveMessageInput) (*sqsapi.ReceiveMessageOutput, error) {
		return nil, sqsapi.QueueDoesNotExist("The specified queue does not exist.")
	})
	s.SendMessage(func(_ context.Context, in *sqsapi.SendMessageInput) (*sqsapi.SendMessageOutput, error) {
		id := *in.QueueUrl + " " + *in.MessageBody + " " + *in.MessageAttributes["a"].StringValue
		return &sqsapi.SendMessageOutput{MessageId: &id}, nil
	})
	s.GetQueueAttributes(func(
		_ context.Context, in *sqsapi.GetQueueAttributesInput,
	) (*sqsapi.GetQueueAttributesOutput, error) {
		return &sqsapi.GetQueueAttributesOutput{Attributes: map[string]string{string(in.AttributeNames[0]): "30"}}, nil
	})
	return s
}

func stsService() service {
	s := stsapi.NewService()
	s.GetCallerIdentity(func(ctx context.Context, _ *stsapi.GetCallerIdentityInput) (*stsapi.GetCallerIdentityOutput, error) {
		c := caller.From(ctx)
		return &stsapi.GetCallerIdentityOutput{Account: &c.Account, Arn: &c.PrincipalARN, UserId: &c.UserID}, nil
	})
	return s
}

// all is every service of the tests on one endpoint.
func all() []*model.Registry {
	var out []*model.Registry
	for _, s := range []service{configService(), lambdaService(), snsService(), sqsService(), stsService()} {
		out = append(out, s.Registry())
	}
	return out
}
