package outside

import (
	"bytes"
	"context"

	"plumb/internal/arn"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/policy"
)

// PutAsService writes an object to an embedded bucket for a service that acts for a
// resource, if the bucket's policy lets it: belonging to the bucket's account does not.
func PutAsService(ctx context.Context, s *bucket.Store, from caller.Sender, name, key string, body []byte, m bucket.Meta) error {
	b, err := s.Find(ctx, name)
	if err != nil {
		return err
	}
	text, _, err := s.Configuration(ctx, b, bucket.KindPolicy, "")
	if err != nil {
		return err
	}
	object := arn.ARN{Partition: arn.Partition(from.Region), Service: "s3", Resource: name + "/" + key}
	d, err := policy.Parse(text)
	if err != nil || !d.Evaluate(request(from, "s3:PutObject", object.String())).Allowed {
		return bucket.AccessDenied()
	}
	_, err = s.PutObject(ctx, bucket.PutRequest{Bucket: b, Key: key, Body: bytes.NewReader(body), Meta: m})
	return err
}
