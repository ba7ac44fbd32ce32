package core

import (
	"context"
	"errors"
	"fmt"
	"io"

	"plumb/internal/awsclient"
	"plumb/internal/bucket"
	"plumb/internal/config"
	"plumb/internal/model"
)

// errTooLarge says that an object is larger than its reader can take.
var errTooLarge = errors.New("the object is too large")

// object reads an object of a bucket whole: of the place's outside S3, or of the
// embedded one, whose buckets are for their own account only. What S3 answers is
// a *model.Error.
func (m *Machine) object(ctx context.Context, p config.Place, name, key, version string, limit int64) ([]byte, error) {
	client, err := m.Outside.Service(ctx, p, "s3")
	if err != nil {
		return nil, err
	}
	if client != nil {
		return outsideObject(ctx, client, name, key, version, limit)
	}
	b, err := m.Buckets.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	if b.Account != p.Account {
		return nil, bucket.AccessDenied()
	}
	o, err := m.Buckets.Object(ctx, b, key, version)
	if err != nil {
		return nil, err
	}
	if o.Size > limit {
		return nil, errTooLarge
	}
	body, err := m.Buckets.Open(ctx, o, 0, o.Size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func outsideObject(ctx context.Context, client *awsclient.Client, name, key, version string, limit int64) ([]byte, error) {
	in := map[string]any{"Bucket": name, "Key": key}
	if version != "" {
		in["VersionId"] = version
	}
	out, err := client.Call(ctx, "s3", "GetObject", in)
	if e, ok := errors.AsType[*awsclient.Error](err); ok {
		return nil, &model.Error{Code: e.Code, Message: e.Message, Status: e.Status}
	}
	if err != nil {
		return nil, err
	}
	body, ok := out["Body"].([]byte)
	switch {
	case !ok:
		return nil, fmt.Errorf("read s3://%s/%s: the answer has no body", name, key)
	case int64(len(body)) > limit:
		return nil, errTooLarge
	}
	return body, nil
}
