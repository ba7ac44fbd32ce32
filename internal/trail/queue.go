package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
)

// maxReceives bounds one reading of a queue, ten messages each.
const maxReceives = 100

// readQueue takes what a queue has now. A message that could not be taken comes again.
func (t *Trail) readQueue(ctx context.Context, s Source, c *awsclient.Client) error {
	var failures error
	buckets := t.bucketClients(s, c)
	for range maxReceives {
		out, err := c.Call(ctx, "sqs", "ReceiveMessage", map[string]any{"QueueUrl": s.Address, "MaxNumberOfMessages": int64(10), "VisibilityTimeout": int64(120)})
		if err != nil {
			return joined(failures, err)
		}
		messages, _ := out["Messages"].([]any)
		if len(messages) == 0 {
			return failures
		}
		for _, m := range messages {
			message, _ := m.(map[string]any)
			body, _ := message["Body"].(string)
			err := t.takeMessage(ctx, s, buckets, body)
			if err == nil {
				_, err = c.Call(ctx, "sqs", "DeleteMessage", map[string]any{"QueueUrl": s.Address, "ReceiptHandle": message["ReceiptHandle"]})
			}
			if failures = joined(failures, err); ctx.Err() != nil {
				return failures
			}
		}
	}
	return failures
}

// A bucketClients returns a client for the region of a bucket.
type bucketClients func(ctx context.Context, bucket string) (*awsclient.Client, error)

// bucketClients asks once for each bucket.
func (t *Trail) bucketClients(s Source, c *awsclient.Client) bucketClients {
	known := map[string]*awsclient.Client{}
	return func(ctx context.Context, bucket string) (*awsclient.Client, error) {
		if known[bucket] == nil {
			its, err := t.bucketClient(ctx, s, c, bucket)
			switch {
			case unreadable[awsclient.Code(err)]: // its files tell, and may be in the queue's region
				its = c
			case err != nil:
				return nil, fmt.Errorf("find the region of %s: %w", bucket, err)
			}
			known[bucket] = its
		}
		return known[bucket], nil
	}
}

// takeMessage takes the records that a message has or speaks of.
func (t *Trail) takeMessage(ctx context.Context, s Source, buckets bucketClients, body string) error {
	m := parseMessage([]byte(body))
	if err := t.take(ctx, s, m.records); err != nil {
		return err
	}
	for _, f := range m.files {
		c, err := buckets(ctx, f.bucket)
		if err != nil {
			return err
		}
		records, err := t.readFile(ctx, c, f)
		if err != nil {
			return err
		}
		if err := t.take(ctx, s, records); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trail) take(ctx context.Context, s Source, bodies [][]byte) error {
	for chunk := range slices.Chunk(s.records(bodies), takeAtOnce) {
		if err := t.DB.Write(ctx, func(tx *db.Tx) error { return t.Take(ctx, tx, chunk) }); err != nil {
			return fmt.Errorf("take records of CloudTrail: %w", err)
		}
	}
	return nil
}

// A message is what a queue's message says: records, and files of them.
type message struct {
	records [][]byte
	files   []file
}

// parseMessage reads a message. One that is of none of the known forms says nothing.
func parseMessage(body []byte) (m message) {
	var any struct {
		Type       string // of SNS
		Message    string
		DetailType string            `json:"detail-type"` // of EventBridge
		Detail     json.RawMessage   `json:"detail"`
		Records    []json.RawMessage // of a file, or of S3
		Bucket     string            `json:"s3Bucket"` // of CloudTrail's topic
		Keys       []string          `json:"s3ObjectKey"`
		EventID    string            `json:"eventID"` // of a record
	}
	if json.Unmarshal(body, &any) != nil {
		return m
	}
	switch {
	case any.Type == "Notification" && any.Message != "":
		return parseMessage([]byte(any.Message))
	case any.DetailType == config.CallDetailType:
		m.records = append(m.records, any.Detail)
	case any.Bucket != "":
		for _, key := range any.Keys {
			m.add(any.Bucket, key)
		}
	case any.EventID != "":
		m.records = append(m.records, body)
	}
	for _, r := range any.Records {
		var notice struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key string }
			}
		}
		if json.Unmarshal(r, &notice) == nil && notice.S3.Object.Key != "" {
			if key, err := url.QueryUnescape(notice.S3.Object.Key); err == nil {
				m.add(notice.S3.Bucket.Name, key)
			}
			continue
		}
		m.records = append(m.records, r)
	}
	return m
}

// maxFiles is how many files a message may name.
const maxFiles = 100

func (m *message) add(bucket, key string) {
	if isFile(key) && len(m.files) < maxFiles {
		m.files = append(m.files, file{bucket, key})
	}
}
