package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"plumb/internal/api/sqs"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/queue"
	"plumb/internal/wire"
)

type server struct {
	*testing.T
	ctx     context.Context
	url     string
	client  *sdk.Client
	store   *queue.Store
	jobs    *job.Queue
	clock   *clock.Clock
	db      *db.DB
	changes []config.ResourceKey
}

func suite(t *testing.T, f func(s *server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) { f(start(t, d)) })
}

func start(t *testing.T, d *db.DB) *server {
	t.Helper()
	s := &server{T: t, ctx: t.Context(), clock: &clock.Clock{}, db: d}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	if s.jobs, err = job.New(s.ctx, d, log, s.clock, "test"); err != nil {
		t.Fatal(err)
	}
	s.store = queue.New(log, d, s.jobs, s.clock.Now, queue.Options{Announce: func(_ context.Context, _ *db.Tx, k config.ResourceKey) error {
		s.changes = append(s.changes, k)
		return nil
	}})
	must(t, s.jobs.Start(context.WithoutCancel(s.ctx)))
	t.Cleanup(func() { s.jobs.Stop(context.Background()) })
	h := wire.New(log, wire.Options{Services: []*model.Registry{sqs.New(log, s.store, wire.NewTokens([]byte("k")))}, DefaultAccount: "123456789012", DefaultRegion: "us-east-1"})
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	s.url = web.URL
	s.client = s.as("111111111111")
	return s
}

