package audit_test

import (
	"slices"
	"testing"

	"plumb/internal/audit"
)

func TestNamesOfARecordAreThoseThatTheStoreTakes(t *testing.T) {
	e, err := audit.ParseRecord([]byte(`{"eventTime":"2026-03-10T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"PutBucketTagging","awsRegion":"us-east-1",
		"eventID":"e-1","recipientAccountId":"123456789012","resources":[{"ARN":"arn:aws:s3:::a\u0000"}],"requestParameters":{"bucketName":["b","c\u0000"]}}`), "x")
	if err != nil || !slices.Equal(e.Resources, []string{"b"}) {
		t.Errorf("names %q: %v", e.Resources, err)
	}
}
