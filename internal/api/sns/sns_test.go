package sns_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"plumb/internal/api/sns"
	"plumb/internal/caller"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/sqsapi"
	"plumb/internal/outgoing"
	"plumb/internal/topic"
	"plumb/internal/wire"
)

type server struct {
	*testing.T
	ctx    context.Context
	url    string
	client *sdk.Client
	store  *topic.Store
	jobs   *job.Queue
	clock  *clock.Clock
	db     *db.DB

	mu      sync.Mutex
	changes []config.ResourceKey
	queues  map[string][]sqsapi.SendMessageInput // by ARN
	events  map[string][]string                  // by function ARN
}

func suite(t *testing.T, f func(s *server)) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) { f(start(t, d)) })
}

func start(t *testing.T, d *db.DB, change ...func(*topic.Options)) *server {
	t.Helper()
	s := &server{T: t, ctx: t.Context(), clock: &clock.Clock{}, db: d, queues: map[string][]sqsapi.SendMessageInput{}, events: map[string][]string{}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	var err error
	if s.jobs, err = job.New(s.ctx, d, log, s.clock, "test"); err != nil {
		t.Fatal(err)
	}
	o := topic.Options{
		Announce: func(_ context.Context, _ *db.Tx, k config.ResourceKey) error {
			s.changes = append(s.changes, k)
			return nil
		},
		Queue: s.toQueue, Function: s.toFunction, Endpoint: func() string { return s.url }, Client: outgoing.NewClient(outgoing.Options{Anywhere: true}),
	}
	for _, f := range change {
		f(&o)
	}
	s.store = topic.New(log, d, s.jobs, s.clock.Now, o)
	s.must(s.jobs.Start(context.WithoutCancel(s.ctx)))
	t.Cleanup(func() { s.jobs.Stop(context.Background()) })
	h := wire.New(log, wire.Options{Services: []*model.Registry{sns.New(log, s.store, wire.NewTokens([]byte("k")))}, DefaultAccount: "123456789012", DefaultRegion: "us-east-1"})
	pages := sns.Pages(log, s.store, nil)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sns.IsPage(r) {
			pages.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s.url = web.URL
	s.client = s.as("111111111111")
	return s
}

func (s *server) as(account string) *sdk.Client {
	return sdk.New(sdk.Options{BaseEndpoint: &s.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", "")})
}

const work, dead, gone = "arn:aws:sqs:us-east-1:111111111111:work", "arn:aws:sqs:us-east-1:111111111111:dead", "arn:aws:sqs:us-east-1:111111111111:gone"

func (s *server) toQueue(_ context.Context, _ *db.Tx, _ caller.Sender, queueARN string, m sqsapi.SendMessageInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if queueARN == gone {
		return sqsapi.QueueDoesNotExist("The specified queue does not exist.")
	}
	s.queues[queueARN] = append(s.queues[queueARN], m)
	return nil
}

func (s *server) toFunction(_ context.Context, _ *db.Tx, _ caller.Sender, functionARN string, event []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events[functionARN] = append(s.events[functionARN], string(event))
	return nil
}

func (s *server) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
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

func (s *server) drain() {
	s.Helper()
	s.must(s.jobs.Drain(s.ctx))
}

func (s *server) topic(name string, attributes map[string]string) *string {
	s.Helper()
	out, err := s.client.CreateTopic(s.ctx, &sdk.CreateTopicInput{Name: &name, Attributes: attributes})
	s.must(err)
	return out.TopicArn
}

func (s *server) subscribe(t *string, protocol, endpoint string, attributes map[string]string) *string {
	s.Helper()
	out, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: t, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes, ReturnSubscriptionArn: true})
	s.must(err)
	return out.SubscriptionArn
}

func (s *server) publish(t *string, body string, attributes map[string]types.MessageAttributeValue) {
	s.Helper()
	_, err := s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: t, Message: &body, Subject: new("subject"), MessageAttributes: attributes})
	s.must(err)
}

