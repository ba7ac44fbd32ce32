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
	var announced []entry
	for _, c := range changes {
		announced = append(announced, entry{change: new(c.Stored())})
	}
	for _, want := range []struct {
		kind string
		all  []entry
		args string
	}{
		{"items", []entry{{item: &itemRef{Type: "AWS::S3::Bucket", ID: "b", StateID: 7}}}, `{"items":[{"t":"AWS::S3::Bucket","i":"b","s":7}]}`},
		{"compliance", announced, storedChanges},
		{"notice", []entry{{notice: &storedNotice{"snapshot 1", message{"subject", "body"}}}}, `{"about":"snapshot 1","subject":"subject","body":"body"}`},
	} {
		got, err := argsOf(want.all)
		if err != nil || got != want.args {
			t.Errorf("outgoing messages are stored as %s, %v, want %s", got, err, want.args)
		}
		back, err := entries(config.Outgoing{Kind: want.kind, Args: got})
		if again, _ := argsOf(back); err != nil || again != got {
			t.Errorf("read back: %s, %v", again, err)
		}
	}
	jobtest.Golden(t,
		laneJob{Place: p, Sink: "topic"},
		laneJob{p, "topic", at},
		snapshotFileJob{p, "id", at},
		snapshotDueJob{p, at},
		historyJob{p, at, cursor{"AWS::S3::Bucket", "b", 7, 2}},
	)
}

const storedChanges = `{"changes":[{"ruleArn":"arn","ruleId":"config-rule-1","new":{"rule":"r","type":"AWS::S3::Bucket","id":"b",` +
	`"compliance":"NON_COMPLIANT","annotation":"why","ordering":"2026-01-02T03:04:05.000006Z","invoked":"2026-01-02T03:04:05.000006Z",` +
	`"recorded":"2026-01-02T03:04:05.000006Z"}},{"ruleArn":"arn","ruleId":"config-rule-1","old":{"rule":"r","type":"AWS::S3::Bucket","id":"b",` +
	`"compliance":"NON_COMPLIANT","annotation":"why","ordering":"2026-01-02T03:04:05.000006Z","invoked":"2026-01-02T03:04:05.000006Z",` +
	`"recorded":"2026-01-02T03:04:05.000006Z"},"new":{"rule":"r","type":"AWS::S3::Bucket","id":"b","compliance":"NON_COMPLIANT","annotation":"why",` +
	`"ordering":"2026-01-02T03:04:05.000006Z","invoked":"2026-01-02T03:04:05.000006Z","recorded":"2026-01-02T03:04:05.000006Z"}}]}`

func TestVerdictChangesSurviveTheirJob(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	v := config.Verdict{Rule: "r", Invoked: at, Recorded: at, Evaluation: config.Evaluation{ResourceType: "t", ResourceID: "i", Compliance: config.Compliant, Annotation: "a", Ordering: at}}
	want := config.VerdictChange{RuleARN: "arn", RuleID: "id", Old: &v, New: v}
	got := want.Stored().Change()
	if *got.Old != *want.Old || got.New != want.New || got.RuleARN != want.RuleARN || got.RuleID != want.RuleID {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
