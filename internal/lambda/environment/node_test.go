package environment

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestNodeAnswersInEveryWay(t *testing.T) {
	b := newBench(t)
	b.needNode()
	for _, c := range []struct{ name, text, want string }{
		{"async", `exports.handler = async (e) => ({got: e})`, `{"got":{"a":1}}`},
		{"promise", `exports.handler = (e) => Promise.resolve([1])`, `[1]`},
		{"callback", `exports.handler = (e, c, cb) => { setTimeout(() => cb(null, "late"), 5) }`, `"late"`},
		{"succeed", `exports.handler = (e, c) => { setTimeout(() => c.succeed({ok: true}), 5) }`, `{"ok":true}`},
		{"done", `exports.handler = (e, c) => c.done(null, 7)`, `7`},
		{"nothing", `exports.handler = (e, c, cb) => { }`, `null`},
		{"undefined", `exports.handler = async () => undefined`, `null`},
		{"waits for the loop", `exports.handler = (e, c, cb) => { const o = {n: 0}; setTimeout(() => { o.n = 1 }, 20); cb(null, o) }`, `{"n":1}`},
		{"does not wait", `exports.handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 2000); cb(null, 1) }`, `1`},
		{"context", `exports.handler = async (e, c) => [c.functionName, c.memoryLimitInMB, c.getRemainingTimeInMillis() > 0, c.invokedFunctionArn]`,
			`["f","256",true,"arn:aws:lambda:us-east-1:123456789012:function:f"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := b.node(c.text)
			for range 2 {
				if r := b.invoke(v, `{"a":1}`); r.FunctionError != "" || string(r.Payload) != c.want {
					t.Errorf("got %s, want %s\n%s", r.Payload, c.want, r.Log)
				}
			}
		})
	}
}

func TestNodeErrorsAreAWSs(t *testing.T) {
	b := newBench(t)
	b.needNode()
	for _, c := range []struct{ name, text, handler, kind, message, log string }{
		{"thrown", `exports.handler = () => { throw new TypeError("no") }`, "", "TypeError", "no", `Invoke Error 	{"errorType":"TypeError","errorMessage":"no"`},
		{"rejected", `exports.handler = async () => { throw new Error("no") }`, "", "Error", "no", ""},
		{"called back", `exports.handler = (e, c, cb) => cb("text")`, "", "string", "text", ""},
		{"failed", `exports.handler = (e, c) => c.fail(new RangeError("far"))`, "", "RangeError", "far", ""},
		{"cycle", `exports.handler = async () => { const o = {}; o.o = o; return o }`, "", "Runtime.MarshalError", "Unable to stringify response body as json: ", ""},
		{"never settles", `exports.handler = async () => new Promise(() => {})`, "", "Runtime.NodeJsExit", "", ""},
		{"uncaught", `exports.handler = (e, c, cb) => { setTimeout(() => { throw new Error("later") }, 5) }`, "", "Error", "later", "Uncaught Exception"},
		{"unhandled", `exports.handler = (e, c, cb) => { Promise.reject(new Error("lost")); setTimeout(() => cb(null), 1000) }`, "", "Runtime.UnhandledPromiseRejection", "Error: lost", ""},
		{"no module", ``, "other.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'other'\nRequire stack:", ""},
		{"no function", ``, "", "Runtime.HandlerNotFound", "index.handler is undefined or not exported", ""},
		{"not a function", `exports.handler = 1`, "", "Runtime.HandlerNotFound", "index.handler is not a function", ""},
		{"syntax", `exports.handler = (`, "", "Runtime.UserCodeSyntaxError", "SyntaxError: ", ""},
		{"bad name", ``, "../index.handler", "Runtime.MalformedHandlerName", "'../index.handler' is not a valid handler name.", ""},
		{"exit", `exports.handler = async () => process.exit(4)`, "", "Runtime.ExitError", "Runtime exited with error: exit status 4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := b.node(c.text)
			if c.handler != "" {
				v.Handler = c.handler
			}
			r := b.invoke(v, `{}`)
			kind, message, _ := object(t, r)
			if kind != c.kind || !strings.Contains(message, c.message) {
				t.Errorf("got %s: %s", kind, message)
			}
			if !strings.Contains(string(r.Log), c.log) {
				t.Errorf("no %q in the log:\n%s", c.log, r.Log)
			}
		})
	}
}

func TestSyntaxErrorOfAnESModuleHasItsPlace(t *testing.T) {
	b := newBench(t)
	b.needNode()
	for name, files := range map[string]map[string]string{
		"the handler's":     {"index.mjs": "export const handler = () => {\n  const a = (1\n  return a\n}\n"},
		"an imported one's": {"index.mjs": "import { a } from './lib/a.mjs'\nexport const handler = () => a\n", "lib/a.mjs": "\n\nexport const a = ((1;\n"},
	} {
		t.Run(name, func(t *testing.T) {
			v := b.version("nodejs20.x", "index.handler", b.code(files))
			kind, _, trace := object(t, b.invoke(v, `{}`))
			if kind != "Runtime.UserCodeSyntaxError" || len(trace) == 0 || !strings.HasSuffix(trace[0], "mjs:3") {
				t.Errorf("got %s at %q", kind, trace)
			}
		})
	}
}

func TestNodeFindsHandlersWhereAWSDoes(t *testing.T) {
	b := newBench(t)
	b.node("")
	for _, c := range []struct {
		name, handler string
		files         map[string]string
	}{
		{"sub-folder with hyphen", "lib/my-rule.handler", map[string]string{"lib/my-rule.js": `exports.handler = async () => "here"`}},
		{"nested property", "index.a.b", map[string]string{"index.js": `exports.a = {b: async () => "here"}`}},
		{"mjs", "index.handler", map[string]string{"index.mjs": `export const handler = async () => "here"`}},
		{"module package", "index.handler", map[string]string{"index.js": `export const handler = async () => "here"`, "package.json": `{"type":"module"}`}},
		{"cjs", "index.handler", map[string]string{"index.cjs": `exports.handler = async () => "here"`, "package.json": `{"type":"module"}`}},
		{"node_modules", "index.handler", map[string]string{"index.js": `exports.handler = async () => require("dep")`, "node_modules/dep/index.js": `module.exports = "here"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := b.version("nodejs22.x", c.handler, b.code(c.files))
			if r := b.invoke(v, `{}`); string(r.Payload) != `"here"` {
				t.Errorf("%s\n%s", r.Payload, r.Log)
			}
		})
	}
}

func TestNodeConsoleLinesAreOneEvent(t *testing.T) {
	b := newBench(t)
	v := b.node(`exports.handler = async () => { console.log("two\nlines %d", 1); console.error("bad") }`)
	log := string(b.invoke(v, `{}`).Log)
	if !strings.Contains(log, "\tINFO\ttwo\rlines 1\n") || !strings.Contains(log, "\tERROR\tbad\n") {
		t.Errorf("got %q", log)
	}
}

func TestNodeLogsJSONIfAsked(t *testing.T) {
	b := newBench(t)
	v := b.node(`exports.handler = async () => { console.debug("quiet"); console.warn("two", 1); console.info({a: 1}) }`)
	v.LogFormat, v.LogLevel = "JSON", "INFO"
	log := string(b.invoke(v, `{}`).Log)
	if strings.Contains(log, "quiet") || !strings.Contains(log, `"level":"WARN","requestId":"`) || !strings.Contains(log, `"message":"two 1"`) || !strings.Contains(log, `"message":{"a":1}`) {
		t.Errorf("got %s", log)
	}
}

func TestSDKForJavaScript2CallsTheEndpoint(t *testing.T) {
	b := newBench(t)
	if b.host.Look(t.Context()).NodeSDK == "" {
		t.Skip("no aws-sdk v2 on this machine: name its node_modules folder in PLUMB_NODE_PATH")
	}
	v := b.node(`
const AWS = require("aws-sdk");
const S3 = require("aws-sdk/clients/s3");
exports.handler = async () => [new AWS.ConfigService().endpoint.href, new AWS.STS({endpoint: "https://sts.eu-west-1.amazonaws.com"}).endpoint.href,
  new S3({endpoint: "http://localhost:9999"}).endpoint.href, new AWS.EC2().config.region]`)
	want := `["http://127.0.0.1:4577/","http://127.0.0.1:4577/","http://localhost:9999/","us-east-1"]`
	if r := b.invoke(v, `{}`); string(r.Payload) != want {
		t.Errorf("got %s\n%s", r.Payload, r.Log)
	}
}

// AWS's runtimes search NODE_PATH for ES modules from nodejs18.x on.
func TestImportFindsThePackagesOfTheRuntime(t *testing.T) {
	b := newBench(t)
	v := b.node("")
	modules := filepath.Join(b.dir, "node_modules")
	for name, text := range map[string]string{
		"@aws-sdk/client-x/package.json": `{"name": "@aws-sdk/client-x", "main": "index.js"}`,
		"@aws-sdk/client-x/index.js":     `exports.found = "found";`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(modules, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(modules, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.host.NodePath = modules
	b.host.once, b.host.host = sync.Once{}, Host{}
	for name, files := range map[string]map[string]string{
		"module":   {"index.mjs": `import { found } from "@aws-sdk/client-x"; export const handler = async () => found`},
		"CommonJS": {"index.js": `exports.handler = async () => (await import("@aws-sdk/client-x")).found`},
	} {
		v.Code, v.Key = b.code(files), name
		v.Runtime = "nodejs20.x"
		if r := b.invoke(v, `{}`); string(r.Payload) != `"found"` {
			t.Errorf("%s: %s\n%s", name, r.Payload, r.Log)
		}
	}
	v.Code, v.Key, v.Runtime = b.code(map[string]string{"index.mjs": `import { found } from "@aws-sdk/client-x"; export const handler = async () => found`}), "old", "nodejs16.x"
	if kind, _, _ := object(t, b.invoke(v, `{}`)); kind != "Runtime.ImportModuleError" {
		t.Errorf("nodejs16.x finds it: %s", kind)
	}
}
