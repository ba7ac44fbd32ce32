package stream

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

func TestStoredJobs(t *testing.T) {
	p := config.Place{Account: "123456789012", Region: "us-east-1"}
	jobtest.Golden(t, discover{Place: p, Mapping: "4f1c", Round: 5, Once: true}, read{Place: p, Mapping: "4f1c", Shard: "shardId-0", Round: 5})
}

func TestStoredProgressKeepsItsForm(t *testing.T) {
	text, err := json.Marshal(progress{
		Begin: "LATEST", Time: 1, Iterator: "i", Read: 2, Lanes: []lane{{Checkpoint: "9", Parts: []part{{"10", 1}}, Since: 3}},
		Window: &window{Start: 60, State: json.RawMessage(`{}`), Attempts: 1, Early: true},
	})
	const want = `{"begin":"LATEST","time":1,"iterator":"i","read":2,"lanes":[{"checkpoint":"9","parts":[{"end":"10","attempts":1}],"since":3}],` +
		`"window":{"start":60,"state":{},"attempts":1,"early":true}}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestSequenceNumbersAreComparedAsNumbers(t *testing.T) {
	if !after("10", "9") || after("9", "10") || after("9", "9") || !after("21", "20") {
		t.Error("they are not")
	}
}
