package awsconfig

import (
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	p := config.Place{Account: "123456789012", Region: "eu-west-1"}
	v := config.Verdict{Rule: "r", Evaluation: config.Evaluation{ResourceType: "T", ResourceID: "i", Compliance: config.Compliant, Annotation: "a"}}
	jobtest.Golden(t, announceJob{Place: p, Created: 5, Items: []itemRef{{"T", "i", 7}}},
		announceJob{Place: p, Created: 5, Changes: []config.StoredChange{config.VerdictChange{RuleARN: "arn", RuleID: "id", Old: &v, New: v}.Stored()}})
}
