package delivery_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
	"plumb/internal/model"
)

// code returns the code of AWS's error, or the text of another one.
func code(err error) string {
	var e *model.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAChannelNeedsARecorderANameAndAFreePlace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		put := func(name string) error {
			return d.Write(t.Context(), func(tx *db.Tx) error {
				c := aChannel()
				c.Name = name
				return b.delivery.Put(t.Context(), tx, c)
			})
		}
		wantSame(t, "no recorder", code(put("default")), "NoAvailableConfigurationRecorderException")
		b.recording()
		wantSame(t, "blank", code(put(" ")), "InvalidDeliveryChannelNameException")
		wantSame(t, "first", code(put("default")), "")
		wantSame(t, "again", code(put("default")), "")
		wantSame(t, "second", code(put("other")), "MaxNumberOfDeliveryChannelsExceededException")
	})
}

func TestWhatAChannelNamesIsTried(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	c := aChannel()
	c.Prefix = "p"
	wantSame(t, "all there", code(b.delivery.Reach(t.Context(), c)), "")
	if want := []string{"config-bucket/p/AWSLogs/123456789012/Config/ConfigWritabilityCheckFile"}; !slices.Equal(b.out.puts, want) {
		t.Errorf("objects: %q", b.out.puts)
	}
	if n := len(b.out.objects[b.out.puts[0]]); n != 0 {
		t.Errorf("%d bytes", n)
	}

	other := c
	other.Bucket = "other"
	wantSame(t, "no bucket", code(b.delivery.Reach(t.Context(), other)), "NoSuchBucketException")
	other = c
	other.TopicARN += "2"
	wantSame(t, "no topic", code(b.delivery.Reach(t.Context(), other)), "InvalidSNSTopicARNException")
	b.out.failing(delivery.ErrAccessDenied, "config-bucket")
	err := b.delivery.Reach(t.Context(), c)
	wantSame(t, "denied", err.Error(), "InsufficientDeliveryPolicyException: Insufficient delivery policy to s3 bucket: config-bucket, "+
		"unable to write to bucket, provided s3 key prefix is 'p', provided kms key is 'null'.")
	b.out.failing(errors.New("connection refused"), "config-bucket")
	if err := b.delivery.Reach(t.Context(), c); err == nil || errors.As(err, new(*model.Error)) {
		t.Errorf("an endpoint that does not answer is not the channel's fault: %v", err)
	}
}

func TestAnotherPlaceIsNotTold(t *testing.T) {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.write(func(ctx context.Context, tx *db.Tx) error {
		there := config.Place{Account: here.Account, Region: "eu-west-1"}
		return b.delivery.OnRulesEvaluationStarted(ctx, tx, config.RulesEvaluationStarted{Place: there, Rules: []string{"r"}})
	})
	b.drain()
	wantSubjects(t, b.out)
}
