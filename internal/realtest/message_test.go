package realtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

var updateMessages = flag.Bool("update-messages", false, "write testdata/messages anew")

// The nine types, and which message of each is looked at.
var nine = map[string]*regexp.Regexp{
	"ConfigurationItemChangeNotification":            regexp.MustCompile(`"changeType":"UPDATE".*"resourceId":"data"`),
	"OversizedConfigurationItemChangeNotification":   regexp.MustCompile(`"resourceId":"big"`),
	"OversizedConfigurationItemChangeDeliveryFailed": regexp.MustCompile(`"resourceId":"big"`),
	"ComplianceChangeNotification":                   regexp.MustCompile(`"resourceId":"data".*"complianceType":"COMPLIANT".*"oldEvaluationResult":\{`),
	"ConfigRulesEvaluationStarted":                   regexp.MustCompile(``),
	"ConfigurationSnapshotDeliveryStarted":           regexp.MustCompile(``),
	"ConfigurationSnapshotDeliveryCompleted":         regexp.MustCompile(``),
	"ConfigurationSnapshotDeliveryFailed":            regexp.MustCompile(``),
	"ConfigurationHistoryDeliveryCompleted":          regexp.MustCompile(`AWS::S3::Bucket`),
}

func TestEveryMessageArrivesAsItIsDocumented(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		p := apptest.Start(t, func(s *settings.Settings) { s.LogLevel = "error" })
		tellAll(t, p, p.SDK())
	})
	t.Run("moto", func(t *testing.T) {
		if os.Getenv("PLUMB_TEST_REAL") == "" {
			t.Skip("PLUMB_TEST_REAL is not set: with it, an outside SNS and S3 are used")
		}
		moto := startMoto(t)
		p := apptest.Start(t, func(s *settings.Settings) {
			s.LogLevel, s.Endpoints = "error", settings.Endpoints{S3: moto, SNS: moto}
			s.Accounts = []settings.Account{{Account: s.Account, AccessKeyID: "test", SecretAccessKey: "test"}}
		})
		away := p.SDK()
		away.BaseEndpoint, away.Credentials = &moto, credentials.NewStaticCredentialsProvider("test", "test", "")
		tellAll(t, p, away)
	})
}

// tellAll has all nine types sent to a topic of a cloud, and compares what a queue and
// an HTTP endpoint got with the golden files.
func tellAll(t *testing.T, p *apptest.Plumb, cloud aws.Config) {
	c := &consumer{t: t, sqs: sqs.NewFromConfig(cloud), sns: sns.NewFromConfig(cloud), s3: s3.NewFromConfig(cloud, pathStyle), resources: p.S3(), config: p.Config()}
	p.Clock().Freeze(time.Now().Truncate(time.Millisecond))
	c.listen()
	drain := func() { p.Drain(t); c.confirm(); p.Clock().Advance(time.Minute); p.Drain(t) }
	drain()
	c.record()
	drain()
	c.putRule()
	c.makeBucket(c.resources, "data")
	drain()
	c.must(second(c.resources.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: new("data"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})))
	drain()
	c.makeBucket(c.resources, "big")
	drain()
	c.enlarge("a")
	drain()
	c.must(second(c.config.StartConfigRulesEvaluation(t.Context(), &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"versioned"}})))
	c.must(second(c.config.DeliverConfigSnapshot(t.Context(), &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: new("default")})))
	drain()
	p.Clock().Advance(6 * time.Hour)
	drain()
	c.removeDelivered()
	c.enlarge("b")
	c.must(second(c.config.DeliverConfigSnapshot(t.Context(), &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: new("default")})))
	drain()
	c.compare(c.queued(), "queue", true)
	c.compare(c.posts(), "endpoint", false)
}

func pathStyle(o *s3.Options) { o.UsePathStyle = true }

// A consumer is the other side of a delivery channel.
type consumer struct {
	t             *testing.T
	sqs           *sqs.Client
	sns           *sns.Client
	s3, resources *s3.Client // where files go, and what is recorded
	config        *configservice.Client

	queue, topic string
	mu           sync.Mutex
	got          []note
}

// A note is SNS's envelope.
type note struct{ Type, Subject, Message, SubscribeURL string }

func (c *consumer) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// listen makes a topic with a queue and an HTTP endpoint behind it.
func (c *consumer) listen() {
	c.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n note
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &n); err != nil {
			c.t.Errorf("%v: %s", err, b)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, n)
	}))
	c.t.Cleanup(server.Close)
	ctx := c.t.Context()
	q, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("consumer")})
	c.must(err)
	c.queue = *q.QueueUrl
	attributes, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &c.queue, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	c.must(err)
	topic, err := c.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("config")})
	c.must(err)
	c.topic = *topic.TopicArn
	c.must(second(c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &c.topic, Protocol: new("sqs"), Endpoint: new(attributes.Attributes["QueueArn"])})))
	c.must(second(c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &c.topic, Protocol: new("http"), Endpoint: &server.URL})))
}

// confirm follows the links of requests to confirm.
func (c *consumer) confirm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.got {
		if n.SubscribeURL != "" && n.Type == "SubscriptionConfirmation" {
			if res, err := http.Get(n.SubscribeURL); err == nil { // moto's own leads to Amazon, and it needs none
				res.Body.Close()
			}
		}
	}
	c.got = slices.DeleteFunc(c.got, func(n note) bool { return n.Type != "Notification" })
}

