package delivery

import (
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	p := config.Place{Account: "123456789012", Region: "us-east-1"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	v := config.Verdict{
		Rule: "r", Invoked: at, Recorded: at,
		Evaluation: config.Evaluation{
			ResourceType: "AWS::S3::Bucket", ResourceID: "b", Compliance: config.NonCompliant, Annotation: "why", Ordering: at,
		},
	}
	changes := []config.VerdictChange{{RuleARN: "arn", RuleID: "config-rule-1", New: v}, {RuleARN: "arn", RuleID: "config-rule-1", Old: &v, New: v}}
	jobtest.Golden(t,
		itemsJob{Place: p, Created: at, Items: []itemRef{{Type: "AWS::S3::Bucket", ID: "b", StateID: 7}}},
		newComplianceJob(p, changes, at),
		noticeJob{p, message{"subject", "body"}},
		snapshotStartJob{p, "id", at},
		snapshotFileJob{p, "id", at},
		snapshotDueJob{p, at},
		historyJob{p, at, cursor{"AWS::S3::Bucket", "b", 7, 2}},
	)
}

func TestVerdictChangesSurviveTheirJob(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	v := config.Verdict{Rule: "r", Invoked: at, Recorded: at, Evaluation: config.Evaluation{ResourceType: "t", ResourceID: "i", Compliance: config.Compliant, Annotation: "a", Ordering: at}}
	want := config.VerdictChange{RuleARN: "arn", RuleID: "id", Old: &v, New: v}
	got := newComplianceJob(config.Place{}, []config.VerdictChange{want}, at).Changes[0].change()
	if *got.Old != *want.Old || got.New != want.New || got.RuleARN != want.RuleARN || got.RuleID != want.RuleID {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
