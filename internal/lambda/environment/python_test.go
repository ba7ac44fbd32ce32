package environment

import (
	"encoding/json"
	"strings"
	"testing"

	"plumb/internal/sandbox"
)

// object decodes an error object.
func object(t *testing.T, r Result) (kind, message string, trace []string) {
	t.Helper()
	var o struct {
		Kind       string   `json:"errorType"`
		Message    string   `json:"errorMessage"`
		StackTrace []string `json:"stackTrace"`
		Trace      []string `json:"trace"`
	}
	if r.FunctionError != Unhandled {
		t.Fatalf("function error %q, payload %s\n%s", r.FunctionError, r.Payload, r.Log)
	}
	if err := json.Unmarshal(r.Payload, &o); err != nil {
		t.Fatalf("%s: %v", r.Payload, err)
	}
	return o.Kind, o.Message, append(o.StackTrace, o.Trace...)
}

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

func TestPythonContextHasItsMembers(t *testing.T) {
	b := newBench(t)
	v := b.python(`
def handler(event, c):
    return [c.aws_request_id != "", c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.log_group_name,
        c.log_stream_name != "", c.identity.cognito_identity_id, c.client_context, c.tenant_id]
`)
	want := `[true, "$LATEST", "arn:aws:lambda:us-east-1:123456789012:function:f", "256", "/aws/lambda/f", true, null, null, null]`
	if r := b.invoke(v, `{}`); string(r.Payload) != want {
		t.Errorf("got %s\nwant %s", r.Payload, want)
	}
}

func TestPythonSeesAWSsVariables(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import os
def handler(event, context):
    return {k: os.environ.get(k) for k in event}
`)
	v.Variables = map[string]string{"MINE": "1", "TZ": "Europe/Oslo", "AWS_REGION": "no"}
	r := b.invoke(v, `["AWS_REGION","AWS_DEFAULT_REGION","AWS_ACCESS_KEY_ID","AWS_SESSION_TOKEN","AWS_ENDPOINT_URL","_HANDLER","AWS_LAMBDA_FUNCTION_NAME","AWS_EXECUTION_ENV","MINE","TZ","HOSTNAME"]`)
	want := `{"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SESSION_TOKEN": "token", ` +
		`"AWS_ENDPOINT_URL": "http://127.0.0.1:4577", "_HANDLER": "index.handler", "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", ` +
		`"MINE": "1", "TZ": "Europe/Oslo", "HOSTNAME": null}`
	if string(r.Payload) != want {
		t.Errorf("got %s\nwant %s", r.Payload, want)
	}
}

func TestPythonErrorsAreAWSs(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		name, text, handler, kind, message, log string
	}{
		{"raised", "def handler(e, c):\n    raise ValueError('no')\n", "index.handler", "ValueError", "no", "[ERROR] ValueError: no\rTraceback (most recent call last):\r\u00a0\u00a0File"},
		{"unserializable", "def handler(e, c):\n    return {1, 2}\n", "index.handler", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable", ""},
		{"syntax", "def handler(e, c:\n", "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index': ", ""},
		{"no module", "", "other.handler", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'", "LAMBDA_WARNING"},
		{"no function", "", "index.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'", ""},
		{"no dot", "", "index", "Runtime.MalformedHandlerName", "Bad handler 'index': not enough values to unpack (expected 2, got 1)", ""},
		{"built in", "", "sys.handler", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module", ""},
		{"at import", "raise KeyError('x')", "index.handler", "KeyError", "'x'", ""},
		{"exit", "import sys\ndef handler(e, c):\n    sys.exit(3)\n", "index.handler", "Runtime.ExitError", "Error: Runtime exited with error: exit status 3", "Runtime exited with error: exit status 3"},
		{"exit 0", "import sys\ndef handler(e, c):\n    sys.exit(0)\n", "index.handler", "Runtime.ExitError", "Error: Runtime exited without providing a reason", ""},
		{"exit at import", "import os\nos._exit(7)\n", "index.handler", "Runtime.ExitError", "Runtime exited with error: exit status 7", "Runtime exited with error: exit status 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := b.python(c.text)
			v.Handler = c.handler
			r := b.invoke(v, `{}`)
			kind, message, _ := object(t, r)
			if kind != c.kind || !strings.Contains(message, c.message) {
				t.Errorf("got %s: %s", kind, message)
			}
			if !strings.Contains(string(r.Log), c.log) {
				t.Errorf("no %q in the log:\n%q", c.log, r.Log)
			}
		})
	}
}

func TestPythonStackTraceShowsTheFunctionOnly(t *testing.T) {
	b := newBench(t)
	v := b.python("def handler(e, c):\n    helper()\ndef helper():\n    raise RuntimeError('deep')\n")
	_, _, trace := object(t, b.invoke(v, `{}`))
	if len(trace) != 2 || !strings.Contains(trace[0], `/var/task/index.py", line 2, in handler`) && b.level.String() == "namespaces" {
		t.Errorf("got %q", trace)
	}
}

