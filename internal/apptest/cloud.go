package apptest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rogpeppe/go-internal/testscript"
)

// The names of what Record makes.
const (
	DeliveryBucket = "delivered"
	DeliveryTopic  = "published"
	DeliveryQueue  = "received"
)

// Record makes a bucket, a topic with a queue that subscribes to it, a delivery channel
// to both, and a recorder that runs.
func (p *Plumb) Record(ctx context.Context) error {
	topic := "arn:aws:sns:" + p.region + ":" + p.account + ":" + DeliveryTopic
	queue := "arn:aws:sqs:" + p.region + ":" + p.account + ":" + DeliveryQueue
	steps := []func() error{
		func() error { return p.makeBucket(ctx, DeliveryBucket) },
		func() error {
			return second(p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(DeliveryTopic)}))
		},
		func() error {
			return second(p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(DeliveryQueue)}))
		},
		func() error {
			return second(p.SNS().Subscribe(ctx, &sns.SubscribeInput{
				TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue, Attributes: map[string]string{"RawMessageDelivery": "true"},
			}))
		},
		func() error {
			return second(p.Config().PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{
				ConfigurationRecorder: &configtypes.ConfigurationRecorder{
					Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::" + p.account + ":role/config"),
					RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
				},
			}))
		},
		func() error {
			return second(p.Config().PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
				DeliveryChannel: &configtypes.DeliveryChannel{
					Name: aws.String("default"), S3BucketName: aws.String(DeliveryBucket), SnsTopicARN: &topic,
				},
			}))
		},
		func() error {
			return second(p.Config().StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{
				ConfigurationRecorderName: aws.String("default"),
			}))
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

func (p *Plumb) makeBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if p.region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(p.region)}
	}
	return second(p.S3().CreateBucket(ctx, in))
}

func (p *Plumb) setVersioning(ctx context.Context, bucket string, to s3types.BucketVersioningStatus) error {
	return second(p.S3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: to},
	}))
}

func (st *story) record(*testscript.TestScript, []string) error {
	return st.plumb.Record(context.Background())
}

// cloud changes a resource through its own service.
func (st *story) cloud(_ *testscript.TestScript, args []string) error {
	if len(args) < 3 || args[0] != "s3" {
		return fmt.Errorf("want cloud s3 VERB BUCKET")
	}
	ctx, bucket := context.Background(), args[2]
	switch args[1] {
	case "make":
		return st.plumb.makeBucket(ctx, bucket)
	case "remove":
		return second(st.plumb.S3().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}))
	case "enable-versioning":
		return st.plumb.setVersioning(ctx, bucket, s3types.BucketVersioningStatusEnabled)
	case "suspend-versioning":
		return st.plumb.setVersioning(ctx, bucket, s3types.BucketVersioningStatusSuspended)
	case "tag":
		var tags []s3types.Tag
		for _, kv := range args[3:] {
			key, value, _ := strings.Cut(kv, "=")
			tags = append(tags, s3types.Tag{Key: &key, Value: &value})
		}
		return second(st.plumb.S3().PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
			Bucket: &bucket, Tagging: &s3types.Tagging{TagSet: tags},
		}))
	}
	return fmt.Errorf("s3 %s: want make, remove, enable-versioning, suspend-versioning or tag", args[1])
}

// function makes a Python function that AWS Config may invoke.
func (st *story) function(ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want function NAME FILE HANDLER")
	}
	code, err := zipFile(ts.MkAbs(args[1]))
	if err != nil {
		return err
	}
	return st.plumb.PutFunction(context.Background(), args[0], args[2], code)
}

// PutFunction makes a Python function of zipped code and lets AWS Config invoke it.
func (p *Plumb) PutFunction(ctx context.Context, name, handler string, code []byte) error {
	_, err := p.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Handler: &handler, Runtime: lambdatypes.RuntimePython312,
		Role: aws.String("arn:aws:iam::" + p.account + ":role/rule"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		Timeout: aws.Int32(30),
	})
	if err != nil {
		return err
	}
	return second(p.Lambda().AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &name, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"),
	}))
}

func zipFile(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return zipText(filepath.Base(name), text)
}

// published takes a message that all patterns match away from what the queue received.
func (st *story) published(args []string) (bool, error) {
	var patterns []*regexp.Regexp
	for _, arg := range args {
		p, err := regexp.Compile(arg)
		if err != nil {
			return false, err
		}
		patterns = append(patterns, p)
	}
	matches := func(body string) bool {
		return !slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return !p.MatchString(body) })
	}
	if err := st.plumb.drain(); err != nil {
		return false, err
	}
	more, err := st.plumb.Received(context.Background())
	if err != nil {
		return false, err
	}
	st.received = append(st.received, more...)
	i := slices.IndexFunc(st.received, matches)
	if i < 0 {
		return false, nil
	}
	st.received = slices.Delete(st.received, i, i+1)
	return true, nil
}

// Received takes away and returns the bodies of all messages in the queue that
// receives what is published.
func (p *Plumb) Received(ctx context.Context) ([]string, error) {
	u, err := p.SQS().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(DeliveryQueue)})
	if err != nil {
		return nil, err
	}
	var bodies []string
	for {
		got, err := p.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: u.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil || len(got.Messages) == 0 {
			return bodies, err
		}
		for _, m := range got.Messages {
			bodies = append(bodies, *m.Body)
			_, err := p.SQS().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: u.QueueUrl, ReceiptHandle: m.ReceiptHandle})
			if err != nil {
				return bodies, err
			}
		}
	}
}

// delivered looks for a key in the delivery bucket.
func (st *story) delivered(args []string) (bool, error) {
	pattern, err := regexp.Compile(strings.Join(args, " "))
	if err != nil {
		return false, err
	}
	list, err := st.plumb.S3().ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String(DeliveryBucket)})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.Contents, func(o s3types.Object) bool { return pattern.MatchString(*o.Key) }), nil
}
