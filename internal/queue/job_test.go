package queue

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) { jobtest.Golden(t, expire{Queue: 7}, move{Queue: 7, Task: "a"}) }
