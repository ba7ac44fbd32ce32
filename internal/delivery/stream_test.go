package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/store"
)

func TestItemsAreAnnouncedWithWhatChanged(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.record(b.group("sg-1", config.StatusDiscovered, map[string]any{"groupName": "a"}))
		b.drain()
		b.advance(time.Minute)
		b.record(b.group("sg-1", config.StatusOK, map[string]any{"groupName": "b"}))
		b.drain()
		b.advance(time.Minute)
		b.record(b.group("sg-1", config.StatusDeleted, nil))
		b.drain()
		wantSubjects(t, b.out,
			"[AWS Config:us-east-2] AWS::EC2::SecurityGroup sg-1 Discovered in Account 123456789012",
			"[AWS Config:us-east-2] AWS::EC2::SecurityGroup sg-1 Updated in Account 123456789012",
			"[AWS Config:us-east-2] AWS::EC2::SecurityGroup sg-1 Deleted in Account 123456789012")
		wantSame(t, "update", b.out.took()[1].body, `{"configurationItemDiff":{"changeType":"UPDATE","changedProperties":{`+
			`"Configuration.GroupName":{"previousValue":"a","updatedValue":"b","changeType":"UPDATE"}}},`+
			`"configurationItem":{"relatedEvents":[],"relationships":[],"configuration":{"groupName":"b"},"supplementaryConfiguration":{},"tags":{},`+
			`"configurationItemVersion":"1.3","configurationItemCaptureTime":"2016-09-07T18:40:39.853Z","configurationStateId":1473273639853,`+
			`"awsAccountId":"123456789012","configurationItemStatus":"OK","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","resourceName":null,`+
			`"ARN":"arn:aws:ec2:us-east-2:123456789012:security-group/sg-1","awsRegion":"us-east-2","availabilityZone":"Not Applicable",`+
			`"configurationStateMd5Hash":"","resourceCreationTime":null},`+
			`"notificationCreationTime":"2016-09-07T18:40:39.853Z","messageType":"ConfigurationItemChangeNotification","recordVersion":"1.3"}`)
		if s := b.status().Stream; s.Status != config.StatusSuccess || !s.Changed.Equal(began) {
			t.Errorf("stream status: %+v", s)
		}
	})
}

func TestWithoutATopicNothingIsSentAndTheStatusSaysSo(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.record(b.group("sg-0", config.StatusDiscovered, nil)) // no channel at all
		c := aChannel()
		c.TopicARN = ""
		b.channel(c)
		b.record(b.group("sg-1", config.StatusDiscovered, nil))
		b.drain()
		wantSubjects(t, b.out)
		if s := b.status().Stream; s.Status != config.StatusNotApplicable {
			t.Errorf("stream status: %+v", s)
		}
		b.channel(aChannel())
		b.record(b.group("sg-2", config.StatusDiscovered, nil))
		b.drain()
		wantSubjects(t, b.out, "[AWS Config:us-east-2] AWS::EC2::SecurityGroup sg-2 Discovered in Account 123456789012")
	})
}

func TestABatchThatBreaksOffGoesOnWhereItStopped(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(errors.New("timeout"), "sg-2", "sg-3", "sg-4", "sg-5")
		var items []config.Item
		for i := range 7 {
			items = append(items, b.group(fmt.Sprintf("sg-%d", i), config.StatusDiscovered, nil))
		}
		b.record(items...)
		b.drain()
		if s := b.status().Stream; s.Status != config.StatusFailure || s.ErrorCode != "InternalError" ||
			s.ErrorMessage != "Failed to deliver notification to topic: "+topicARN+" for account 123456789012 in region us-east-2." {
			t.Errorf("stream status: %+v", s)
		}
		b.out.failing(nil)
		b.advance(time.Hour)
		got := map[string]int{}
		for _, s := range b.out.subjects() {
			got[s]++
		}
		if len(got) != 7 || len(b.out.took()) != 7 {
			t.Errorf("want each of seven once, got %v", got)
		}
		if s := b.status().Stream; s.Status != config.StatusSuccess || s.ErrorCode != "" {
			t.Errorf("stream status: %+v", s)
		}
	})
}

