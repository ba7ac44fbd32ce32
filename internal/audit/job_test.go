package audit

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) { jobtest.Golden(t, deliverJob{}) }
