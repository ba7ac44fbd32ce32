package mapping

import (
	"encoding/json"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, settleArgs{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Mapping: "4f1c"})
}

func TestStoredDefinitionKeepsItsForm(t *testing.T) {
	n := 2
	s := Settings{
		Enabled: true, BatchSize: 10, Window: 1, Filters: []string{"{}"}, KMSKey: "k", Partial: true, MaxConcurrency: 2, MinPollers: &n, MaxPollers: &n,
		Metrics: []string{"EventCount"}, LogLevel: "WARN", Tags: map[string]string{"a": "b"}, Position: AtTimestamp, Timestamp: time.Unix(1, 0).UTC(), Factor: 3,
		OnFailure: "arn", MaxAge: 60, Bisect: true, Retries: 4, Tumbling: 5,
	}
	text, err := json.Marshal(toStored(s))
	const want = `{"enabled":true,"batchSize":10,"window":1,"filters":["{}"],"kmsKey":"k","partial":true,"maxConcurrency":2,"minPollers":2,"maxPollers":2,` +
		`"metrics":["EventCount"],"logLevel":"WARN","tags":{"a":"b"},"position":"AT_TIMESTAMP","timestamp":1000000,"factor":3,"onFailure":"arn","maxAge":60,` +
		`"bisect":true,"retries":4,"tumbling":5}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	var back stored
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(toStored(fromStored(back)))
	if err != nil || string(again) != want {
		t.Errorf("read back as %s, %v", again, err)
	}
}

func TestReportsOfFailuresMeanWhatAWSDocuments(t *testing.T) {
	batch := []string{"1", "2"}
	for text, want := range map[string]string{
		"": "none", "null": "none", `""`: "none", "{}": "none", "[]": "none", `{"batchItemFailures": []}`: "none", `{"batchItemFailures": null}`: "none",
		`{"other": 1}`: "none",
		`{"batchItemFailures": [{"itemIdentifier": "2"}]}`: "2",
		`{"batchItemFailures": [{"itemIdentifier": "3"}]}`: "all", `{"batchItemFailures": [{"itemIdentifier": ""}]}`: "all",
		`{"batchItemFailures": [{"itemIdentifier": null}]}`: "all", `{"batchItemFailures": [{"id": "1"}]}`: "all",
		`{"batchItemFailures": 5}`: "all", `{"batchItemFailures": [{"itemIdentifier": 2}]}`: "all", `"text"`: "all", `[1]`: "all",
	} {
		failed, ok := Failures([]byte(text), batch)
		got := "none"
		switch {
		case !ok:
			got = "all"
		case len(failed) == 1 && failed["2"]:
			got = "2"
		case len(failed) > 0:
			got = "others"
		}
		if got != want {
			t.Errorf("%s: failed %s, want %s", text, got, want)
		}
	}
}