func TestChangedVerdictsAreAnnouncedWithTheOldResult(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		at := func(s string) time.Time { t, _ := time.Parse(config.TimeLayout, s); return t }
		fresh := config.Verdict{
			Rule: "cloudtrail-enabled",
			Evaluation: config.Evaluation{
				ResourceType: "AWS::::Account", ResourceID: "123456789012", Compliance: config.Compliant, Ordering: at("2016-09-27T19:48:40.619Z"),
			},
			Invoked: at("2016-09-27T19:48:40.914Z"), Recorded: at("2016-09-27T19:48:41.405Z"),
		}
		old := fresh
		old.Compliance, old.Annotation = config.NonCompliant, "no trail"
		old.Ordering, old.Invoked, old.Recorded = at("2016-09-27T16:30:49.531Z"), at("2016-09-27T16:30:50.105Z"), at("2016-09-27T16:30:50.717Z")
		change := config.VerdictChange{RuleARN: "arn:aws:config:us-east-2:123456789012:config-rule/config-rule-9rpvxc", Old: &old, New: fresh}
		first := change
		first.Old, first.New.ResourceType, first.New.ResourceID = nil, "AWS::S3::Bucket", "b"
		b.write(func(ctx context.Context, tx *db.Tx) error {
			return b.delivery.OnComplianceChanged(ctx, tx, config.ComplianceChanged{Place: here, Changes: []config.VerdictChange{change, first}})
		})
		b.drain()
		wantSubjects(t, b.out,
			"[AWS Config:us-east-2] AWS::::Account 123456789012 is COMPLIANT with cloudtrail-enabled in Accoun...",
			"[AWS Config:us-east-2] AWS::S3::Bucket b is COMPLIANT with cloudtrail-enabled in Account 12345678...")
		wantSame(t, "change", b.out.took()[0].body, `{"awsAccountId":"123456789012","configRuleName":"cloudtrail-enabled",`+
			`"configRuleARN":"arn:aws:config:us-east-2:123456789012:config-rule/config-rule-9rpvxc","resourceType":"AWS::::Account",`+
			`"resourceId":"123456789012","awsRegion":"us-east-2","newEvaluationResult":{"evaluationResultIdentifier":{"evaluationResultQualifier":`+
			`{"configRuleName":"cloudtrail-enabled","resourceType":"AWS::::Account","resourceId":"123456789012","evaluationMode":"DETECTIVE"},"orderingTimestamp":"2016-09-27T19:48:40.619Z"},`+
			`"complianceType":"COMPLIANT","resultRecordedTime":"2016-09-27T19:48:41.405Z","configRuleInvokedTime":"2016-09-27T19:48:40.914Z","annotation":null,"resultToken":null},`+
			`"oldEvaluationResult":{"evaluationResultIdentifier":{"evaluationResultQualifier":{"configRuleName":"cloudtrail-enabled","resourceType":"AWS::::Account","resourceId":"123456789012","evaluationMode":"DETECTIVE"},`+
			`"orderingTimestamp":"2016-09-27T16:30:49.531Z"},"complianceType":"NON_COMPLIANT","resultRecordedTime":"2016-09-27T16:30:50.717Z",`+
			`"configRuleInvokedTime":"2016-09-27T16:30:50.105Z","annotation":"no trail","resultToken":null},`+
			`"notificationCreationTime":"2016-09-07T18:39:39.853Z","messageType":"ComplianceChangeNotification","recordVersion":"1.0"}`)
		if !strings.Contains(b.out.took()[1].body, `"oldEvaluationResult":null`) {
			t.Errorf("first verdict: %s", b.out.took()[1].body)
		}
	})
}

func TestAnEvaluationThatWasAskedForIsAnnounced(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.write(func(ctx context.Context, tx *db.Tx) error {
			return b.delivery.OnRulesEvaluationStarted(ctx, tx, config.RulesEvaluationStarted{Place: here, Rules: []string{"r", "s"}})
		})
		b.drain()
		wantSubjects(t, b.out, "[AWS Config:us-east-2] Config Rules Evaluation Started for Account 123456789012")
		wantSame(t, "started", b.out.took()[0].body, `{"awsAccountId":"123456789012","awsRegion":"us-east-2","configRuleNames":["r","s"],`+
			`"notificationCreationTime":"2016-09-07T18:39:39.853Z","messageType":"ConfigRulesEvaluationStarted","recordVersion":"1.0"}`)
	})
}

