package aggregation

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, planJob{}, readJob{"123456789012", "us-east-1"})
}
