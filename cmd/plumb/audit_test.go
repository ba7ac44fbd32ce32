package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/apptest"
)

func TestAuditShowsWhoCalledWhat(t *testing.T) {
	p := apptest.Start(t)
	for _, name := range []string{"orders", "returns"} {
		if _, err := p.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.SQS().DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: aws.String(p.URL() + "/123456789012/none")}); err == nil {
		t.Error("a queue that is not there is deleted")
	}
	audit := func(args ...string) (int, string, string) {
		var out, errOut strings.Builder
		code := run(t.Context(), append([]string{"audit", "--endpoint", p.URL()}, args...), strings.NewReader(""), &out, &errOut)
		return code, out.String(), errOut.String()
	}
	for _, c := range []struct {
		args string
		want []string // in lines after the first
	}{
		{"", []string{"sqs:DeleteQueue", "sqs:CreateQueue", "sqs:CreateQueue"}},
		{"--limit 1", []string{"QueueDoesNotExist"}},
		{"--resource orders", []string{"arn:aws:sqs:us-east-1:123456789012:orders  done"}},
		{"--failed --since 1h", []string{"QueueDoesNotExist"}},
		{"--operation sqs:CreateQueue --user root", nil},
		{"--operation CreateQueue --only-account 123456789012", []string{"returns", "orders"}},
		{"--until 2020-01-01T00:00:00Z", nil},
	} {
		code, out, errOut := audit(strings.Fields(c.args)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
		if code != 0 || len(lines) != len(c.want) {
			t.Errorf("%s: %d %s\n%s", c.args, code, errOut, out)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "arn:aws:iam::123456789012:root") {
				t.Errorf("%s: line %d is %s, want %s", c.args, i, lines[i], want)
			}
		}
	}
	_, out, _ := audit("--resource", "orders", "--json")
	var record map[string]any
	if err := json.Unmarshal([]byte(out), &record); err != nil || record["eventName"] != "CreateQueue" {
		t.Errorf("%v: %s", err, out)
	}
	for _, args := range []string{"--since yesterday", "--limit -1", "--follow --until 1h"} {
		if code, _, errOut := audit(strings.Fields(args)...); code == 0 || !strings.Contains(errOut, "want") && !strings.Contains(errOut, "leave out") {
			t.Errorf("%s: %d %s", args, code, errOut)
		}
	}
}
