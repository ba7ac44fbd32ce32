package environment

import (
	"strings"
	"testing"
)

func TestPythonHandlerReturns(t *testing.T) {
	b := newBench(t)
	v := b.python(`
def handler(event, context):
    print("hello", event["a"])
    return {"got": event, "name": context.function_name, "left": context.get_remaining_time_in_millis() > 0}
`)
	r := b.invoke(v, `{"a": 1}`)
	if r.FunctionError != "" || string(r.Payload) != `{"got": {"a": 1}, "name": "f", "left": true}` {
		t.Fatalf("%s %s", r.FunctionError, r.Payload)
	}
	for _, want := range []string{"START RequestId: ", "hello 1\n", "END RequestId: ", "REPORT RequestId: ", "Init Duration: "} {
		if !strings.Contains(string(r.Log), want) {
			t.Errorf("no %q in the log:\n%s", want, r.Log)
		}
	}
}