func (s *server) as(account string) *sdk.Client {
	return sdk.New(sdk.Options{BaseEndpoint: &s.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", "")})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) must(err error) {
	s.Helper()
	must(s.T, err)
}

func (s *server) fails(err error, code string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		s.Errorf("got error %v, want %s", err, code)
	}
}

func (s *server) equal(got, want any) {
	s.Helper()
	if got != want {
		s.Errorf("got %v, want %v", got, want)
	}
}

func (s *server) queue(name string, attributes map[string]string) *string {
	s.Helper()
	out, err := s.client.CreateQueue(s.ctx, &sdk.CreateQueueInput{QueueName: &name, Attributes: attributes})
	s.must(err)
	return out.QueueUrl
}

func (s *server) send(q *string, bodies ...string) {
	s.Helper()
	for _, b := range bodies {
		_, err := s.client.SendMessage(s.ctx, &sdk.SendMessageInput{QueueUrl: q, MessageBody: &b})
		s.must(err)
	}
}

func (s *server) receive(q *string, n int32) []types.Message {
	s.Helper()
	out, err := s.client.ReceiveMessage(s.ctx, &sdk.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: n,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"}})
	s.must(err)
	return out.Messages
}

func bodies(ms []types.Message) string {
	var out []string
	for _, m := range ms {
		out = append(out, *m.Body)
	}
	return strings.Join(out, " ")
}

func TestAMessageIsReceivedUntilItIsDeleted(t *testing.T) {
	suite(t, func(s *server) {
		q := s.queue("work", map[string]string{"VisibilityTimeout": "10"})
		_, err := s.client.SendMessage(s.ctx, &sdk.SendMessageInput{QueueUrl: q, MessageBody: new("hé"), MessageAttributes: map[string]types.MessageAttributeValue{
			"a": {DataType: new("String"), StringValue: new("x")}, "b": {DataType: new("Binary"), BinaryValue: []byte{1, 2}}, "n": {DataType: new("Number.int"), StringValue: new("7")}}})
		s.must(err) // the SDK compares the MD5s
		got := s.receive(q, 10)
		s.equal(bodies(got), "hé")
		s.equal(got[0].Attributes["ApproximateReceiveCount"], "1")
		s.equal(len(got[0].MessageAttributes), 3)
		s.equal(len(s.receive(q, 10)), 0)
		s.clock.Advance(11 * time.Second)
		got = s.receive(q, 10)
		s.equal(got[0].Attributes["ApproximateReceiveCount"], "2")
		_, err = s.client.ChangeMessageVisibility(s.ctx, &sdk.ChangeMessageVisibilityInput{QueueUrl: q, ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0})
		s.must(err)
		got = s.receive(q, 10)
		_, err = s.client.DeleteMessage(s.ctx, &sdk.DeleteMessageInput{QueueUrl: q, ReceiptHandle: got[0].ReceiptHandle})
		s.must(err)
		s.clock.Advance(time.Minute)
		s.equal(len(s.receive(q, 10)), 0)
		_, err = s.client.DeleteMessage(s.ctx, &sdk.DeleteMessageInput{QueueUrl: q, ReceiptHandle: new("junk")})
		s.fails(err, "ReceiptHandleIsInvalid")
	})
}

func TestLongPollingEndsWhenAMessageComes(t *testing.T) {
	suite(t, func(s *server) {
		q := s.queue("work", nil)
		got := make(chan string)
		go func() {
			out, err := s.client.ReceiveMessage(s.ctx, &sdk.ReceiveMessageInput{QueueUrl: q, WaitTimeSeconds: 20})
			if err != nil {
				got <- err.Error()
				return
			}
			got <- bodies(out.Messages)
		}()
		s.must(s.db.Write(s.ctx, func(tx *db.Tx) error {
			return s.store.Send(s.ctx, tx, "arn:aws:sqs:us-east-1:111111111111:work", "now", nil)
		}))
		s.equal(<-got, "now")
	})
}

func TestDelayRetentionAndCounts(t *testing.T) {
	suite(t, func(s *server) {
		q := s.queue("slow", map[string]string{"DelaySeconds": "60", "MessageRetentionPeriod": "3600"})
		s.send(q, "a", "b")
		_, err := s.client.SendMessage(s.ctx, &sdk.SendMessageInput{QueueUrl: q, MessageBody: new("at once"), DelaySeconds: 0, MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: new("String"), StringValue: new("Root=1")}}})
		s.must(err)
		s.equal(len(s.receive(q, 10)), 0)
		attrs := func() map[string]string {
			out, err := s.client.GetQueueAttributes(s.ctx, &sdk.GetQueueAttributesInput{QueueUrl: q, AttributeNames: []types.QueueAttributeName{"All"}})
			s.must(err)
			return out.Attributes
		}
		s.equal(attrs()["ApproximateNumberOfMessagesDelayed"], "3")
		s.equal(attrs()["QueueArn"], "arn:aws:sqs:us-east-1:111111111111:slow")
		s.clock.Advance(61 * time.Second)
		s.equal(attrs()["ApproximateNumberOfMessages"], "3")
		s.equal(len(s.receive(q, 2)), 2)
		s.equal(attrs()["ApproximateNumberOfMessagesNotVisible"], "2")
		s.clock.Advance(2 * time.Hour)
		s.equal(len(s.receive(q, 10)), 0)
		s.must(s.jobs.Drain(s.ctx))
		s.must(s.db.Read(s.ctx, func(tx *db.Tx) error {
			var n int
			err := tx.QueryRow(s.ctx, "SELECT count(*) FROM queue_messages").Scan(&n)
			s.equal(n, 0)
			return err
		}))
	})
}

