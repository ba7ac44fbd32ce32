package rule

import (
	"testing"

	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t,
		evaluate{RuleID: "config-rule-1", Account: "123456789012"},
		evaluate{RuleID: "config-rule-1", Type: "AWS::S3::Bucket", ID: "b"},
		tick{RuleID: "config-rule-1", Due: 7},
		found{Account: "123456789012", Region: "us-east-1", Type: "AWS::KMS::Key"},
		forget{RuleID: "config-rule-1"},
		forget{RuleID: "config-rule-1", Evaluate: true},
		dispatch{Account: "123456789012", Region: "us-east-1", Versions: []version{{Type: "AWS::S3::Bucket", ID: "b", StateID: 7}}},
		proactive{evaluationArgs{"e", "123456789012"}},
		proactiveTimeout{evaluationArgs{"e", "123456789012"}},
		proactiveForget{evaluationArgs{"e", "123456789012"}},
		snapshot{Account: "123456789012", Region: "us-east-1", SnapshotID: "id", Bucket: "b", Key: "k"},
	)
}