func (s *server) bodies(queueARN string) string {
	var out []string
	for _, m := range s.queues[queueARN] {
		out = append(out, *m.MessageBody)
	}
	s.queues[queueARN] = nil
	return strings.Join(out, " ")
}

func str(v string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: new("String"), StringValue: &v}
}

func TestAQueueGetsASignedEnvelope(t *testing.T) {
	suite(t, func(s *server) {
		for _, version := range []string{"1", "2"} {
			topic := s.topic("news"+version, map[string]string{"SignatureVersion": version})
			s.subscribe(topic, "sqs", work, nil)
			s.publish(topic, `<"hé">`, map[string]types.MessageAttributeValue{"k": str("v")})
			s.drain()
			var n map[string]any
			s.must(json.Unmarshal([]byte(s.bodies(work)), &n))
			s.equal(n["Message"], `<"hé">`)
			s.equal(n["Subject"], "subject")
			s.equal(n["TopicArn"], *topic)
			s.equal(fmt.Sprint(n["MessageAttributes"]), "map[k:map[Type:String Value:v]]")
			s.signed(n, []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"})
		}
	})
}

// signed checks a message the way a subscriber does.
func (s *server) signed(n map[string]any, keys []string) {
	s.Helper()
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "%s\n%s\n", k, n[k])
	}
	res, err := http.Get(n["SigningCertURL"].(string))
	s.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	s.must(err)
	block, _ := pem.Decode(b)
	cert, err := x509.ParseCertificate(block.Bytes)
	s.must(err)
	sig, err := base64.StdEncoding.DecodeString(n["Signature"].(string))
	s.must(err)
	key := cert.PublicKey.(*rsa.PublicKey)
	if n["SignatureVersion"] == "2" {
		sum := sha256.Sum256([]byte(text.String()))
		s.must(rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig))
		return
	}
	sum := sha1.Sum([]byte(text.String()))
	s.must(rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], sig))
}

func TestRawDeliveryAndFunctions(t *testing.T) {
	suite(t, func(s *server) {
		topic := s.topic("news", nil)
		s.subscribe(topic, "sqs", work, map[string]string{"RawMessageDelivery": "true"})
		fn := "arn:aws:lambda:us-east-1:111111111111:function:f"
		sub := s.subscribe(topic, "lambda", fn, nil)
		s.publish(topic, "raw", map[string]types.MessageAttributeValue{"k": str("v")})
		s.drain()
		s.equal(*s.queues[work][0].MessageAttributes["k"].StringValue, "v")
		s.equal(s.bodies(work), "raw")
		var e struct {
			Records []struct {
				EventSource, EventSubscriptionArn string
				Sns                               struct{ Message, Subject, SigningCertUrl string }
			}
		}
		s.must(json.Unmarshal([]byte(s.events[fn][0]), &e))
		s.equal(e.Records[0].EventSource, "aws:sns")
		s.equal(e.Records[0].EventSubscriptionArn, *sub)
		s.equal(e.Records[0].Sns.Message, "raw")
		s.equal(e.Records[0].Sns.SigningCertUrl != "", true)
		_, err := s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: topic, MessageStructure: new("json"), Message: new(`{"default":"d","sqs":"q"}`)})
		s.must(err)
		s.drain()
		s.equal(s.bodies(work), "q")
		s.equal(strings.Contains(s.events[fn][1], `"Message":"d"`), true)
		_, err = s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: topic, MessageStructure: new("json"), Message: new(`{"sqs":"q"}`)})
		s.fails(err, "InvalidParameter")
	})
}

