package scheduler

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, fireJob{Place: config.Place{Account: "123456789012", Region: "eu-west-1"}, Group: "g", Name: "n", Due: 7, Changed: 6})
}

// What is kept is read by later versions.
func TestStoredForms(t *testing.T) {
	got, err := json.Marshal(storeSettings(Settings{
		Description: "d", Expression: "rate(1 day)", Zone: "UTC", Start: time.UnixMicro(1), End: time.UnixMicro(2), Window: 5 * time.Minute, Delete: true, Key: "k",
		Target: Target{"arn", "role", "input", "g", "s", "t", "dead", new(int32(1)), new(int32(60))},
	}))
	const want = `{"description":"d","expression":"rate(1 day)","zone":"UTC","start":1,"end":2,"window":5,"delete":true,"key":"k",` +
		`"target":{"arn":"arn","role":"role","input":"input","group":"g","source":"s","detailType":"t","deadLetters":"dead","retries":1,"age":60}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
