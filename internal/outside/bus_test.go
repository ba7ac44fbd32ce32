package outside_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
	"plumb/internal/config"
	"plumb/internal/delivery"
	"plumb/internal/settings"
)

// An event that a queue got from a bus.
type busEvent struct {
	Type      string         `json:"detail-type"`
	Source    string         `json:"source"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Time      string         `json:"time"`
	Resources []string       `json:"resources"`
	Detail    map[string]any `json:"detail"`
}

// ofBus makes a queue that gets what a bus is told, and returns what empties it.
func ofBus(t *testing.T, p *apptest.Plumb, bus string) func() []busEvent {
	t.Helper()
	ctx, arn := t.Context(), "arn:aws:sqs:us-east-1:"+p.Account()+":of-"+bus
	queue := must[*sqs.CreateQueueOutput](t)(p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("of-" + bus), Attributes: map[string]string{
		"Policy": fmt.Sprintf(`{"Statement": {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": %q}}`, arn)}}))
	must[*eventbridge.PutRuleOutput](t)(p.EventBridge().PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("all"), EventBusName: &bus,
		EventPattern: aws.String(`{"account": ["` + p.Account() + `"]}`)}))
	must[*eventbridge.PutTargetsOutput](t)(p.EventBridge().PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("all"), EventBusName: &bus,
		Targets: []eventtypes.Target{{Id: aws.String("q"), Arn: &arn}}}))
	return func() (out []busEvent) {
		t.Helper()
		p.Drain(t)
		for {
			got := must[*sqs.ReceiveMessageOutput](t)(p.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10}))
			if len(got.Messages) == 0 {
				return out
			}
			for _, m := range got.Messages {
				var e busEvent
				if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
					t.Fatal(err)
				}
				out = append(out, e)
				must[*sqs.DeleteMessageOutput](t)(p.SQS().DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle}))
			}
		}
	}
}

func TestWhatAWSConfigTellsGoesToTheOutsideEventBusToo(t *testing.T) {
	away := apptest.Start(t)
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Endpoints.Events, s.EventBus, s.EventSource = away.URL(), "compliance", "plumb.config"
		s.LogLevel = "error"
	})
	ctx := t.Context()
	must[*eventbridge.CreateEventBusOutput](t)(away.EventBridge().CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: aws.String("compliance")}))
	there, here := ofBus(t, away, "compliance"), ofBus(t, p, "default")
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err := p.Record(ctx); err != nil {
		t.Fatal(err)
	}
	must[*s3.CreateBucketOutput](t)(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("photos")}))
	p.Drain(t)
	photos := func(all []busEvent) (out []busEvent) {
		for _, e := range all {
			if slices.Equal(e.Resources, []string{"arn:aws:s3:::photos"}) {
				out = append(out, e)
			}
		}
		return out
	}
	got, own := photos(there()), photos(here())
	if len(got) != 1 || len(own) != 1 {
		t.Fatalf("%d events are there, %d here", len(got), len(own))
	}
	if own[0].Source != "aws.config" || got[0].Source != "plumb.config" || got[0].Account != away.Account() {
		t.Errorf("of %s here; %s of %s there", own[0].Source, got[0].Source, got[0].Account)
	}
	got[0].Source = own[0].Source
	if fmt.Sprint(got[0]) != fmt.Sprint(own[0]) {
		t.Errorf("there\n%v\nhere\n%v", got[0], own[0])
	}
}

// EventBridge takes nothing of a source that is its own: the way is down, and what waits
// is sent once the settings are right.
func TestASourceThatTheBusDoesNotTakeIsNoReasonToLoseEvents(t *testing.T) {
	away := apptest.Start(t)
	p := apptest.Start(t, func(s *settings.Settings) { s.Endpoints.Events, s.LogLevel = away.URL(), "error" })
	buses := ofBus(t, away, "default")
	p.Clock().Freeze(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	if got := buses(); len(got) != 0 {
		t.Errorf("taken: %v", got)
	}
	p.Clock().Advance(80 * time.Hour)
	p.Drain(t)
	res := must[*http.Response](t)(http.Get(p.URL() + "/_plumb/deliveries"))
	defer res.Body.Close()
	var told struct {
		Undelivered []delivery.Undelivered `json:"undelivered"`
	}
	if err := json.NewDecoder(res.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if all := told.Undelivered; len(all) == 0 || all[0].Sink != config.SinkBus || !strings.Contains(all[0].Error, "NotAuthorizedForSource") {
		t.Errorf("undelivered: %+v", all)
	}
}
