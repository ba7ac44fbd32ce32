package iot

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
	"plumb/internal/model"
)

var (
	here   = config.Place{Account: "123456789012", Region: "us-east-1"}
	kept   = message{here, "t", []string{"r"}, []byte("p"), "c", "u", "i", 7}
	action = Action{"LambdaAction", "t", "ro", "k", "private", true, "RAW"}
)

func TestStoredJobs(t *testing.T) {
	s := step{Message: kept, Rule: "r", RuleARN: "a", Action: storedAction(action), Body: []byte("b")}
	jobtest.Golden(t, kept, object{step: s, Fallback: new(storedAction(action))})
}

// What is kept is read by later versions.
func TestAStoredRule(t *testing.T) {
	r := Rule{Place: here, Name: "n", SQL: "SELECT *", Version: "beta", Description: "d", Enabled: true, Created: time.UnixMicro(1), Actions: []Action{action}, ErrorAction: &action}
	text, err := json.Marshal(storeRule(r))
	const one = `{"type":"LambdaAction","target":"t","role":"ro","key":"k","acl":"private","base64":true,"format":"RAW"}`
	if want := `{"sql":"SELECT *","version":"beta","description":"d","actions":[` + one + `],"errorAction":` + one + `}`; err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
}

// The members are those that AWS documents for error actions.
func TestAnErrorActionGetsTheFailureAndTheMessage(t *testing.T) {
	s := kept.step("r", "a", Action{Type: ActionS3, Target: "bucket"}, []byte("b"), nil)
	got, err := json.Marshal(failureOf(s, &model.Error{Code: "C", Message: "m"}))
	want := `{"ruleName":"r","topic":"t","cloudwatchTraceId":"i","clientId":"c","base64OriginalPayload":"cA==",` +
		`"failures":[{"failedAction":"S3Action","failedResource":"bucket","errorMessage":"C: m"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestFiltersAreInThePlaceOfTheirClient(t *testing.T) {
	for filter, want := range map[string]string{
		"a/+": "123456789012/us-east-1/a/+", "#": "123456789012/us-east-1/#", "$share/g/a/#": "$share/g/123456789012/us-east-1/a/#", "$SHARE/g/a": "$share/g/123456789012/us-east-1/a",
	} {
		if got := filterWithin(here, filter); got != want {
			t.Errorf("%s is %s", filter, got)
		}
	}
	if p, rest := split("123456789012/us-east-1/a/b"); p != here || rest != "a/b" {
		t.Errorf("%v %s", p, rest)
	}
}

func TestTheURLOfAQueueIsItsARN(t *testing.T) {
	if got, err := queueARN(here, "http://127.0.0.1:4577/210987654321/q"); err != nil || got != "arn:aws:sqs:us-east-1:210987654321:q" {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{"q", "/1/q", "http://h/q", "arn:aws:sqs:us-east-1:1:q", ":"} {
		if got, err := queueARN(here, bad); err == nil {
			t.Errorf("%s is %s", bad, got)
		}
	}
}
