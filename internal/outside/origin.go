package outside

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"plumb/internal/bucket"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/policy"
	"plumb/internal/source/cloudfront"
)

// Origin reads an object for a distribution whose origin is a bucket: one that lets the
// distribution in by its policy, or one of an outside service with the account's
// credentials.
func (o *Buckets) Origin(ctx context.Context, r cloudfront.ObjectRequest) (cloudfront.Object, error) {
	const region = "us-east-1"
	client, err := o.clients.Service(ctx, config.Place{Account: r.Account, Region: region}, "s3")
	if err != nil {
		return cloudfront.Object{}, err
	}
	if client != nil {
		out, err := client.Call(ctx, "s3", "GetObject", map[string]any{"Bucket": r.Bucket, "Key": r.Key})
		if _, named := model.Named(named(err)); err != nil && named {
			return cloudfront.AccessDenied(), nil
		}
		if err != nil {
			return cloudfront.Object{}, err
		}
		body, _ := out["Body"].([]byte)
		h := http.Header{}
		for member, name := range map[string]string{"ContentType": "Content-Type", "ETag": "Etag", "CacheControl": "Cache-Control", "ContentEncoding": "Content-Encoding"} {
			if text, ok := out[member].(string); ok {
				h.Set(name, text)
			}
		}
		return cloudfront.Object{Status: http.StatusOK, Header: h, Body: io.NopCloser(bytes.NewReader(body))}, nil
	}
	b, err := o.buckets.Find(ctx, r.Bucket)
	if model.IsCode(err, "NoSuchBucket") {
		return cloudfront.NoSuchBucket(), nil
	}
	if err != nil {
		return cloudfront.Object{}, err
	}
	text, _, err := o.buckets.Configuration(ctx, b, bucket.KindPolicy, "")
	if err != nil {
		return cloudfront.Object{}, err
	}
	if d, err := policy.Parse(text); err != nil || !d.Evaluate(asDistribution(r, objectARN(region, r.Bucket, r.Key))).Allowed {
		return cloudfront.AccessDenied(), nil
	}
	found, err := o.buckets.Object(ctx, b, r.Key, "")
	if _, named := model.Named(err); err != nil && named || found.Marker {
		return cloudfront.AccessDenied(), nil // who may not list is not told that it is not there
	}
	if err != nil {
		return cloudfront.Object{}, err
	}
	body, err := o.buckets.Open(ctx, found, 0, found.Size)
	if err != nil {
		return cloudfront.Object{}, fmt.Errorf("open s3://%s/%s: %w", r.Bucket, r.Key, err)
	}
	return cloudfront.Object{Status: http.StatusOK, Header: headerOf(found), Body: body}, nil
}

// asDistribution is the request of a distribution to read an object.
func asDistribution(r cloudfront.ObjectRequest, object string) policy.Request {
	out := policy.Request{Action: "s3:GetObject", Resource: object, Context: policy.Context{"aws:securetransport": {"true"}}}
	if r.Signed {
		out.Principals = append(out.Principals, policy.Principal{Type: "Service", ID: "cloudfront.amazonaws.com"})
		out.Context["aws:sourcearn"], out.Context["aws:sourceaccount"] = []string{r.Distribution}, []string{r.Account}
	}
	if r.Identity != "" {
		out.Principals = append(out.Principals, policy.Principal{Type: "AWS", ID: "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity " + r.Identity})
	}
	return out
}

func headerOf(o bucket.Object) http.Header {
	h := http.Header{"Server": {"AmazonS3"}, "Etag": {strconv.Quote(o.ETag)}, "Last-Modified": {o.Modified.UTC().Format(http.TimeFormat)}}
	for name, value := range map[string]string{
		"Content-Type": o.Meta.ContentType, "Content-Encoding": o.Meta.ContentEncoding, "Content-Disposition": o.Meta.ContentDisposition,
		"Content-Language": o.Meta.ContentLanguage, "Cache-Control": o.Meta.CacheControl, "Expires": o.Meta.Expires,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	for k, v := range o.Meta.User {
		h.Set("X-Amz-Meta-"+k, v)
	}
	return h
}
