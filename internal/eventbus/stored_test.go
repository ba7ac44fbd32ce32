package eventbus

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
	"plumb/internal/job/jobtest"
)

var stored = config.Place{Account: "123456789012", Region: "eu-west-1"}

func TestStoredJobs(t *testing.T) {
	jobtest.Golden(t,
		routeJob{Place: stored, Bus: "b", From: "123456789012", Hops: 1, Put: 5, Events: []string{`{"a":1}`}},
		delivery{Place: stored, Rule: "r", Target: "t", Role: "role", Group: "g", DeadLetters: "d", Retries: 2, Age: 60, Event: `{}`, Body: "b",
			From: "123456789012", Hops: 1, Put: 5, Tries: 1,
			Attempt: "n", Letter: map[string]string{"A": "b"}},
		fireJob{Place: stored, Rule: "r", Due: 7, Since: 6},
	)
}

// What is kept is read by later versions.
func TestStoredForms(t *testing.T) {
	for want, v := range map[string]any{
		`{"description":"d","key":"k","deadLetters":"q","logLevel":"INFO","logDetail":"FULL"}`: storedBus{"d", "k", "q", "INFO", "FULL"},
		`{"state":"ENABLED","description":"d","role":"r"}`:                                     storedRule{"ENABLED", "d", "r"},
		`{"role":"r","input":"i","path":"p","transformer":{"paths":{"a":"$.b"},"template":"t"},"group":"g","deadLetters":"d","retries":1,"age":60}`: storeTarget(Target{
			Role: "r", Input: "i", Path: "p", Transformer: &Transformer{map[string]string{"a": "$.b"}, "t"}, Group: "g", DeadLetters: "d",
			GivenRetries: new(int32(1)), GivenAge: new(int32(60))}),
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
