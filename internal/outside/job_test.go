package outside

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
	"plumb/internal/lambda"
)

func TestStoredJobs(t *testing.T) {
	p := config.Place{Account: "123456789012", Region: "us-east-1"}
	jobtest.Golden(t,
		message{Place: p, Service: "sns", Name: "news", Message: lambda.Message{
			Target: "arn", Subject: "subject", Body: "body", Attributes: map[string]lambda.Attribute{"RequestID": {Type: "String", Value: "id"}},
		}},
		object{Place: p, Sender: "arn:function", Role: "arn:role", Bucket: "b", Key: "k", Body: []byte("zip")},
	)
}
