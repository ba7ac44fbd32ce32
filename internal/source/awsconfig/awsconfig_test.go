package awsconfig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/eventbus"
	"plumb/internal/job"
	"plumb/internal/source/awsconfig"
)

type event struct {
	Type      string         `json:"detail-type"`
	Source    string         `json:"source"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Time      string         `json:"time"`
	Resources []string       `json:"resources"`
	Detail    map[string]any `json:"detail"`
}

// take makes a rule that puts what it takes into a queue, and returns what empties it.
func take(t *testing.T, p *apptest.Plumb, name, pattern string) (events func() []event) {
	t.Helper()
	ctx, arn := t.Context(), "arn:aws:sqs:us-east-1:"+p.Account()+":"+name
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	queue, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{
		"Policy": fmt.Sprintf(`{"Statement": {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": %q}}`, arn)}})
	must(err)
	_, err = p.EventBridge().PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern})
	must(err)
	_, err = p.EventBridge().PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []types.Target{{Id: aws.String("q"), Arn: &arn}}})
	must(err)
	return func() (out []event) {
		t.Helper()
		p.Drain(t)
		for {
			got, err := p.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
			must(err)
			if len(got.Messages) == 0 {
				return out
			}
			for _, m := range got.Messages {
				var e event
				must(json.Unmarshal([]byte(*m.Body), &e))
				out = append(out, e)
				_, err := p.SQS().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle})
				must(err)
			}
		}
	}
}

// members are the paths of an event's detail, without what a resource was configured
// to be.
func members(v any, path string) (out []string) {
	m, ok := v.(map[string]any)
	if !ok || strings.HasSuffix(path, ".configuration") || strings.HasSuffix(path, "onfiguration.") || strings.HasSuffix(path, ".tags") || strings.HasSuffix(path, ".changedProperties") {
		return []string{path}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, members(m[name], strings.TrimPrefix(path+"."+name, "."))...)
	}
	if len(m) == 0 {
		return []string{path}
	}
	return out
}

