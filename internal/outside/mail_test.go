package outside_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumb/internal/apptest"
	"plumb/internal/mail/mailtest"
	"plumb/internal/settings"
)

// An e-mail subscription gets the text for people, all others the message.
func TestMailOfADeliveryChannelIsForPeople(t *testing.T) {
	m := mailtest.Serve(t)
	p := apptest.Start(t, func(s *settings.Settings) {
		s.SMTPServer, s.SMTPFrom, s.SMTPSecurity, s.ConsoleURL = m.Address, "plumb@example.com", "none", "https://plumb.example.com"
	})
	ctx := t.Context()
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err := p.Record(ctx); err != nil {
		t.Fatal(err)
	}
	must[*sns.SubscribeOutput](t)(p.SNS().Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String("arn:aws:sns:us-east-1:" + p.Account() + ":" + apptest.DeliveryTopic), Protocol: aws.String("email"), Endpoint: aws.String("ann@example.com"),
	}))
	p.Drain(t)
	link := regexp.MustCompile(`http://\S+`).FindString(m.Mails()[0].Text)
	must[*http.Response](t)(http.Get(link)).Body.Close()
	p.Clock().Advance(time.Minute)
	must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")}))
	p.Drain(t)
	var got []string
	for _, one := range m.Mails() {
		if strings.Contains(one.Header.Get("Subject"), "AWS::S3::Bucket photos") {
			got = append(got, one.Text)
		}
	}
	const want = "View the Timeline for this Resource in AWS Config Management Console:\nhttps://plumb.example.com/"
	if len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.Contains(got[0], "\n\nNew State and Change Record:\n----------------------------\n{\n") {
		t.Errorf("mails: %q", got)
	}
	received := must[[]string](t)(p.Received(ctx))
	for _, text := range received {
		if strings.Contains(text, "View the Timeline") {
			t.Errorf("a queue got %.300s", text)
		}
	}
	if !strings.Contains(strings.Join(received, "\n"), `"resourceId":"photos"`) && !strings.Contains(strings.Join(received, "\n"), `\"resourceId\":\"photos\"`) {
		t.Errorf("the queue got %q", received)
	}
}