func TestFiltersChooseMessages(t *testing.T) {
	suite(t, func(s *server) {
		topic := s.topic("news", nil)
		sub := s.subscribe(topic, "sqs", work, map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"kind":["a",{"prefix":"b"}]}`})
		s.publish(topic, "1", map[string]types.MessageAttributeValue{"kind": str("a")})
		s.publish(topic, "2", map[string]types.MessageAttributeValue{"kind": str("c")})
		s.publish(topic, "3", nil)
		s.drain()
		s.equal(s.bodies(work), "1")
		set := func(name, value string) error {
			_, err := s.client.SetSubscriptionAttributes(s.ctx, &sdk.SetSubscriptionAttributesInput{SubscriptionArn: sub, AttributeName: &name, AttributeValue: &value})
			return err
		}
		s.must(set("FilterPolicyScope", "MessageBody"))
		s.must(set("FilterPolicy", `{"item":{"type":["AWS::S3::Bucket"]}}`))
		s.publish(topic, `{"item":{"type":"AWS::S3::Bucket"}}`, nil)
		s.publish(topic, `{"item":{"type":"AWS::EC2::VPC"}}`, nil)
		s.publish(topic, `no json`, nil)
		s.drain()
		s.equal(s.bodies(work), `{"item":{"type":"AWS::S3::Bucket"}}`)
		s.fails(set("FilterPolicy", `{"a":"b"}`), "InvalidParameter")
		s.fails(set("FilterPolicy", `{`), "InvalidParameter")
	})
}

func TestWhatCannotBeDeliveredGoesToTheDeadLetters(t *testing.T) {
	suite(t, func(s *server) {
		topic := s.topic("news", nil)
		s.subscribe(topic, "sqs", gone, map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + dead + `"}`})
		s.subscribe(topic, "sqs", work, map[string]string{"RawMessageDelivery": "true"})
		s.publish(topic, "m", nil)
		s.drain()
		s.equal(s.bodies(work), "m")
		s.equal(strings.Contains(s.bodies(dead), `"Message": "m"`), true)
	})
}

func TestHTTPEndpointsConfirmAndAreTriedAgain(t *testing.T) {
	suite(t, func(s *server) {
		var mu sync.Mutex
		var got []map[string]any
		fail := 0
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if fail > 0 {
				fail--
				w.WriteHeader(500)
				return
			}
			m := map[string]any{"header": r.Header.Get("x-amz-sns-message-type")}
			_ = json.NewDecoder(r.Body).Decode(&m)
			got = append(got, m)
		}))
		defer endpoint.Close()
		topic := s.topic("news", nil)
		out, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: topic, Protocol: new("http"), Endpoint: &endpoint.URL})
		s.must(err)
		s.equal(*out.SubscriptionArn, "pending confirmation")
		s.drain()
		s.equal(got[0]["header"], "SubscriptionConfirmation")
		s.signed(got[0], []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"})
		s.publish(topic, "too early", nil)
		s.drain()
		s.equal(len(got), 1)
		res, err := http.Get(got[0]["SubscribeURL"].(string))
		s.must(err)
		res.Body.Close()
		s.equal(res.StatusCode, 200)
		s.clock.Advance(time.Second)
		fail = 2
		s.publish(topic, "hello", nil)
		s.drain()
		s.equal(len(got), 1)
		for range 2 {
			s.clock.Advance(21 * time.Second)
			s.drain()
		}
		s.equal(len(got), 2)
		s.equal(got[1]["Message"], "hello")
		res, err = http.Get(got[1]["UnsubscribeURL"].(string))
		s.must(err)
		res.Body.Close()
		list, err := s.client.ListSubscriptionsByTopic(s.ctx, &sdk.ListSubscriptionsByTopicInput{TopicArn: topic})
		s.must(err)
		s.equal(len(list.Subscriptions), 0)
	})
}

