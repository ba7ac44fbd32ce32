package topic

import (
	"testing"

	"plumb/internal/job/jobtest"
	"plumb/internal/model/snsapi"
)

func TestStoredJobs(t *testing.T) {
	m := message{
		ID: "id", Subject: "subject", Body: "body", By: map[string]string{"sqs": "other"},
		Attributes: Attributes{"a": {DataType: new("String"), StringValue: new("v")}, "b": snsapi.MessageAttributeValue{
			DataType: new("Binary"), BinaryValue: []byte{1, 2},
		}},
		Group: "group", Dedup: "dedup",
	}
	jobtest.Golden(t,
		deliver{Topic: "arn:aws:sns:us-east-1:123456789012:t", Published: 1767323045000000, Messages: []message{m}},
		push{Subscription: "arn", Confirm: true, Message: message{ID: "id", Body: "body"}, Published: 1, Version: "2"},
		push{Subscription: "arn", Message: message{ID: "id", Body: "body"}, Published: 1, Retry: 2},
	)
}
