package crashtest

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	account = "123456789012"
	region  = "us-east-1"

	typePart   = "Acme::Widget::Part"
	typeToken  = "Acme::Widget::Token"  // an item of it brings the test a result token
	typeAside  = "AWS::DynamoDB::Table" // none is there: evaluated by the test itself, through PutEvaluations
	typeVolume = "AWS::EC2::Volume"
	typeBucket = "AWS::S3::Bucket"
	typeQueue  = "AWS::SQS::Queue"
	typeLambda = "AWS::Lambda::Function"

	ruleVolumes = "volumes-encrypted"
	ruleTags    = "buckets-tagged"
	ruleJudge   = "judged-by-function"
	ruleAside   = "judged-from-outside"
	ruleClock   = "run-by-the-clock"
)

// A world is one server with everything that the test made in it, and clients.
type world struct {
	*server
	clients
	function string // the name of the rule's function, of this world only

	inbox, judged, letters string    // URLs of queues
	token                  string    // result token of ruleAside
	ruled                  time.Time // when there were rules
}

// Clients try once while servers are killed, so that the test knows what was
// not acknowledged.
type clients struct {
	config *configservice.Client
	lambda *lambda.Client
	s3     *s3.Client
	sns    *sns.Client
	sqs    *sqs.Client
}

func newWorld(s *server) *world {
	return &world{
		server: s, clients: newClients(s.url(), 1), function: fmt.Sprintf("judge-%d-%d", os.Getpid(), time.Now().UnixNano()),
	}
}

func newClients(url string, attempts int) clients {
	cfg := aws.Config{
		Region: region, BaseEndpoint: &url, RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider(account, "any", ""),
		HTTPClient:  &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	return clients{
		config: configservice.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg), sns: sns.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg),
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// build makes what the test watches. Nothing is killed meanwhile.
func (w *world) build(t *testing.T, judge string) {
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, w.tail())
		}
	}
	must(w.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("deliveries")}))
	must(w.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("objects")}))
	topic, err := w.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")})
	must(topic, err)
	for name, url := range map[string]*string{"inbox": &w.inbox, "judged": &w.judged, "letters": &w.letters} {
		out, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{
			QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "600"},
		})
		must(out, err)
		*url = *out.QueueUrl
	}
	attributes, err := w.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &w.inbox, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	must(attributes, err)
	must(w.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &w.inbox, Attributes: map[string]string{
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},
			"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, attributes.Attributes["QueueArn"], *topic.TopicArn),
	}}))
	must(w.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(attributes.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	}))
	role := aws.String("arn:aws:iam::" + account + ":role/recorder")
	must(w.config.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &configtypes.ConfigurationRecorder{
		Name: aws.String("default"), RoleARN: role,
		RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
	}}))
	must(w.config.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &configtypes.DeliveryChannel{
		Name: aws.String("default"), S3BucketName: aws.String("deliveries"), SnsTopicARN: topic.TopicArn,
	}}))
	must(w.config.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")}))
	w.buildRules(t, must, judge, role)
	w.ruled = time.Now()
	must(w.config.PutResourceConfig(ctx, pushed(typeToken, "t", `{"serial": 1}`)))
	w.token = w.awaitToken(t)
}

func (w *world) buildRules(t *testing.T, must func(any, error), judge string, role *string) {
	ctx := t.Context()
	created, err := w.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &w.function, Role: role, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Timeout: aws.Int32(30), Code: &lambdatypes.FunctionCode{ZipFile: zipped(t, judge)},
		Environment: &lambdatypes.Environment{Variables: map[string]string{"JUDGED": w.judged}},
	})
	must(created, err)
	must(w.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &w.function, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"), SourceAccount: aws.String(account),
	}))
	change := []configtypes.SourceDetail{{
		EventSource: configtypes.EventSourceAwsConfig, MessageType: configtypes.MessageTypeConfigurationItemChangeNotification,
	}}
	byFunction := func(name string, types ...string) *configtypes.ConfigRule {
		return &configtypes.ConfigRule{
			ConfigRuleName: &name, Scope: &configtypes.Scope{ComplianceResourceTypes: types},
			Source: &configtypes.Source{Owner: configtypes.OwnerCustomLambda, SourceIdentifier: created.FunctionArn, SourceDetails: change},
		}
	}
	byClock := byFunction(ruleClock)
	byClock.Scope = nil
	byClock.Source.SourceDetails = []configtypes.SourceDetail{{
		EventSource: configtypes.EventSourceAwsConfig, MessageType: configtypes.MessageTypeScheduledNotification,
		MaximumExecutionFrequency: configtypes.MaximumExecutionFrequencyOneHour,
	}}
	for _, r := range []*configtypes.ConfigRule{
		byClock,
		managed(ruleVolumes, "ENCRYPTED_VOLUMES", "{}"),
		managed(ruleTags, "REQUIRED_TAGS", `{"tag1Key": "even", "tag1Value": "yes"}`),
		byFunction(ruleJudge, judgedTypes()...),
		byFunction(ruleAside, typeToken),
	} {
		must(w.config.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: r}))
	}
}

func managed(name, identifier, parameters string) *configtypes.ConfigRule {
	return &configtypes.ConfigRule{
		ConfigRuleName: &name, InputParameters: &parameters,
		Source: &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: &identifier},
	}
}

// judgedTypes is the scope of the function's rule.
func judgedTypes() []string {
	return []string{typePart, typeVolume, typeBucket, typeQueue, typeLambda}
}

// awaitToken reads the result token that the function passes on.
func (w *world) awaitToken(t *testing.T) string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		bodies, err := w.take(t.Context(), w.judged, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bodies {
			if token, ok := strings.CutPrefix(b, "token "); ok {
				return token
			}
		}
	}
	t.Fatalf("the function does not pass on a token\n%s", w.tail())
	return ""
}

// take receives messages and deletes them. What it returns without an error was
// received; a deletion that failed only has them come again.
func (w *world) take(ctx context.Context, queue string, wait int32) ([]string, error) {
	out, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: wait})
	if err != nil || len(out.Messages) == 0 {
		return nil, err
	}
	var bodies []string
	var entries []sqstypes.DeleteMessageBatchRequestEntry
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
		entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
	}
	w.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queue, Entries: entries})
	return bodies, nil
}

func pushed(resourceType, id, configuration string) *configservice.PutResourceConfigInput {
	return &configservice.PutResourceConfigInput{
		ResourceType: &resourceType, ResourceId: &id, SchemaVersionId: aws.String("00000001"), Configuration: &configuration,
	}
}

// zipped returns an archive that holds a program as bootstrap.
func zipped(t *testing.T, program string) []byte {
	t.Helper()
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	head := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	head.SetMode(0o755)
	f, err := z.CreateHeader(head)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
