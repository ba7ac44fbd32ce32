package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

func TestDeliveriesAreListedShownTriedAgainAndDropped(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.LogLevel = "error" })
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Clock().Freeze(time.Now())
	p.Drain(t)
	command := func(args ...string) (string, string, int) {
		var out, errOut bytes.Buffer
		status := run(t.Context(), append([]string{"deliveries", args[0], "--endpoint", p.URL()}, args[1:]...), strings.NewReader(""), &out, &errOut)
		return out.String(), errOut.String(), status
	}
	if out, _, _ := command("list"); out != "No message waits, and none is undelivered.\n" {
		t.Error(out)
	}
	topic := "arn:aws:sns:" + p.Region() + ":" + p.Account() + ":" + apptest.DeliveryTopic
	if _, err := p.SNS().DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &topic}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	if out, _, _ := command("list"); !strings.Contains(out, " waiting ") {
		t.Error(out)
	}
	p.Clock().Advance(80 * time.Hour)
	p.Drain(t)
	out, _, _ := command("list", "--json")
	var all listedDeliveries
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all.Undelivered) == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	first := all.Undelivered[0]
	if first.Account != p.Account() || first.Sink != "topic" || first.Kind != "items" || !strings.Contains(first.Error, "no such topic") {
		t.Errorf("%+v", first)
	}
	if out, _, _ := command("list"); !strings.Contains(out, "AWS::SNS::Topic "+topic) || !strings.Contains(out, " undelivered ") {
		t.Error(out)
	}
	if out, errOut, _ := command("show", "1000000"); out != "" || !strings.Contains(errOut, "no undelivered message has the id 1000000") {
		t.Error(out, errOut)
	}
	id := strings.TrimSpace(strings.SplitN(strings.SplitN(out, `"id": `, 2)[1], ",", 2)[0])
	if out, _, _ := command("show", id); !strings.Contains(out, `"messageType":"ConfigurationItemChangeNotification"`) ||
		!strings.Contains(out, "[AWS Config:"+p.Region()+"] AWS::SNS::Topic ") {
		t.Error(out)
	}
	if _, err := p.SNS().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new(apptest.DeliveryTopic)}); err != nil {
		t.Fatal(err)
	}
	p.Clock().Advance(6 * time.Minute)
	p.Drain(t)
	if out, _, _ := command("retry", id); !strings.HasSuffix(out, "messages are tried again.\n") && !strings.Contains(out, " tried again") {
		t.Error(out)
	}
	p.Drain(t)
	if _, errOut, status := command("show", id); status != 1 || !strings.Contains(errOut, "no undelivered message") {
		t.Errorf("%d %s", status, errOut)
	}
	for _, wrong := range [][]string{{"drop"}, {"drop", "1", "--all"}, {"retry", "x"}} {
		if _, errOut, status := command(wrong...); status != 1 || errOut == "" {
			t.Errorf("%v: %d %s", wrong, status, errOut)
		}
	}
	if out, errOut, status := command("drop", "--all"); status != 0 || !strings.Contains(out, "messages are dropped") {
		t.Errorf("%d %s %s", status, out, errOut)
	}
	if out, _, _ := command("list", "--json"); !strings.Contains(out, `"undelivered": []`) && !strings.Contains(out, `"undelivered": null`) {
		t.Error(out)
	}
}