func TestPythonHandlerInSubFolderWithHyphen(t *testing.T) {
	b := newBench(t)
	b.python("")
	v := b.version("python3.9", "rules/my-rule.lambda_handler", b.code(map[string]string{
		"rules/my-rule.py": "import helper\ndef lambda_handler(e, c):\n    return helper.name\n",
		"helper.py":        "name = 'found'\n",
	}))
	if r := b.invoke(v, `{}`); string(r.Payload) != `"found"` {
		t.Errorf("%s\n%s", r.Payload, r.Log)
	}
}

func TestPythonNumbersAndTextsAreJSON(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import decimal
def handler(event, context):
    return [decimal.Decimal("3"), decimal.Decimal("1.5"), None, event]
`)
	r := b.invoke(v, `"é"`)
	var got []any
	if err := json.Unmarshal(r.Payload, &got); err != nil || got[0] != 3.0 || got[1] != 1.5 || got[2] != nil || got[3] != "é" {
		t.Errorf("%s, %v", r.Payload, err)
	}
}

func TestPythonLogsWithTheRequestID(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import logging
def handler(event, context):
    logging.info("quiet")
    logging.warning("loud %s", 1)
    print("two\nlines")
`)
	log := string(b.invoke(v, `{}`).Log)
	if strings.Contains(log, "quiet") || !strings.Contains(log, "[WARNING]\t") || !strings.Contains(log, "\tloud 1\n") {
		t.Errorf("got %s", log)
	}
}

func TestPythonLogsJSONIfAsked(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import logging
def handler(event, context):
    logging.getLogger("mine").error("bad %d", 7)
    raise ValueError("no")
`)
	v.LogFormat, v.LogLevel = "JSON", "INFO"
	r := b.invoke(v, `{}`)
	var bad, raised bool
	for line := range strings.Lines(string(r.Log)) {
		var o map[string]any
		if json.Unmarshal([]byte(line), &o) != nil {
			continue
		}
		bad = bad || o["message"] == "bad 7" && o["level"] == "ERROR" && o["logger"] == "mine" && o["requestId"] != nil
		raised = raised || o["errorType"] == "ValueError" && o["errorMessage"] == "no"
	}
	if !bad || !raised {
		t.Errorf("got %s", r.Log)
	}
}

func TestPythonKeepsStateWhileWarm(t *testing.T) {
	b := newBench(t)
	v := b.python(`
count = 0
def handler(event, context):
    global count
    count += 1
    return count
`)
	for _, want := range []string{"1", "2", "3"} {
		r := b.invoke(v, `{}`)
		if string(r.Payload) != want {
			t.Errorf("got %s, want %s", r.Payload, want)
		}
		if want != "1" && strings.Contains(string(r.Log), "Init Duration") {
			t.Errorf("a cold start: %s", r.Log)
		}
	}
}

func TestPythonThatTakesTooLongStartsAnewWithItsTmp(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import os, tempfile, time
def handler(event, context):
    path = os.path.join(tempfile.gettempdir(), "seen")
    if os.path.exists(path):
        return "seen"
    open(path, "w").close()
    print("before")
    time.sleep(60)
`)
	v.Timeout = 1e9
	r := b.invoke(v, `{}`)
	kind, message, _ := object(t, r)
	if kind != "Sandbox.Timedout" || !strings.HasSuffix(message, " Error: Task timed out after 1.00 seconds") {
		t.Errorf("got %s: %s", kind, message)
	}
	if log := string(r.Log); !strings.Contains(log, "before\n") || !strings.Contains(log, "Task timed out after 1.00 seconds") || !strings.Contains(log, "Status: timeout") {
		t.Errorf("got %s", log)
	}
	if r := b.invoke(v, `{}`); string(r.Payload) != `"seen"` {
		t.Errorf("got %s", r.Payload)
	}
}

