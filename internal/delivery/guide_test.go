package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/delivery"
)

var updateGuide = flag.Bool("update-guide", false, "write the samples of docs/deliveries.md anew")

const guide = "../../docs/deliveries.md"

// everyMessage has each of the nine messages sent, and returns them by their type.
func everyMessage(t *testing.T) map[string]aMessage {
	b := newBench(t, dbtest.Open(t))
	b.channel(aChannel())
	b.record(b.group("sg-1", config.StatusDiscovered, map[string]any{"groupName": "a"}))
	b.advance(time.Minute)
	b.record(b.group("sg-1", config.StatusOK, map[string]any{"groupName": "b"}))
	b.record(b.group("sg-2", config.StatusDiscovered, map[string]any{"text": strings.Repeat("x", config.MaxMessage)}))
	b.drain()
	b.out.failing(delivery.ErrNoSuchBucket, "config-bucket/")
	b.record(b.group("sg-3", config.StatusDiscovered, map[string]any{"text": strings.Repeat("x", config.MaxMessage)}))
	b.snapshot()
	b.drain()
	b.out.failing(nil)
	verdict := config.Verdict{
		Rule: "restricted-ssh", Invoked: b.clock.Now(), Recorded: b.clock.Now(),
		Evaluation: config.Evaluation{ResourceType: "AWS::EC2::SecurityGroup", ResourceID: "sg-1", Compliance: config.Compliant, Ordering: b.clock.Now()},
	}
	worse := verdict
	worse.Compliance, worse.Annotation = config.NonCompliant, "Port 22 is open to everyone."
	b.write(func(ctx context.Context, tx *db.Tx) error {
		change := config.VerdictChange{RuleARN: "arn:aws:config:us-east-2:123456789012:config-rule/config-rule-9rpvxc", Old: &verdict, New: worse}
		return errors.Join(
			b.delivery.OnComplianceChanged(ctx, tx, config.ComplianceChanged{Place: here, Changes: []config.VerdictChange{change}}),
			b.delivery.OnRulesEvaluationStarted(ctx, tx, config.RulesEvaluationStarted{Place: here, Rules: []string{"restricted-ssh"}}))
	})
	b.snapshot()
	b.advance(6 * time.Hour)
	out := map[string]aMessage{}
	for _, m := range b.out.took() {
		var body struct {
			Type string `json:"messageType"`
		}
		if err := json.Unmarshal([]byte(m.body), &body); err != nil {
			t.Fatal(err)
		}
		out[body.Type] = m
	}
	return out
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// The samples of the guide are what is sent, member by member, and there is one of each type.
func TestTheGuideShowsEveryMessageAsItIsSent(t *testing.T) {
	sent := everyMessage(t)
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	sample := regexp.MustCompile("(?s)### `([A-Za-z]+)`\n\n(.*?)Subject: .*?```\n")
	now := sample.ReplaceAllFunc(text, func(section []byte) []byte {
		found := sample.FindSubmatch(section)
		m, ok := sent[string(found[1])]
		if !ok {
			t.Errorf("%s was not sent", found[1])
			return section
		}
		shown++
		var body bytes.Buffer
		if err := json.Indent(&body, []byte(anyUUID.ReplaceAllString(m.body, "16da64e4-cb65-4846-b061-e6c3ba43cb96")), "", "  "); err != nil {
			t.Fatal(err)
		}
		return fmt.Appendf(nil, "### `%s`\n\n%sSubject: `%s`\n\n```json\n%s\n```\n", found[1], found[2], m.subject, body.Bytes())
	})
	if shown != 9 || len(sent) != 9 {
		t.Errorf("the guide shows %d types, %d were sent", shown, len(sent))
	}
	if *updateGuide {
		if err := os.WriteFile(guide, now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(now, text) {
		t.Error("docs/deliveries.md is stale: go test ./internal/delivery -run Guide -update-guide")
	}
}
