package authorization

import (
	"context"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/policy"
)

// bucketActions are those of S3's operations that are called otherwise.
var bucketActions = map[string]string{
	"ListBuckets": "ListAllMyBuckets", "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket",
	"ListObjectVersions": "ListBucketVersions", "ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts",
	"HeadObject": "GetObject", "GetObjectAttributes": "GetObject", "CopyObject": "PutObject", "CreateMultipartUpload": "PutObject",
	"UploadPart": "PutObject", "UploadPartCopy": "PutObject", "CompleteMultipartUpload": "PutObject", "DeleteObjects": "DeleteObject",
	"GetBucketLifecycleConfiguration": "GetLifecycleConfiguration", "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
	"DeleteBucketLifecycle": "PutLifecycleConfiguration", "GetBucketEncryption": "GetEncryptionConfiguration",
	"PutBucketEncryption": "PutEncryptionConfiguration", "DeleteBucketEncryption": "PutEncryptionConfiguration",
	"GetBucketReplication": "GetReplicationConfiguration", "PutBucketReplication": "PutReplicationConfiguration",
	"DeleteBucketReplication": "PutReplicationConfiguration", "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
	"PutBucketAccelerateConfiguration": "PutAccelerateConfiguration", "GetBucketNotificationConfiguration": "GetBucketNotification",
	"PutBucketNotificationConfiguration": "PutBucketNotification", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
	"PutPublicAccessBlock": "PutBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
	"DeleteBucketTagging": "PutBucketTagging", "DeleteBucketCors": "PutBucketCORS", "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
}

// versioned are the actions that have another name where a version is named.
var versioned = map[string]string{
	"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion", "GetObjectAcl": "GetObjectVersionAcl", "PutObjectAcl": "PutObjectVersionAcl",
	"GetObjectTagging": "GetObjectVersionTagging", "PutObjectTagging": "PutObjectVersionTagging", "DeleteObjectTagging": "DeleteObjectVersionTagging",
}

// A BucketAsk is what a request asks of S3.
type BucketAsk struct {
	Operation string
	Bucket    string // empty for all of an account
	Owner     string // its account; empty is the caller's
	Key       string // empty for the bucket itself
	Version   string
	Prefix    string // of a list
}

// Bucket decides whether the caller of ctx may do what it asks of S3.
func (a *Authorizer) Bucket(ctx context.Context, b BucketAsk) (context.Context, error) {
	action, ok := bucketActions[b.Operation]
	if !ok {
		action = b.Operation
	}
	if other, ok := versioned[action]; ok && b.Version != "" {
		action = other
	}
	q := Ask{Action: "s3:" + action, Resource: "*", Owner: b.Owner, Context: policy.Context{}}
	if b.Bucket != "" {
		q.Resource = "arn:aws:s3:::" + b.Bucket
	}
	if b.Key != "" {
		q.Resource += "/" + b.Key
	}
	if q.Owner == "" {
		q.Owner = caller.From(ctx).Account
	}
	if b.Prefix != "" {
		q.Context["s3:prefix"] = []string{b.Prefix}
	}
	ctx, err := a.May(ctx, q)
	return ctx, inWordsOfS3(err)
}

func inWordsOfS3(err error) error {
	e, ok := err.(*model.Error)
	if !ok || e.Code != "AccessDeniedException" {
		return err
	}
	out := *e
	out.Code, out.Status = "AccessDenied", 403
	return &out
}

// Unserved decides about a request for a service that is not served here. Of REST's
// requests nobody here knows the operation: who sends one needs all actions of the
// service.
func (a *Authorizer) Unserved(ctx context.Context, service, operation string) error {
	if operation == "" || strings.ContainsAny(operation, " /") {
		operation = "*"
	}
	_, err := a.May(ctx, Ask{Action: service + ":" + operation, Resource: "*"})
	return err
}