func TestEventsOfAWSConfigAreOnTheDefaultBus(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx := t.Context()
		p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		items := take(t, p, "items", `{"source": ["aws.config"], "detail-type": ["Config Configuration Item Change"],
			"detail": {"configurationItem": {"resourceType": ["AWS::S3::Bucket"], "resourceId": ["photos"]}}}`)
		verdicts := take(t, p, "verdicts", `{"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"], "detail": {"resourceId": ["photos"]}}`)
		others := take(t, p, "others", `{"source": ["aws.config"], "detail-type": [{"anything-but": ["Config Configuration Item Change", "Config Rules Compliance Change"]}]}`)
		if err := p.Record(ctx); err != nil {
			t.Fatal(err)
		}
		_, err := p.Config().PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{ConfigRuleName: aws.String("versioned"),
			Source: &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: aws.String("S3_BUCKET_VERSIONING_ENABLED")}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")}); err != nil {
			t.Fatal(err)
		}
		got := items()
		if len(got) != 1 {
			t.Fatalf("items: %v", got)
		}
		e := got[0]
		if e.Type != "Config Configuration Item Change" || e.Source != "aws.config" || e.Account != p.Account() || e.Region != "us-east-1" || e.Time != "2026-03-01T12:00:00Z" ||
			!slices.Equal(e.Resources, []string{"arn:aws:s3:::photos"}) {
			t.Errorf("item event %+v", e)
		}
		want := []string{"configurationItem.ARN", "configurationItem.availabilityZone", "configurationItem.awsAccountId", "configurationItem.awsRegion",
			"configurationItem.configuration", "configurationItem.configurationItemCaptureTime", "configurationItem.configurationItemStatus",
			"configurationItem.configurationItemVersion", "configurationItem.configurationStateId", "configurationItem.configurationStateMd5Hash",
			"configurationItem.relatedEvents", "configurationItem.relationships", "configurationItem.resourceCreationTime", "configurationItem.resourceId",
			"configurationItem.resourceName", "configurationItem.resourceType", "configurationItem.tags", "configurationItemDiff.changeType",
			"configurationItemDiff.changedProperties", "messageType", "notificationCreationTime", "recordVersion"}
		have := slices.DeleteFunc(members(e.Detail, ""), func(name string) bool { return strings.HasPrefix(name, "configurationItem.supplementaryConfiguration") })
		if !slices.Equal(have, want) {
			t.Errorf("members of the item event\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
		}

		got = verdicts()
		if len(got) != 1 || len(got[0].Resources) != 0 {
			t.Fatalf("verdicts: %v", got)
		}
		result := func(name string, annotated ...string) []string {
			return append(annotated, name+".complianceType", name+".configRuleInvokedTime", name+".evaluationResultIdentifier.evaluationResultQualifier.configRuleName",
				name+".evaluationResultIdentifier.evaluationResultQualifier.evaluationMode", name+".evaluationResultIdentifier.evaluationResultQualifier.resourceId",
				name+".evaluationResultIdentifier.evaluationResultQualifier.resourceType", name+".evaluationResultIdentifier.orderingTimestamp",
				name+".resultRecordedTime")
		}
		want = slices.Concat([]string{"awsAccountId", "awsRegion", "configRuleARN", "configRuleName", "messageType"}, result("newEvaluationResult", "newEvaluationResult.annotation"),
			[]string{"notificationCreationTime", "recordVersion", "resourceId", "resourceType"})
		if have := members(got[0].Detail, ""); !slices.Equal(have, want) {
			t.Errorf("members of the first verdict's event\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
		}
		p.Clock().Advance(2 * time.Minute)
		version(t, p, "photos")
		got = verdicts()
		want = slices.Concat([]string{"awsAccountId", "awsRegion", "configRuleARN", "configRuleName", "messageType"}, result("newEvaluationResult"),
			[]string{"notificationCreationTime"}, result("oldEvaluationResult", "oldEvaluationResult.annotation"), []string{"recordVersion", "resourceId", "resourceType"})
		if len(got) != 1 || !slices.Equal(members(got[0].Detail, ""), want) {
			t.Errorf("event of a changed verdict: %v", got)
		}
		if n := items(); len(n) != 1 || n[0].Detail["configurationItemDiff"].(map[string]any)["changeType"] != "UPDATE" {
			t.Errorf("event of a changed item: %v", n)
		}

		others()
		if _, err := p.Config().StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"versioned"}}); err != nil {
			t.Fatal(err)
		}
		got = others()
		if len(got) != 1 || got[0].Type != "Config Rules Re-evaluation Status" || got[0].Detail["messageType"] != "ConfigRulesEvaluationStarted" ||
			fmt.Sprint(got[0].Detail["configRuleNames"]) != "[versioned]" {
			t.Errorf("of an evaluation: %v", got)
		}
		if _, err := p.Config().DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")}); err != nil {
			t.Fatal(err)
		}
		types := map[string]string{}
		for range 2 { // the second time history files are due
			for _, e := range others() {
				types[fmt.Sprint(e.Detail["messageType"])] = e.Type
			}
			p.Clock().Advance(7 * time.Hour)
		}
		if fmt.Sprint(types) != fmt.Sprint(map[string]string{
			"ConfigurationSnapshotDeliveryStarted":   "Config Configuration Snapshot Delivery Status",
			"ConfigurationSnapshotDeliveryCompleted": "Config Configuration Snapshot Delivery Status",
			"ConfigurationHistoryDeliveryCompleted":  "Config Configuration History Delivery Status",
		}) {
			t.Errorf("of a snapshot and of history files: %v", types)
		}
	})
}

func version(t *testing.T, p *apptest.Plumb, bucket string) {
	t.Helper()
	_, err := p.S3().PutBucketVersioning(context.Background(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatNoRuleCouldTakeLeavesNoJob(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		ctx, log, clk := t.Context(), slog.New(slog.DiscardHandler), &clock.Clock{}
		jobs, err := job.New(ctx, d, log, clk, "test")
		if err != nil {
			t.Fatal(err)
		}
		bus := eventbus.New(log, d, jobs, clk.Now, eventbus.Options{})
		a := awsconfig.New(d, jobs, bus, clk.Now)
		place := config.Place{Account: "123456789012", Region: "us-east-1"}
		key := config.ResourceKey{Place: place, Type: "AWS::S3::Bucket", ID: "photos"}
		tell := func(pattern string) (n int) {
			err := d.Write(ctx, func(tx *db.Tx) error {
				if pattern != "" {
					if _, err := bus.PutRule(ctx, tx, eventbus.Rule{Place: place, Bus: eventbus.Default, Name: "r", State: "ENABLED", Pattern: pattern}); err != nil {
						return err
					}
				}
				if err := a.OnItemsRecorded(ctx, tx, config.ItemsRecorded{Place: place, Items: []config.Item{{ResourceKey: key}}}); err != nil {
					return err
				}
				return tx.QueryRow(ctx, `SELECT count(*) FROM river_job`).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := tell(""); n != 0 {
			t.Errorf("without a rule an item left %d jobs", n)
		}
		if n := tell(`{"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"]}`); n != 0 {
			t.Errorf("with a rule on verdicts an item left %d jobs", n)
		}
		if n := tell(`{"source": ["aws.config"]}`); n != 1 {
			t.Errorf("with a rule that could take it an item left %d jobs", n)
		}
	})
}