func TestHTTPEndpointsAreTriedAgainAsTheDeliveryPolicySays(t *testing.T) {
	suite(t, func(s *server) {
		var mu sync.Mutex
		var tries []time.Time
		var url, kind string
		working := true
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			m := map[string]any{}
			_ = json.NewDecoder(r.Body).Decode(&m)
			if text, ok := m["SubscribeURL"].(string); ok {
				url = text
				return
			}
			if tries, kind = append(tries, s.clock.Now()), r.Header.Get("Content-Type"); !working {
				w.WriteHeader(503)
			}
		}))
		defer endpoint.Close()
		topic := s.topic("news", map[string]string{"DeliveryPolicy": `{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}`})
		_, err := s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: topic, Protocol: new("http"), Endpoint: &endpoint.URL, Attributes: map[string]string{
			"DeliveryPolicy": `{"healthyRetryPolicy":{"minDelayTarget":10,"maxDelayTarget":30,"numRetries":5,"numNoDelayRetries":1,"numMaxDelayRetries":1},"throttlePolicy":{"maxReceivesPerSecond":2}}`,
			"RedrivePolicy":  `{"deadLetterTargetArn":"` + dead + `"}`,
		}})
		s.must(err)
		s.drain()
		res, err := http.Get(url)
		s.must(err)
		res.Body.Close()
		list, err := s.client.ListSubscriptionsByTopic(s.ctx, &sdk.ListSubscriptionsByTopicInput{TopicArn: topic})
		s.must(err)
		attributes, err := s.client.GetSubscriptionAttributes(s.ctx, &sdk.GetSubscriptionAttributesInput{SubscriptionArn: list.Subscriptions[0].SubscriptionArn})
		s.must(err)
		for _, part := range []string{`"numRetries":5`, `"backoffFunction":"linear"`, `"maxReceivesPerSecond":2`, `"headerContentType":"application/json"`} {
			s.equal(strings.Contains(attributes.Attributes["EffectiveDeliveryPolicy"], part), true)
		}
		s.clock.Freeze(s.clock.Now().Add(time.Second))
		began := s.clock.Now()
		working = false
		s.publish(topic, "lost", nil)
		for range 92 {
			s.drain()
			s.clock.Advance(time.Second)
		}
		var after []int
		for _, at := range tries {
			after = append(after, int(at.Sub(began).Seconds()))
		}
		s.equal(fmt.Sprint(after), "[0 0 10 30 60 90]")
		s.equal(kind, "application/json")
		s.equal(strings.Contains(s.bodies(dead), `"Message": "lost"`), true)
		working, tries = true, nil
		for n := range 6 {
			s.publish(topic, fmt.Sprint(n), nil)
		}
		s.drain()
		s.equal(len(tries), 1)
		s.clock.Advance(2500 * time.Millisecond)
		s.drain()
		s.equal(len(tries), 6)
		_, err = s.client.SetSubscriptionAttributes(s.ctx, &sdk.SetSubscriptionAttributesInput{SubscriptionArn: list.Subscriptions[0].SubscriptionArn,
			AttributeName: new("DeliveryPolicy"), AttributeValue: new(`{"healthyRetryPolicy":{"numRetries":101}}`)})
		s.fails(err, "InvalidParameter")
	})
}

func TestFIFOTopicsKeepTheirOrder(t *testing.T) {
	suite(t, func(s *server) {
		topic := s.topic("order.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"})
		s.subscribe(topic, "sqs", work+".fifo", map[string]string{"RawMessageDelivery": "true"})
		for i := range 5 {
			_, err := s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: topic, Message: new(fmt.Sprint(i)), MessageGroupId: new("g")})
			s.must(err)
		}
		s.equal(*s.queues[work+".fifo"][0].MessageGroupId, "g")
		s.equal(s.bodies(work+".fifo"), "0 1 2 3 4")
		_, err := s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: topic, Message: new("x")})
		s.fails(err, "InvalidParameter")
	})
}

func TestBatchesAreOneJob(t *testing.T) {
	suite(t, func(s *server) {
		topic := s.topic("news", nil)
		s.subscribe(topic, "sqs", work, map[string]string{"RawMessageDelivery": "true"})
		out, err := s.client.PublishBatch(s.ctx, &sdk.PublishBatchInput{TopicArn: topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: new("a"), Message: new("1")}, {Id: new("b"), Message: new("2"), Subject: new("bad\nsubject")}, {Id: new("c"), Message: new("3")}}})
		s.must(err)
		s.equal(len(out.Successful), 2)
		s.equal(*out.Failed[0].Id, "b")
		s.drain()
		s.equal(s.bodies(work), "1 3")
	})
}

