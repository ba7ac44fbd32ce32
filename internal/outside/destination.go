package outside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/topic"
)

// A Destination reaches the buckets and topics that delivery channels name: those of
// an outside service where the settings name one, else those embedded here.
type Destination struct {
	db      *db.DB
	clients *Clients
	buckets *bucket.Store
	topics  *topic.Store
	page    func(config.ResourceKey) string
}

// NewDestination returns where a channel's files and messages go. page, which may be nil,
// returns where people find a resource, for mail.
func NewDestination(d *db.DB, c *Clients, b *bucket.Store, t *topic.Store, page func(config.ResourceKey) string) *Destination {
	return &Destination{d, c, b, t, page}
}

// atOnce is how many messages are on their way to an outside topic at once.
const atOnce = 8

// Publish sends messages to a topic.
func (o *Destination) Publish(ctx context.Context, p config.Place, topicARN string, all []delivery.Message) []error {
	client, err := o.clients.Once(ctx, p, "sns")
	switch {
	case err != nil:
		return delivery.SendEach(ctx, all, 1, func(context.Context, delivery.Message) error { return err })
	case client == nil:
		return o.publishHere(ctx, p, topicARN, all)
	}
	return delivery.SendEach(ctx, all, atOnce, func(ctx context.Context, m delivery.Message) error {
		in := map[string]any{"TopicArn": topicARN, "Message": m.Body}
		if body := o.withMail(p, m.Body); body != "" {
			in["Message"], in["MessageStructure"] = body, structured
		}
		if m.Subject != "" {
			in["Subject"] = m.Subject
		}
		_, err := client.Call(ctx, "sns", "Publish", in)
		return reason(err)
	})
}

// publishHere sends messages to an embedded topic: together, or, if that fails, one
// by one, so that it is told of each how it went.
func (o *Destination) publishHere(ctx context.Context, p config.Place, topicARN string, all []delivery.Message) []error {
	var toMail bool
	err := o.db.Read(ctx, func(tx *db.Tx) (err error) {
		toMail, err = topic.HasMail(ctx, tx, topicARN)
		return err
	})
	if err != nil {
		return delivery.SendEach(ctx, all, 1, func(context.Context, delivery.Message) error { return err })
	}
	publish := func(ctx context.Context, some ...delivery.Message) error {
		ins := make([]snsapi.PublishInput, len(some))
		for i, m := range some {
			ins[i].Message = &m.Body
			if body := ""; toMail {
				if body = o.withMail(p, m.Body); body != "" {
					ins[i].Message, ins[i].MessageStructure = &body, new(structured)
				}
			}
			if m.Subject != "" {
				ins[i].Subject = &m.Subject
			}
		}
		return reason(o.topics.PublishInOrder(ctx, topicARN, ins, func(ctx context.Context, tx *db.Tx) error {
			return May(ctx, tx, configOf(p), topicARN)
		}))
	}
	if len(all) > 1 && publish(ctx, all...) == nil {
		return make([]error, len(all))
	}
	return delivery.SendEach(ctx, all, 1, func(ctx context.Context, m delivery.Message) error { return publish(ctx, m) })
}

// structured is SNS's word for a message with a body for each protocol.
const structured = "json"

// withMail returns a structured message with a text of its own for e-mail subscriptions;
// empty where those get the body, or both would be larger than SNS takes.
func (o *Destination) withMail(p config.Place, body string) string {
	text := delivery.Email(p, body, o.page)
	if text == "" {
		return ""
	}
	b, err := json.Marshal(map[string]string{"default": body, "email": text})
	if err != nil || len(b) > config.MaxMessage {
		return ""
	}
	return string(b)
}

// configOf is AWS Config in a place, as the policies of topics and buckets know it.
func configOf(p config.Place) caller.Sender {
	source := arn.ARN{Partition: arn.Partition(p.Region), Service: "config", Region: p.Region, Account: p.Account, Resource: "*"}
	return caller.Sender{Account: p.Account, Region: p.Region, Service: "config.amazonaws.com", ARN: source.String()}
}