func TestPythonThatEatsMemoryIsKilled(t *testing.T) {
	b := newBench(t)
	v := b.python(`
import time
def handler(event, context):
    kept = []
    for i in range(100):
        kept.append(bytearray(8 << 20))
        time.sleep(0.01)
`)
	v.Memory = 128
	init := v
	init.Key, init.Code = "init", b.python("kept = [bytearray(8 << 20) for i in range(100)]\n").Code
	for _, v := range []Version{v, init} {
		r := b.invoke(v, `{}`)
		kind, message, _ := object(t, r)
		if kind != "Runtime.ExitError" || !strings.HasSuffix(message, "Runtime exited with error: signal: killed") {
			t.Errorf("got %s: %s", kind, message)
		}
		if r.Cause != "the function needs more than its memory of 128 MB" {
			t.Errorf("the cause is %q", r.Cause)
		}
		log := string(r.Log)
		if !strings.Contains(log, "Max Memory Used: 128 MB\t") || !strings.HasSuffix(log, "Status: error\tError Type: Runtime.OutOfMemory\n") {
			t.Errorf("the log says\n%s", log)
		}
	}
}

func TestPythonThatLeavesHasHeldMemory(t *testing.T) {
	b := newBench(t)
	if sandbox.Probe(t.TempDir()).Memory != "cgroup" {
		t.Skip("this machine has no control groups, and the memory of a process that has left is not known")
	}
	r := b.invoke(b.python("import os\ndef handler(event, context):\n    os._exit(3)\n"), `{}`)
	if strings.Contains(string(r.Log), "Max Memory Used: 0 MB") || r.Cause != "" {
		t.Errorf("the cause is %q, and the log says\n%s", r.Cause, r.Log)
	}
}

func TestResponseThatIsTooLargeIsAnError(t *testing.T) {
	b := newBench(t)
	v := b.python("def handler(e, c):\n    return 'x' * 7000000\n")
	kind, _, _ := object(t, b.invoke(v, `{}`))
	if kind != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %s", kind)
	}
	if r := b.invoke(v, `{}`); r.FunctionError == "" {
		t.Error("second invocation")
	}
}

func TestBoto3CallsTheEndpoint(t *testing.T) {
	b := newBench(t)
	if b.host.Look(t.Context()).Boto3 == "" {
		t.Skip("this machine's python3 has no boto3")
	}
	v := b.python(`
import boto3
def handler(event, context):
    c = boto3.client("config")
    s = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
    o = boto3.client("s3", endpoint_url="http://localhost:9999")
    return [c.meta.endpoint_url, s.meta.endpoint_url, o.meta.endpoint_url]
`)
	want := `["http://127.0.0.1:4577", "http://127.0.0.1:4577", "http://localhost:9999"]`
	if r := b.invoke(v, `{}`); string(r.Payload) != want {
		t.Errorf("got %s\n%s", r.Payload, r.Log)
	}
}