func TestTopicsAreListedTaggedChangedAndDeleted(t *testing.T) {
	suite(t, func(s *server) {
		for i := range 105 {
			_, err := s.store.Create(s.ctx, topic.Topic{Place: config.Place{Account: "111111111111", Region: "us-east-1"}, Name: fmt.Sprintf("t%03d", i)})
			s.must(err)
		}
		var all []types.Topic
		p := sdk.NewListTopicsPaginator(s.client, &sdk.ListTopicsInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(s.ctx)
			s.must(err)
			all = append(all, out.Topics...)
		}
		s.equal(len(all), 105)
		arn := all[0].TopicArn
		_, err := s.client.TagResource(s.ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}})
		s.must(err)
		_, err = s.client.UntagResource(s.ctx, &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
		s.must(err)
		tags, err := s.client.ListTagsForResource(s.ctx, &sdk.ListTagsForResourceInput{ResourceArn: arn})
		s.must(err)
		s.equal(len(tags.Tags), 1)
		_, err = s.client.SetTopicAttributes(s.ctx, &sdk.SetTopicAttributesInput{TopicArn: arn, AttributeName: new("KmsMasterKeyId"), AttributeValue: new("alias/aws/sns")})
		s.must(err)
		_, err = s.client.AddPermission(s.ctx, &sdk.AddPermissionInput{TopicArn: arn, Label: new("l"), AWSAccountId: []string{"222222222222"}, ActionName: []string{"Publish"}})
		s.must(err)
		attrs, err := s.client.GetTopicAttributes(s.ctx, &sdk.GetTopicAttributesInput{TopicArn: arn})
		s.must(err)
		s.equal(attrs.Attributes["KmsMasterKeyId"], "alias/aws/sns")
		s.equal(attrs.Attributes["SubscriptionsConfirmed"], "0")
		s.equal(strings.Contains(attrs.Attributes["Policy"], "222222222222"), true)
		_, err = s.as("222222222222").GetTopicAttributes(s.ctx, &sdk.GetTopicAttributesInput{TopicArn: arn})
		s.fails(err, "AuthorizationError")
		_, err = s.client.DeleteTopic(s.ctx, &sdk.DeleteTopicInput{TopicArn: arn})
		s.must(err)
		_, err = s.client.GetTopicAttributes(s.ctx, &sdk.GetTopicAttributesInput{TopicArn: arn})
		s.fails(err, "NotFound")
		_, err = s.client.Publish(s.ctx, &sdk.PublishInput{TopicArn: arn, Message: new("x")})
		s.fails(err, "NotFound")
		_, err = s.client.Subscribe(s.ctx, &sdk.SubscribeInput{TopicArn: all[1].TopicArn, Protocol: new("email"), Endpoint: new("a@b.c")})
		s.fails(err, "InvalidParameter")
		s.equal(len(s.changes), 110)
		s.equal(s.changes[0].ID, *all[0].TopicArn)
	})
}

func TestTheProgramPublishesInItsOwnTransactions(t *testing.T) {
	suite(t, func(s *server) {
		topicARN := s.topic("news", nil)
		s.subscribe(topicARN, "sqs", work, map[string]string{"RawMessageDelivery": "true"})
		undone := errors.New("undone")
		for _, result := range []error{undone, nil} {
			err := s.db.Write(s.ctx, func(tx *db.Tx) error {
				_, err := s.store.Publish(s.ctx, tx, *topicARN, "subject", "body", nil)
				s.must(err)
				return result
			})
			s.equal(err, result)
		}
		s.drain()
		s.equal(s.bodies(work), "body")
		s.must(s.db.Read(s.ctx, func(tx *db.Tx) error {
			ok, err := topic.Exists(s.ctx, tx, *topicARN)
			s.equal(ok, true)
			return err
		}))
	})
}
