package app_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// slow says that it has begun, takes its time, and says that it has ended.
const slow = `
import boto3, time
sqs = boto3.client("sqs")

def handler(event, context):
    url = sqs.get_queue_url(QueueName="said")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="begun")
    time.sleep(1)
    sqs.send_message(QueueUrl=url, MessageBody="ended")
`

func TestStopLetsARunningFunctionFinish(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t)
	if _, err := p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("said")}); err != nil {
		t.Fatal(err)
	}
	if err := p.PutFunction(t.Context(), "slow", "slow.handler", lambdatest.Zip(t, "slow.py", []byte(slow))); err != nil {
		t.Fatal(err)
	}
	_, err := p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("slow"), InvocationType: lambdatypes.InvocationTypeEvent,
	})
	if err != nil {
		t.Fatal(err)
	}
	if message := receive(t, p); message != "begun" {
		t.Fatalf("it sent %q", message)
	}
	p.Restart(t)
	if message := receive(t, p); message != "ended" {
		t.Errorf("after the restart it had sent %q", message)
	}
}

// receive takes the next message, which it waits for.
func receive(t *testing.T, p *apptest.Plumb) string {
	t.Helper()
	u, err := p.SQS().GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("said")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: u.QueueUrl, WaitTimeSeconds: 20})
	if err != nil || len(got.Messages) == 0 {
		return ""
	}
	_, err = p.SQS().DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: u.QueueUrl, ReceiptHandle: got.Messages[0].ReceiptHandle})
	if err != nil {
		t.Fatal(err)
	}
	return *got.Messages[0].Body
}
