package s3

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, notice{
		Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Bucket: "b", Target: "arn:aws:sqs:us-east-1:123456789012:q", Event: []byte(`{"a":1}`),
	})
}

func TestSequencersOfAKeyAreComparedAsTexts(t *testing.T) {
	if a, b := sequencer(0xFFFFFFFFFFFFF), sequencer(0x10000000000000); len(a) != len(b) || a >= b {
		t.Errorf("%s comes after %s", a, b)
	}
}
