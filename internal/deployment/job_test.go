package deployment

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, spreadJob{ARN: "arn:r", Generation: 2}, spreadJob{ARN: "arn:r", Generation: 2, After: "123456789012"}, memberJob{ARN: "arn:r", Account: "123456789012"})
}
