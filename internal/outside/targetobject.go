package outside

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
)

// bucketExists reports whether there is a bucket that a function may write to.
func (t *Targets) bucketExists(ctx context.Context, tx *db.Tx, from caller.Sender, name string) (bool, error) {
	b, err := bucket.Read(ctx, tx, name)
	if model.IsCode(err, "NoSuchBucket") {
		return t.Clients.settings.Place(from.Account, from.Region).Target != "", nil // which may have it
	}
	if err != nil || b.Account == from.Account {
		return err == nil, err
	}
	text, _, err := bucket.ReadConfiguration(ctx, tx, name, bucket.KindPolicy, "")
	if err != nil {
		return false, err
	}
	return granted(from, text, "s3:PutObject", objectARN(from.Region, name, "aws/lambda/object")) == nil, nil
}

// object is the job that writes a message to a bucket, once what it tells is durable.
type object struct {
	Place  config.Place `json:"place"`
	Sender string       `json:"sender"` // ARN
	Role   string       `json:"role"`
	Bucket string       `json:"bucket"`
	Key    string       `json:"key"`
	Body   []byte       `json:"body"` // compressed with gzip: it may have the whole of a batch
}

func (object) Kind() string { return "outside.object" }

// Owner is the sender's account.
func (j object) Owner() string { return j.Place.Account }

func (t *Targets) sendObject(ctx context.Context, tx *db.Tx, from caller.Sender, name string, m lambda.Message) error {
	if m.Key == "" {
		return fmt.Errorf("target %s does not take messages", m.Target)
	}
	if !t.replaces(from, "s3") {
		if err := t.roleMay(ctx, tx, from, arn.ARN{Partition: arn.Partition(from.Region), Service: "s3", Resource: name}); err != nil {
			return err
		}
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := io.Copy(z, strings.NewReader(m.Body)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	j := object{Place: place(from), Sender: from.ARN, Role: from.Role, Bucket: name, Key: m.Key, Body: body.Bytes()}
	return t.Jobs.Insert(ctx, tx, j, callOptions())
}

// write puts an object into its bucket. What S3 refuses is lost, as with AWS.
func (t *Targets) write(ctx context.Context, j job.Job[object]) error {
	a := j.Args
	z, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		return job.Discard(fmt.Errorf("read an object for bucket %s: %w", a.Bucket, err))
	}
	body, err := io.ReadAll(z)
	if err != nil {
		return job.Discard(fmt.Errorf("read an object for bucket %s: %w", a.Bucket, err))
	}
	from := caller.Sender{Account: a.Place.Account, Region: a.Place.Region, ARN: a.Sender, Role: a.Role}
	err = t.Buckets.Put(ctx, from, a.Bucket, a.Key, bytes.NewReader(body), int64(len(body)), bucket.Meta{ContentType: "application/json"})
	if e, ok := errors.AsType[*model.Error](err); ok && e.Status < 500 {
		t.log.Warn("result of event was not delivered", "function", a.Sender, "target", a.Bucket, "err", err)
		return nil
	}
	return err
}
