package demo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// makeResources makes the bucket that is watched, and what is told of it.
func (st *story) makeResources(ctx context.Context) error {
	if err := st.makeBucket(ctx); err != nil {
		return fmt.Errorf("bucket: %w", err)
	}
	if err := st.makeTopic(ctx); err != nil {
		return fmt.Errorf("topic and queue: %w", err)
	}
	return nil
}

func (st *story) makeBucket(ctx context.Context) error {
	for _, name := range []string{watched, delivered} {
		in := &s3.CreateBucketInput{Bucket: &name}
		if st.Region != "us-east-1" {
			in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{
				LocationConstraint: s3types.BucketLocationConstraint(st.Region),
			}
		}
		if _, err := st.s3.CreateBucket(ctx, in); err != nil {
			return err
		}
	}
	if err := st.setVersioning(ctx, s3types.BucketVersioningStatusEnabled); err != nil {
		return err
	}
	_, err := st.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
		Bucket:  aws.String(watched),
		Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("data"), Value: aws.String("important")}}},
	})
	if err == nil {
		st.line("bucket", watched+", with versioning, tagged data=important")
		st.line("bucket", delivered+", for what AWS Config delivers")
	}
	return err
}

func (st *story) setVersioning(ctx context.Context, to s3types.BucketVersioningStatus) error {
	_, err := st.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String(watched), VersioningConfiguration: &s3types.VersioningConfiguration{Status: to},
	})
	return err
}

func (st *story) makeTopic(ctx context.Context) error {
	topic, err := st.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(topicName)})
	if err != nil {
		return err
	}
	queue, err := st.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(queueName)})
	if err != nil {
		return err
	}
	st.topicARN, st.queueURL = *topic.TopicArn, *queue.QueueUrl
	st.queueARN = "arn:aws:sqs:" + st.Region + ":" + st.Account + ":" + queueName
	_, err = st.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &st.queueARN,
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err == nil {
		st.line("topic", topicName)
		st.line("queue", queueName+", subscribed to the topic")
	}
	return err
}

// startRecording makes a recorder and a delivery channel, and waits for the
// inventory.
func (st *story) startRecording(ctx context.Context) error {
	name := aws.String("default")
	_, err := st.config.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &configtypes.ConfigurationRecorder{
			Name: name, RoleARN: aws.String("arn:aws:iam::" + st.Account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
			RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
		},
	})
	if err != nil {
		return err
	}
	_, err = st.config.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &configtypes.DeliveryChannel{Name: name, S3BucketName: aws.String(delivered), SnsTopicARN: &st.topicARN},
	})
	if err != nil {
		return err
	}
	st.line("channel", "files to "+delivered+", messages to "+topicName)
	if _, err := st.config.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: name}); err != nil {
		return err
	}
	st.line("recorder", "started, for every type")
	err = until(ctx, "the first item of the bucket", func(ctx context.Context) (bool, error) {
		it, err := st.newest(ctx)
		return it != nil, err
	})
	if err != nil {
		return err
	}
	st.line("item", "AWS::S3::Bucket "+watched+" discovered")
	return nil
}

// newest returns the newest configuration item of the bucket, or nil.
func (st *story) newest(ctx context.Context) (*configtypes.ConfigurationItem, error) {
	out, err := st.config.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{
		ResourceType: configtypes.ResourceTypeBucket, ResourceId: aws.String(watched), Limit: 1,
	})
	if notYet(err) {
		return nil, nil
	}
	if err != nil || len(out.ConfigurationItems) == 0 {
		return nil, err
	}
	return &out.ConfigurationItems[0], nil
}
