package logs

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, handOver{
		Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Group: "/g", Function: "arn:aws:lambda:us-east-1:123456789012:function:f", Data: []byte("x"),
	})
}
