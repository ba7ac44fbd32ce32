package conformance

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t,
		deploy{request{Pack: "conformance-pack-abc", Requested: 7}},
		remove{request{Pack: "conformance-pack-abc", Requested: 7}},
	)
}