// PutObject writes an object to a bucket.
func (o *Destination) PutObject(
	ctx context.Context, p config.Place, name, key string, body io.ReadSeeker, size int64, kmsKeyARN string,
) error {
	client, err := o.clients.Service(ctx, p, "s3")
	if err != nil {
		return err
	}
	if client == nil {
		meta := bucket.Meta{ContentType: contentType(key), KMSKey: kmsKeyARN}
		if kmsKeyARN != "" {
			meta.Encryption = "aws:kms"
		}
		b, err := o.buckets.Find(ctx, name)
		if err == nil {
			err = mayPut(ctx, o.buckets, p.Account, asConfig(p, name, key), b, meta)
		}
		if err == nil {
			_, err = o.buckets.PutObject(ctx, bucket.PutRequest{Bucket: b, Key: key, Body: body, Meta: meta})
		}
		return reason(err)
	}
	in := map[string]any{"Bucket": name, "Key": key, "ContentType": contentType(key), "ACL": "bucket-owner-full-control"}
	if kmsKeyARN != "" {
		in["ServerSideEncryption"], in["SSEKMSKeyId"] = "aws:kms", kmsKeyARN
	}
	return reason(putWhole(ctx, client, in, body, size))
}

// contentType of the files. They have no content encoding, which some clients
// undo by themselves: who reads them goes by .json.gz and unpacks.
func contentType(key string) string {
	if strings.HasSuffix(key, ".parquet") {
		return "application/vnd.apache.parquet"
	}
	return "application/json"
}

// BucketExists reports whether a bucket is there and may be written.
func (o *Destination) BucketExists(ctx context.Context, p config.Place, name string) (bool, error) {
	client, err := o.clients.Service(ctx, p, "s3")
	if err != nil {
		return false, err
	}
	if client == nil {
		_, err := o.buckets.Find(ctx, name)
		return there(err)
	}
	_, err = client.Call(ctx, "s3", "HeadBucket", map[string]any{"Bucket": name})
	return there(err)
}

// TopicExists reports whether a topic is there.
func (o *Destination) TopicExists(ctx context.Context, p config.Place, topicARN string) (bool, error) {
	client, err := o.clients.Service(ctx, p, "sns")
	if err != nil {
		return false, err
	}
	if client == nil {
		var found bool
		err := o.db.Read(ctx, func(tx *db.Tx) (err error) {
			if err := May(ctx, tx, configOf(p), topicARN); err != nil {
				return err
			}
			found, err = topic.Exists(ctx, tx, topicARN)
			return err
		})
		return found, reason(err)
	}
	_, err = client.Call(ctx, "sns", "GetTopicAttributes", map[string]any{"TopicArn": topicARN})
	return there(err)
}

// there tells an answer that says no from one that says nothing.
func there(err error) (bool, error) {
	err = reason(err)
	if errors.Is(err, delivery.ErrNoSuchBucket) || errors.Is(err, delivery.ErrNoSuchTopic) {
		return false, nil
	}
	return err == nil, err
}

// reason wraps an error of a service in delivery's word for it.
func reason(err error) error {
	code := awsclient.Code(err)
	if named, ok := errors.AsType[*model.Error](err); ok {
		code = named.Code
	}
	switch code {
	case "NoSuchBucket", "404":
		return fmt.Errorf("%w: %w", delivery.ErrNoSuchBucket, err)
	case "NotFound", "NotFoundException":
		return fmt.Errorf("%w: %w", delivery.ErrNoSuchTopic, err)
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "403":
		return fmt.Errorf("%w: %w", delivery.ErrAccessDenied, err)
	case "KMS.NotFoundException", "KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException", "KMS.UnrecognizedClientException",
		"InvalidKMSKey":
		return fmt.Errorf("%w: %w", delivery.ErrKey, err)
	case "InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValueException", "ParameterValueInvalid":
		return fmt.Errorf("%w: %w", delivery.ErrInvalid, err)
	}
	return err
}
