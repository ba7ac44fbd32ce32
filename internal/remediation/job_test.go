package remediation

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	o, r := of{"123456789012", "us-east-1", "rule"}, resource{"AWS::S3::Bucket", "b"}
	jobtest.Golden(t, enqueue{o, []resource{r}}, scan{Of: o}, scan{o, r}, dispatch{o}, check{o, r, "e"}, expire{o, r}, startElsewhere{o, r, "t"}, lookElsewhere{o, r, "t", "e"})
}
