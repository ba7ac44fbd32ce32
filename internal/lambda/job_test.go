package lambda

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, eventArgs{
		Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Name: "f", Qualifier: "prod", Payload: []byte(`{}`),
		RequestID: "request", TraceID: "trace", Note: []byte("note"), Accepted: 1767323045000000,
	})
}
