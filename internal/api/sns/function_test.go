package sns_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

func TestFunctionsGetMessagesAsAWSSendsThemAndOthersGoToTheDeadLetters(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC))
		function := p.MakeFunction(t, "f", apptest.EventPrinter)
		topic, subscription, dead := subscribeFunction(t, p, function)
		publish := func(subject *string) string {
			out, err := p.SNS().Publish(t.Context(), &sns.PublishInput{
				TopicArn: &topic, Message: aws.String("text <b>"), Subject: subject,
				MessageAttributes: map[string]snstypes.MessageAttributeValue{"k": {DataType: aws.String("String"), StringValue: aws.String("v")}},
			})
			if err != nil {
				t.Fatal(err)
			}
			p.Drain(t)
			return *out.MessageId
		}
		publish(nil) // no permission
		if n := len(p.Printed(t, "f")); n != 0 {
			t.Errorf("without permission the function got %d events", n)
		}
		letters, err := p.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead})
		if err != nil || len(letters.Messages) != 1 || !strings.Contains(*letters.Messages[0].Body, "text <b>") {
			t.Errorf("dead letters %v, %v", letters, err)
		}
		_, err = p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: aws.String("sns"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("sns.amazonaws.com"),
			SourceArn: &topic,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range []*string{nil, aws.String("s")} {
			id := publish(subject)
			printed := p.Printed(t, "f")
			var got struct{ Records []map[string]any }
			if err := json.Unmarshal([]byte(printed[len(printed)-1]), &got); err != nil || len(got.Records) != 1 {
				t.Fatalf("got %s, %v", printed, err)
			}
			message := got.Records[0]["Sns"].(map[string]any)
			shown := any(nil)
			if subject != nil {
				shown = *subject
			}
			want := map[string]any{
				"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription,
				"Sns": map[string]any{
					"Type": "Notification", "MessageId": id, "TopicArn": topic, "Subject": shown, "Message": "text <b>", "Timestamp": "2026-03-01T12:00:00.123Z",
					"SignatureVersion": "1", "Signature": message["Signature"], "SigningCertUrl": message["SigningCertUrl"], "UnsubscribeUrl": message["UnsubscribeUrl"],
					"MessageAttributes": map[string]any{"k": map[string]any{"Type": "String", "Value": "v"}},
				},
			}
			a, _ := json.Marshal(want)
			b, _ := json.Marshal(got.Records[0])
			if string(a) != string(b) || message["Signature"] == nil || message["SigningCertUrl"] == nil || message["UnsubscribeUrl"] == nil {
				t.Errorf("got  %s\nwant %s", b, a)
			}
		}
		if _, err := p.Lambda().DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
			t.Fatal(err)
		}
		publish(nil)
		letters, err = p.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead})
		if err != nil || len(letters.Messages) != 1 {
			t.Errorf("dead letters of a function that is gone: %v, %v", letters, err)
		}
	})
}

// subscribeFunction makes a topic with a function that subscribes to it and a queue for its dead
// letters.
func subscribeFunction(t *testing.T, p *apptest.Plumb, function string) (topic, subscription, dead string) {
	made, err := p.SNS().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead")})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := p.SNS().Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("lambda"), Endpoint: &function, ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:` + p.Account() + `:dead"}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *made.TopicArn, *sub.SubscriptionArn, *queue.QueueUrl
}
