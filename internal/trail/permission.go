package trail

import (
	"net/url"
	"strings"

	"plumb/internal/arn"
)

// A Permission is a part of what reading a source takes.
type Permission struct {
	Actions  []string // of IAM
	Resource string   // an ARN, with * for what the address does not tell
}

// Permissions returns what reading a source takes, by its address: a queue's URL, or s3://BUCKET/PREFIX. Files that a queue
// names are in a bucket, which is an address of its own; files that a key of AWS KMS encrypts take kms:Decrypt with it too.
func Permissions(address string) []Permission {
	s := Source{Address: address}
	if bucket, prefix, is := s.bucket(); is {
		return []Permission{
			{[]string{"s3:GetBucketLocation", "s3:ListBucket"}, "arn:aws:s3:::" + bucket},
			{[]string{"s3:GetObject"}, "arn:aws:s3:::" + bucket + "/" + prefix + "AWSLogs/*"},
		}
	}
	region, account, name := s.region(), "*", "*"
	if region == "" {
		region = "*"
	}
	if u, err := url.Parse(address); err == nil {
		account, name, _ = strings.Cut(strings.Trim(u.Path, "/"), "/")
	}
	return []Permission{{[]string{"sqs:DeleteMessage", "sqs:ReceiveMessage"}, arn.New("sqs", region, account, name).String()}}
}
