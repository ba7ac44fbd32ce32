package codecommit

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t, notice{
		Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Repository: "arn:aws:codecommit:us-east-1:123456789012:r", Trigger: "t",
		Target: "arn:aws:sns:us-east-1:123456789012:t", Event: []byte(`{"a":1}`),
	})
}

// What is kept is read by later versions.
func TestStoredForms(t *testing.T) {
	got, err := json.Marshal(definition{"k", map[string]string{"a": "b"}, []Trigger{{"n", "arn", "data", []string{"main"}, []string{"all"}}}, "id"})
	const want = `{"key":"k","tags":{"a":"b"},"triggers":[{"name":"n","target":"arn","customData":"data","branches":["main"],"events":["all"]}],"triggersId":"id"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
