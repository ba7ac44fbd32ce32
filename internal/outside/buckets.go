package outside

import (
	"context"
	"fmt"
	"io"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/policy"
)

// Buckets are those that services write to as a role: of an outside service where the
// settings name one, else those embedded here and those of the place's target.
type Buckets struct {
	clients *Clients
	buckets *bucket.Store
}

// NewBuckets returns the buckets.
func NewBuckets(c *Clients, b *bucket.Store) *Buckets { return &Buckets{c, b} }

// Put writes an object. What S3 answers is a *model.Error.
func (o *Buckets) Put(ctx context.Context, from caller.Sender, name, key string, body io.ReadSeeker, size int64, m bucket.Meta) error {
	client, err := o.clients.Service(ctx, place(from), "s3")
	if err != nil {
		return err
	}
	if client == nil {
		b, err := o.buckets.Find(ctx, name)
		if err == nil {
			if err := mayPut(ctx, o.buckets, from.Account, request(from, "s3:PutObject", objectARN(from.Region, name, key)), b, m); err != nil {
				return err
			}
			_, err = o.buckets.PutObject(ctx, bucket.PutRequest{Bucket: b, Key: key, Body: body, Meta: m})
			return err
		}
		if !model.IsCode(err, "NoSuchBucket") {
			return err
		}
		if client, _ = o.clients.Target(ctx, place(from)); client == nil {
			return err
		}
	}
	in := map[string]any{"Bucket": name, "Key": key, "ContentType": m.ContentType}
	if m.KMSKey != "" {
		in["ServerSideEncryption"], in["SSEKMSKeyId"] = "aws:kms", m.KMSKey
	}
	return named(putWhole(ctx, client, in, body, size))
}

func objectARN(region, bucket, key string) string {
	return arn.ARN{Partition: arn.Partition(region), Service: "s3", Resource: bucket + "/" + key}.String()
}

// mayPut returns nil if a sender may write to a bucket: one of its own account that does
// not deny it, or one whose policy allows it.
func mayPut(ctx context.Context, buckets *bucket.Store, account string, r policy.Request, b bucket.Bucket, m bucket.Meta) error {
	text, ok, err := buckets.Configuration(ctx, b, bucket.KindPolicy, "")
	if err != nil {
		return err
	}
	own := b.Account == account
	if !ok {
		if own {
			return nil
		}
		return bucket.AccessDenied()
	}
	r.Context["aws:securetransport"] = []string{"true"}
	if m.KMSKey != "" {
		r.Context["s3:x-amz-server-side-encryption"] = []string{"aws:kms"}
		r.Context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = []string{m.KMSKey}
	}
	d, err := policy.Parse(text)
	if decision := d.Evaluate(r); err != nil || decision.Denied || !own && !decision.Allowed {
		return bucket.AccessDenied()
	}
	return nil
}

// putWhole writes an object of an outside service: at once, or in parts if it is large.
func putWhole(ctx context.Context, client *awsclient.Client, in map[string]any, body io.Reader, size int64) error {
	if size > partSize {
		return putParts(ctx, client, in, body, size)
	}
	whole := make([]byte, size)
	if _, err := io.ReadFull(body, whole); err != nil {
		return fmt.Errorf("read what is to be written: %w", err)
	}
	in["Body"] = whole
	_, err := client.Call(ctx, "s3", "PutObject", in)
	return err
}

// asConfig is the request of AWS Config to write an object.
func asConfig(p config.Place, bucket, key string) policy.Request {
	partition := arn.Partition(p.Region)
	r := request(configOf(p), "s3:PutObject", objectARN(p.Region, bucket, key))
	r.Principals = append(r.Principals, policy.Principal{Type: "AWS", ID: p.Account},
		policy.Principal{Type: "AWS", ID: "arn:" + partition + ":iam::" + p.Account + ":root"})
	r.Context["s3:x-amz-acl"] = []string{"bucket-owner-full-control"}
	return r
}
