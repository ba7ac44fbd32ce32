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
		announceJob{Place: p, Created: 5, Changes: []changed{storeChange(config.VerdictChange{RuleARN: "arn", RuleID: "id", Old: &v, New: v})}})
}

func TestNullsAreLeftOutButForCustomersOwn(t *testing.T) {
	got, err := withoutNulls([]byte(`{"a": null, "b": [{"c": null, "d": 1.50}], "configuration": {"e": null}, "f": {"g": null}}`))
	if want := `{"b":[{"d":1.50}],"configuration":{"e":null},"f":{}}`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}