func TestDeadLettersMoveAfterTheirLastReceive(t *testing.T) {
	suite(t, func(s *server) {
		dead := s.queue("dead", nil)
		_, err := s.client.CreateQueue(s.ctx, &sdk.CreateQueueInput{QueueName: new("bad"), Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:none","maxReceiveCount":2}`}})
		s.fails(err, "InvalidParameterValue")
		q := s.queue("work", map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:dead","maxReceiveCount":"2"}`})
		s.send(q, "poison")
		for range 2 {
			s.equal(bodies(s.receive(q, 1)), "poison")
			s.clock.Advance(2 * time.Second)
		}
		s.equal(len(s.receive(q, 1)), 0)
		got := s.receive(dead, 1)
		s.equal(bodies(got), "poison")
		s.equal(got[0].Attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:111111111111:work")
		list, err := s.client.ListDeadLetterSourceQueues(s.ctx, &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: dead})
		s.must(err)
		s.equal(fmt.Sprint(list.QueueUrls), "["+*q+"]")
	})
}

func TestFIFOQueuesKeepOrderAndDropDuplicates(t *testing.T) {
	suite(t, func(s *server) {
		_, err := s.client.CreateQueue(s.ctx, &sdk.CreateQueueInput{QueueName: new("x.fifo")})
		s.fails(err, "InvalidParameterValue")
		q := s.queue("order.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "5"})
		_, err = s.client.SendMessage(s.ctx, &sdk.SendMessageInput{QueueUrl: q, MessageBody: new("x")})
		s.fails(err, "MissingParameter")
		put := func(group, body string) *sdk.SendMessageOutput {
			out, err := s.client.SendMessage(s.ctx, &sdk.SendMessageInput{QueueUrl: q, MessageBody: &body, MessageGroupId: &group})
			s.must(err)
			return out
		}
		first := put("a", "1")
		put("a", "2")
		put("b", "3")
		again := put("a", "1")
		s.equal(*again.SequenceNumber, *first.SequenceNumber)
		one := s.receive(q, 1)
		s.equal(bodies(one), "1")
		s.equal(bodies(s.receive(q, 10)), "3") // group a waits for 1
		_, err = s.client.DeleteMessage(s.ctx, &sdk.DeleteMessageInput{QueueUrl: q, ReceiptHandle: one[0].ReceiptHandle})
		s.must(err)
		s.equal(bodies(s.receive(q, 10)), "2")
		s.clock.Advance(6 * time.Minute)
		put("a", "1")
		s.equal(bodies(s.receive(q, 10)), "2 3 1")
	})
}

func TestBatches(t *testing.T) {
	suite(t, func(s *server) {
		q := s.queue("work", nil)
		out, err := s.client.SendMessageBatch(s.ctx, &sdk.SendMessageBatchInput{QueueUrl: q, Entries: []types.SendMessageBatchRequestEntry{
			{Id: new("1"), MessageBody: new("a")}, {Id: new("2"), MessageBody: new("\x01")}, {Id: new("3"), MessageBody: new("c")}}})
		s.must(err)
		s.equal(len(out.Successful), 2)
		s.equal(*out.Failed[0].Code, "InvalidMessageContents")
		got := s.receive(q, 10)
		s.equal(bodies(got), "a c")
		del, err := s.client.DeleteMessageBatch(s.ctx, &sdk.DeleteMessageBatchInput{QueueUrl: q, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: new("1"), ReceiptHandle: got[0].ReceiptHandle}, {Id: new("2"), ReceiptHandle: new("junk")}}})
		s.must(err)
		s.equal(len(del.Successful), 1)
		s.equal(*del.Failed[0].Code, "ReceiptHandleIsInvalid")
		_, err = s.client.SendMessageBatch(s.ctx, &sdk.SendMessageBatchInput{QueueUrl: q, Entries: []types.SendMessageBatchRequestEntry{{Id: new("1"), MessageBody: new("a")}, {Id: new("1"), MessageBody: new("b")}}})
		s.fails(err, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
		_, err = s.client.PurgeQueue(s.ctx, &sdk.PurgeQueueInput{QueueUrl: q})
		s.must(err)
		s.clock.Advance(time.Hour)
		s.equal(len(s.receive(q, 10)), 0)
	})
}

func TestQueuesAreListedTaggedChangedAndDeleted(t *testing.T) {
	suite(t, func(s *server) {
		for i := range 5 {
			s.queue(fmt.Sprintf("q%d", i), nil)
		}
		var all []string
		p := sdk.NewListQueuesPaginator(s.client, &sdk.ListQueuesInput{MaxResults: aws.Int32(2), QueueNamePrefix: new("q")})
		for p.HasMorePages() {
			out, err := p.NextPage(s.ctx)
			s.must(err)
			all = append(all, out.QueueUrls...)
		}
		s.equal(len(all), 5)
		s.equal(all[4], s.url+"/111111111111/q4")
		u, err := s.client.GetQueueUrl(s.ctx, &sdk.GetQueueUrlInput{QueueName: new("q4")})
		s.must(err)
		_, err = s.client.TagQueue(s.ctx, &sdk.TagQueueInput{QueueUrl: u.QueueUrl, Tags: map[string]string{"a": "1", "b": "2"}})
		s.must(err)
		_, err = s.client.UntagQueue(s.ctx, &sdk.UntagQueueInput{QueueUrl: u.QueueUrl, TagKeys: []string{"a"}})
		s.must(err)
		tags, err := s.client.ListQueueTags(s.ctx, &sdk.ListQueueTagsInput{QueueUrl: u.QueueUrl})
		s.must(err)
		s.equal(fmt.Sprint(tags.Tags), "map[b:2]")
		_, err = s.client.SetQueueAttributes(s.ctx, &sdk.SetQueueAttributesInput{QueueUrl: u.QueueUrl, Attributes: map[string]string{"VisibilityTimeout": "99"}})
		s.must(err)
		_, err = s.client.AddPermission(s.ctx, &sdk.AddPermissionInput{QueueUrl: u.QueueUrl, Label: new("l"), AWSAccountIds: []string{"222222222222"}, Actions: []string{"SendMessage"}})
		s.must(err)
		_, err = s.client.CreateQueue(s.ctx, &sdk.CreateQueueInput{QueueName: new("q4"), Attributes: map[string]string{"VisibilityTimeout": "98"}})
		s.fails(err, "QueueAlreadyExists")
		_, err = s.client.SetQueueAttributes(s.ctx, &sdk.SetQueueAttributesInput{QueueUrl: u.QueueUrl, Attributes: map[string]string{"QueueArn": "1"}})
		s.fails(err, "InvalidAttributeName")
		_, err = s.as("222222222222").ListQueueTags(s.ctx, &sdk.ListQueueTagsInput{QueueUrl: u.QueueUrl})
		s.fails(err, "AWS.SimpleQueueService.NonExistentQueue")
		_, err = s.client.DeleteQueue(s.ctx, &sdk.DeleteQueueInput{QueueUrl: u.QueueUrl})
		s.must(err)
		_, err = s.client.GetQueueUrl(s.ctx, &sdk.GetQueueUrlInput{QueueName: new("q4")})
		s.fails(err, "AWS.SimpleQueueService.NonExistentQueue")
		s.equal(len(s.changes), 10)
		s.equal(s.changes[9].Type, "AWS::SQS::Queue")
		s.equal(strings.HasPrefix(s.changes[9].ID, "https://sqs.us-east-1.amazonaws.com/111111111111/"), true) // whatever the server's address
	})
}

func TestOldClientsSpeakQuery(t *testing.T) {
	suite(t, func(s *server) {
		res, err := http.PostForm(s.url, url.Values{"Action": {"CreateQueue"}, "Version": {"2012-11-05"}, "QueueName": {"old"}, "Attribute.1.Name": {"VisibilityTimeout"}, "Attribute.1.Value": {"5"}})
		s.must(err)
		defer res.Body.Close()
		s.equal(res.StatusCode, 200)
	})
}

func BenchmarkSendAndReceive(b *testing.B) {
	d := dbtest.Open(b)
	clk := &clock.Clock{}
	q, err := job.New(b.Context(), d, slog.New(slog.DiscardHandler), clk, "test")
	must(b, err)
	s := queue.New(slog.New(slog.DiscardHandler), d, q, clk.Now, queue.Options{})
	made, err := s.Create(b.Context(), queue.Queue{Place: config.Place{Account: "111111111111", Region: "us-east-1"}, Name: "work"})
	must(b, err)
	for b.Loop() {
		must(b, d.Write(b.Context(), func(tx *db.Tx) error {
			for range 10 {
				if err := s.Send(b.Context(), tx, made.ARN(), "body", nil); err != nil {
					return err
				}
			}
			return nil
		}))
		got, err := s.Receive(b.Context(), made, queue.ReceiveRequest{Max: 10, Visibility: -1})
		must(b, err)
		must(b, d.Write(b.Context(), func(tx *db.Tx) error {
			for _, m := range got {
				if err := s.DeleteMessage(b.Context(), tx, made, m.Receipt); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
