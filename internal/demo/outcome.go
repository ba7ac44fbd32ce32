package demo

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A message is what the story reads of AWS Config's messages.
type message struct {
	Type          string `json:"messageType"`
	ResourceType  string `json:"resourceType"`
	ResourceID    string `json:"resourceId"`
	Rule          string `json:"configRuleName"`
	Item          *item  `json:"configurationItem"`
	NewEvaluation *struct {
		Compliance string `json:"complianceType"`
	} `json:"newEvaluationResult"`
	Diff *struct {
		Properties map[string]json.RawMessage `json:"changedProperties"`
		Type       string                     `json:"changeType"`
	} `json:"configurationItemDiff"`
}

type item struct {
	Type   string `json:"resourceType"`
	ID     string `json:"resourceId"`
	Status string `json:"configurationItemStatus"`
}

// readQueue prints the messages on the bucket until both rules have spoken.
func (st *story) readQueue(ctx context.Context) error {
	missing := map[string]bool{"item": true, managedRule: true, customRule: true}
	return until(ctx, "the messages of the change", func(ctx context.Context) (bool, error) {
		got, err := st.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &st.queueURL, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		})
		if err != nil {
			return false, err
		}
		for _, m := range got.Messages {
			var parsed message
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &parsed); err != nil {
				return false, fmt.Errorf("message %s: %w", aws.ToString(m.MessageId), err)
			}
			if text, about := st.describe(parsed); text != "" {
				st.line("message", text)
				delete(missing, about)
			}
			if _, err := st.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &st.queueURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return false, err
			}
		}
		return len(missing) == 0, nil
	})
}

// describe returns a line for a message on the bucket, and what it is about.
func (st *story) describe(m message) (text, about string) {
	switch {
	case m.Item != nil && m.Item.ID == watched && m.Item.Type == "AWS::S3::Bucket":
		text = m.Type + " " + m.Item.Status
		if m.Diff != nil && m.Diff.Type == "UPDATE" {
			return text + ", " + fmt.Sprint(len(m.Diff.Properties)) + " changed", "item"
		}
		return text, ""
	case m.Type == "ComplianceChangeNotification" && m.ResourceID == watched && m.NewEvaluation != nil:
		text = m.Type + " " + m.Rule + " " + st.verdict(m.NewEvaluation.Compliance)
		if m.NewEvaluation.Compliance == "NON_COMPLIANT" {
			about = m.Rule
		}
		return text, about
	}
	return "", ""
}

// readBucket asks for a snapshot and prints what was delivered.
func (st *story) readBucket(ctx context.Context) error {
	_, err := st.config.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")})
	if err != nil {
		return err
	}
	st.line("call", "DeliverConfigSnapshot")
	var objects []s3types.Object
	err = until(ctx, "the snapshot", func(ctx context.Context) (bool, error) {
		out, err := st.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(delivered)})
		if err != nil {
			return false, err
		}
		objects = out.Contents
		return snapshot(objects) != "", nil
	})
	if err != nil {
		return err
	}
	for _, o := range objects {
		st.line("object", fmt.Sprintf("%s, %d bytes", *o.Key, aws.ToInt64(o.Size)))
	}
	n, err := st.countItems(ctx, snapshot(objects))
	if err == nil {
		st.line("snapshot", fmt.Sprintf("has %d configuration items", n))
	}
	return err
}

func snapshot(objects []s3types.Object) string {
	for _, o := range objects {
		if strings.Contains(*o.Key, "/ConfigSnapshot/") {
			return *o.Key
		}
	}
	return ""
}

func (st *story) countItems(ctx context.Context, key string) (int, error) {
	out, err := st.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(delivered), Key: &key})
	if err != nil {
		return 0, err
	}
	defer out.Body.Close()
	z, err := gzip.NewReader(out.Body)
	if err != nil {
		return 0, err
	}
	var file struct {
		Items []json.RawMessage `json:"configurationItems"`
	}
	err = json.NewDecoder(z).Decode(&file)
	return len(file.Items), err
}