const oversizedObject = "config-bucket/AWSLogs/123456789012/Config/us-east-2/2016/9/7/OversizedChangeNotification/AWS::EC2::SecurityGroup/sg-1/" +
	"123456789012_Config_us-east-2_ChangeNotification_AWS::EC2::SecurityGroup_sg-1_20160907T183939Z_1473273579853.json.gz"

func TestAnOversizedItemLiesInTheBucket(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.record(b.group("sg-1", config.StatusDiscovered, map[string]any{"text": strings.Repeat("x", config.MaxMessage)}))
		b.drain()
		wantSubjects(t, b.out, "[AWS Config:us-east-2] AWS::EC2::SecurityGroup sg-1 Discovered in Account 123456789012")
		wantSame(t, "message", b.out.took()[0].body, `{"configurationItemSummary":{"changeType":"CREATE","configurationItemVersion":"1.3",`+
			`"configurationItemCaptureTime":"2016-09-07T18:39:39.853Z","configurationStateId":1473273579853,"awsAccountId":"123456789012",`+
			`"configurationItemStatus":"ResourceDiscovered","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","resourceName":null,`+
			`"ARN":"arn:aws:ec2:us-east-2:123456789012:security-group/sg-1","awsRegion":"us-east-2","availabilityZone":"Not Applicable",`+
			`"configurationStateMd5Hash":"","resourceCreationTime":null},"s3DeliverySummary":{"s3BucketLocation":"`+oversizedObject+`",`+
			`"errorCode":null,"errorMessage":null},"notificationCreationTime":"2016-09-07T18:39:39.853Z",`+
			`"messageType":"OversizedConfigurationItemChangeNotification","recordVersion":"1.0"}`)
		whole := b.out.file(t, oversizedObject)
		if !strings.HasPrefix(whole, `{"configurationItemDiff":{"changeType":"CREATE","changedProperties":{}},"configurationItem":{`) ||
			!strings.HasSuffix(whole, `"messageType":"ConfigurationItemChangeNotification","recordVersion":"1.3"}`) {
			t.Errorf("object: %.200s", whole)
		}
	})
}

func TestAnOversizedItemIsAnnouncedAlthoughTheBucketIsGone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		b.channel(aChannel())
		b.out.failing(delivery.ErrNoSuchBucket, "config-bucket/")
		b.record(b.group("sg-1", config.StatusDiscovered, map[string]any{"text": strings.Repeat("x", config.MaxMessage)}))
		b.drain()
		if len(b.out.took()) != 1 {
			t.Fatalf("messages: %q", b.out.subjects())
		}
		if got := b.out.took()[0].body; !strings.Contains(got, `"s3DeliverySummary":{"s3BucketLocation":null,"errorCode":"NoSuchBucket",`+
			`"errorMessage":"Failed to deliver notification to bucket: config-bucket for account 123456789012 in region us-east-2."}`) ||
			!strings.HasSuffix(got, `"messageType":"OversizedConfigurationItemChangeDeliveryFailed","recordVersion":"1.0"}`) {
			t.Errorf("message: %s", got)
		}
	})
}

func TestAChannelThatIsGoneEndsItsJobs(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.out.failing(errors.New("timeout"), "sg-1")
	b.record(b.group("sg-1", config.StatusDiscovered, nil))
	b.drain()
	b.write(func(ctx context.Context, tx *db.Tx) error { return store.DeleteDeliveryChannel(ctx, tx, aChannel()) })
	b.out.failing(nil)
	b.advance(24 * time.Hour)
	wantSubjects(t, b.out)
}

func TestSubjectsHoldOnlyWhatSNSTakes(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.record(b.group("größe\n1", config.StatusDiscovered, nil))
	b.drain()
	wantSubjects(t, b.out, "[AWS Config:us-east-2] AWS::EC2::SecurityGroup gr??e?1 Discovered in Account 123456789012")
}