func (c *consumer) makeBucket(client *s3.Client, name string) {
	c.t.Helper()
	c.must(second(client.CreateBucket(c.t.Context(), &s3.CreateBucketInput{Bucket: &name})))
}

func (c *consumer) record() {
	c.t.Helper()
	c.makeBucket(c.s3, "delivered-here")
	c.must(second(c.config.PutConfigurationRecorder(c.t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		Name: new("default"), RoleARN: new("arn:aws:iam::123456789012:role/config"),
		RecordingGroup: &types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket}},
	}})))
	c.must(second(c.config.PutDeliveryChannel(c.t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{
		Name: new("default"), S3BucketName: new("delivered-here"), SnsTopicARN: &c.topic,
	}})))
	c.must(second(c.config.StartConfigurationRecorder(c.t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})))
}

func (c *consumer) putRule() {
	c.t.Helper()
	c.must(second(c.config.PutConfigRule(c.t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: new("versioned"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")},
	}})))
}

// enlarge gives a bucket so many lifecycle rules that its item is larger than a message.
func (c *consumer) enlarge(letter string) {
	c.t.Helper()
	var rules []s3types.LifecycleRule
	for i := range 1000 {
		rules = append(rules, s3types.LifecycleRule{
			ID: new(fmt.Sprintf("%s%04d", strings.Repeat(letter, 200), i)), Filter: &s3types.LifecycleRuleFilter{Prefix: new(fmt.Sprint(letter, i))},
			Status: s3types.ExpirationStatusEnabled, Expiration: &s3types.LifecycleExpiration{Days: new(int32(7))},
		})
	}
	c.must(second(c.resources.PutBucketLifecycleConfiguration(c.t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: new("big"), LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{Rules: rules},
	})))
}

// removeDelivered deletes the bucket of the delivery channel.
func (c *consumer) removeDelivered() {
	c.t.Helper()
	bucket := new("delivered-here")
	list, err := c.s3.ListObjectsV2(c.t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
	c.must(err)
	for _, o := range list.Contents {
		c.must(second(c.s3.DeleteObject(c.t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: o.Key})))
	}
	c.must(second(c.s3.DeleteBucket(c.t.Context(), &s3.DeleteBucketInput{Bucket: bucket})))
}

// queued takes all messages of the queue.
func (c *consumer) queued() (out []note) {
	c.t.Helper()
	for {
		got, err := c.sqs.ReceiveMessage(c.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &c.queue, MaxNumberOfMessages: 10})
		c.must(err)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			var n note
			c.must(json.Unmarshal([]byte(*m.Body), &n))
			out = append(out, n)
			c.must(second(c.sqs.DeleteMessage(c.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &c.queue, ReceiptHandle: m.ReceiptHandle})))
		}
	}
}

func (c *consumer) posts() []note {
	c.confirm()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// compare wants one message of each type to be as its golden file says.
func (c *consumer) compare(all []note, who string, writes bool) {
	c.t.Helper()
	found := map[string]bool{}
	for _, n := range all {
		var m struct {
			Type string `json:"messageType"`
		}
		if err := json.Unmarshal([]byte(n.Message), &m); err != nil {
			c.t.Fatalf("the %s got %q: %v", who, n.Message, err)
		}
		which, known := nine[m.Type]
		if !known {
			c.t.Errorf("the %s got a message of type %q", who, m.Type)
			continue
		}
		if found[m.Type] || !which.MatchString(n.Message) {
			continue
		}
		found[m.Type] = true
		c.sameAsGolden(n, m.Type, who, writes)
	}
	for kind := range nine {
		if !found[kind] {
			c.t.Errorf("the %s got no %s", who, kind)
		}
	}
}

// What differs from run to run: times, ids, states, digests, ARNs of rules.
var replaced = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)`), "TIME"},
	{regexp.MustCompile(`\d{8}T\d{6}Z`), "STAMP"},
	{regexp.MustCompile(`us-east-1/\d{4}/\d+/\d+/`), "us-east-1/DAY/"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\b1[0-9]{12}\b`), "1000000000000"},
	{regexp.MustCompile(`_1[0-9]{12}\.json`), "_1000000000000.json"},
	{regexp.MustCompile(`config-rule-[a-z0-9]{6}`), "config-rule-abcdef"},
}

func (c *consumer) sameAsGolden(n note, kind, who string, writes bool) {
	c.t.Helper()
	var body any
	d := json.NewDecoder(strings.NewReader(n.Message))
	d.UseNumber()
	c.must(d.Decode(&body))
	text, err := json.MarshalIndent(map[string]any{"Subject": n.Subject, "Message": body}, "", "  ")
	c.must(err)
	got := string(text) + "\n"
	for _, r := range replaced {
		got = r.what.ReplaceAllString(got, r.by)
	}
	name := filepath.Join("testdata", "messages", kind+".json")
	if *updateMessages && writes {
		c.must(os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	c.must(err)
	if got != string(want) {
		c.t.Errorf("the %s got another %s than %s:\n%s", who, kind, name, got)
	}
}
