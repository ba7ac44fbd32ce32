package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
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
		got, err := st.call(ctx, "sqs", "ReceiveMessage", shape{"QueueUrl": st.queueURL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1})
		if err != nil {
			return false, err
		}
		for _, m := range list(got, "Messages") {
			var parsed message
			if err := json.Unmarshal([]byte(text(m, "Body")), &parsed); err != nil {
				return false, fmt.Errorf("message %s: %w", text(m, "MessageId"), err)
			}
			if line, about := st.describe(parsed); line != "" {
				st.line("message", line)
				delete(missing, about)
			}
			if _, err := st.call(ctx, "sqs", "DeleteMessage", shape{"QueueUrl": st.queueURL, "ReceiptHandle": text(m, "ReceiptHandle")}); err != nil {
				return false, err
			}
		}
		return len(missing) == 0, nil
	})
}

// describe returns a line for a message on the bucket, and what it is about.
func (st *story) describe(m message) (line, about string) {
	switch {
	case m.Item != nil && m.Item.ID == watched && m.Item.Type == "AWS::S3::Bucket":
		line = m.Type + " " + m.Item.Status
		if m.Diff != nil && m.Diff.Type == "UPDATE" {
			return line + ", " + fmt.Sprint(len(m.Diff.Properties)) + " changed", "item"
		}
		return line, ""
	case m.Type == "ComplianceChangeNotification" && m.ResourceID == watched && m.NewEvaluation != nil:
		line = m.Type + " " + m.Rule + " " + st.verdict(m.NewEvaluation.Compliance)
		if m.NewEvaluation.Compliance == "NON_COMPLIANT" {
			about = m.Rule
		}
		return line, about
	}
	return "", ""
}

// readBucket asks for a snapshot and prints what was delivered.
func (st *story) readBucket(ctx context.Context) error {
	_, err := st.call(ctx, "config", "DeliverConfigSnapshot", shape{"deliveryChannelName": "default"})
	if err != nil {
		return err
	}
	st.line("call", "DeliverConfigSnapshot")
	var objects []shape
	err = until(ctx, "the snapshot", func(ctx context.Context) (bool, error) {
		out, err := st.call(ctx, "s3", "ListObjectsV2", shape{"Bucket": delivered})
		objects = list(out, "Contents")
		return snapshot(objects) != "", err
	})
	if err != nil {
		return err
	}
	for _, o := range objects {
		st.line("object", fmt.Sprintf("%s, %v bytes", text(o, "Key"), o["Size"]))
	}
	n, err := st.countItems(ctx, snapshot(objects))
	if err == nil {
		st.line("snapshot", fmt.Sprintf("has %d configuration items", n))
	}
	return err
}

// snapshot returns the key of the snapshot among objects, "" if there is none.
func snapshot(objects []shape) string {
	for _, o := range objects {
		if key := text(o, "Key"); strings.Contains(key, "/ConfigSnapshot/") {
			return key
		}
	}
	return ""
}

func (st *story) countItems(ctx context.Context, key string) (int, error) {
	out, err := st.call(ctx, "s3", "GetObject", shape{"Bucket": delivered, "Key": key})
	if err != nil {
		return 0, err
	}
	body, _ := out["Body"].([]byte)
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	var file struct {
		Items []json.RawMessage `json:"configurationItems"`
	}
	err = json.NewDecoder(z).Decode(&file)
	return len(file.Items), err
}
