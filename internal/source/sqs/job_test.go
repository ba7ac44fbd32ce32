package sqs

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, look{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Mapping: "4f1c", At: 1772366400000000})
}
