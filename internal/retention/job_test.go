package retention

import (
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	at := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	jobtest.Golden(t, runJob{at}, stepJob{Began: at}, stepJob{
		Began: at, Stage: "history", Place: config.Place{Account: "123456789012", Region: "eu-west-1"}, Type: "AWS::SQS::Queue", ID: "q", Resource: 7, Steps: 3,
	})
}
