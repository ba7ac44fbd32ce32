package trail_test

import (
	"fmt"
	"testing"

	"plumb/internal/trail"
)

func TestPermissionsNameTheQueueOrTheBucket(t *testing.T) {
	for address, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/123456789012/trail":     "[{[sqs:DeleteMessage sqs:ReceiveMessage] arn:aws:sqs:eu-west-1:123456789012:trail}]",
		"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/trail": "[{[sqs:DeleteMessage sqs:ReceiveMessage] arn:aws-cn:sqs:cn-north-1:123456789012:trail}]",
		"http://localhost:4566/000000000000/trail":                   "[{[sqs:DeleteMessage sqs:ReceiveMessage] arn:aws:sqs:*:000000000000:trail}]",
		"s3://trails":     "[{[s3:GetBucketLocation s3:ListBucket] arn:aws:s3:::trails} {[s3:GetObject] arn:aws:s3:::trails/AWSLogs/*}]",
		"s3://trails/all": "[{[s3:GetBucketLocation s3:ListBucket] arn:aws:s3:::trails} {[s3:GetObject] arn:aws:s3:::trails/all/AWSLogs/*}]",
	} {
		if got := fmt.Sprint(trail.Permissions(address)); got != want {
			t.Errorf("%s takes\n%s, want\n%s", address, got, want)
		}
	}
}
