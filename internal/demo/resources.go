package demo

import (
	"context"
	"fmt"

	"plumb/internal/awsclient"
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
		in := shape{"Bucket": name}
		if st.Region != "us-east-1" {
			in["CreateBucketConfiguration"] = shape{"LocationConstraint": st.Region}
		}
		if _, err := st.call(ctx, "s3", "CreateBucket", in); err != nil {
			return err
		}
	}
	if err := st.setVersioning(ctx, "Enabled"); err != nil {
		return err
	}
	_, err := st.call(ctx, "s3", "PutBucketTagging", shape{
		"Bucket": watched, "Tagging": shape{"TagSet": []any{shape{"Key": "data", "Value": "important"}}},
	})
	if err == nil {
		st.line("bucket", watched+", with versioning, tagged data=important")
		st.line("bucket", delivered+", for what AWS Config delivers")
	}
	return err
}

func (st *story) setVersioning(ctx context.Context, status string) error {
	_, err := st.call(ctx, "s3", "PutBucketVersioning", shape{"Bucket": watched, "VersioningConfiguration": shape{"Status": status}})
	return err
}

func (st *story) makeTopic(ctx context.Context) error {
	topic, err := st.call(ctx, "sns", "CreateTopic", shape{"Name": topicName})
	if err != nil {
		return err
	}
	queue, err := st.call(ctx, "sqs", "CreateQueue", shape{"QueueName": queueName})
	if err != nil {
		return err
	}
	st.topicARN, st.queueURL = text(topic, "TopicArn"), text(queue, "QueueUrl")
	_, err = st.call(ctx, "sns", "Subscribe", shape{
		"TopicArn": st.topicARN, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:" + st.Region + ":" + st.Account + ":" + queueName,
		"Attributes": shape{"RawMessageDelivery": "true"},
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
	_, err := st.call(ctx, "config", "PutConfigurationRecorder", shape{"ConfigurationRecorder": shape{
		"name": "default", "roleARN": "arn:aws:iam::" + st.Account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
		"recordingGroup": shape{"allSupported": true, "includeGlobalResourceTypes": true},
	}})
	if err != nil {
		return err
	}
	_, err = st.call(ctx, "config", "PutDeliveryChannel", shape{
		"DeliveryChannel": shape{"name": "default", "s3BucketName": delivered, "snsTopicARN": st.topicARN},
	})
	if err != nil {
		return err
	}
	st.line("channel", "files to "+delivered+", messages to "+topicName)
	if _, err := st.call(ctx, "config", "StartConfigurationRecorder", shape{"ConfigurationRecorderName": "default"}); err != nil {
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
func (st *story) newest(ctx context.Context) (shape, error) {
	out, err := st.call(ctx, "config", "GetResourceConfigHistory", shape{"resourceType": "AWS::S3::Bucket", "resourceId": watched, "limit": 1})
	if awsclient.Code(err) == "ResourceNotDiscoveredException" {
		return nil, nil
	}
	items := list(out, "configurationItems")
	if err != nil || len(items) == 0 {
		return nil, err
	}
	return items[0], nil
}
