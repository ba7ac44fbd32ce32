package environment

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/sandbox"
)

// newNamedBench has functions whose endpoint answers with the host that it was asked for.
func newNamedBench(t *testing.T) *bench {
	t.Helper()
	if sandbox.Probe(t.TempDir()).Level < sandbox.Namespaces {
		t.Skip("functions have no names of their own on this machine: see docs/divergences.md")
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "for "+r.Host) }))
	t.Cleanup(web.Close)
	return newBenchAt(t, sandbox.Namespaces, Options{Endpoint: func() string { return web.URL }})
}

func TestPythonReachesTheEndpointByAWSsNames(t *testing.T) {
	b := newNamedBench(t)
	v := b.python(`
import os, ssl, socket, urllib.request
def get(url, **k):
    try:
        return urllib.request.urlopen(url, timeout=5, **k).read().decode()
    except Exception as e:
        return type(e).__name__
def handler(event, context):
    system = [f for f in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem") if os.path.exists(f)]
    return [
        get("https://config.us-east-1.amazonaws.com/"),
        get("http://sqs.us-east-1.amazonaws.com/"),
        get("https://a.b.s3.eu-west-1.amazonaws.com/"),
        get("https://123456789012.s3-control.us-east-1.amazonaws.com/"),
        get("https://config.us-east-1.api.aws/"),
        get("https://config.us-east-1.amazonaws.com/", context=ssl.create_default_context(cafile=system[0] if system else os.environ["SSL_CERT_FILE"])),
        get("https://example.com/"),
        get("https://amazonaws.com.example.com/"),
    ]
`)
	want := `["for config.us-east-1.amazonaws.com", "for sqs.us-east-1.amazonaws.com", "for a.b.s3.eu-west-1.amazonaws.com", ` +
		`"for 123456789012.s3-control.us-east-1.amazonaws.com", "for config.us-east-1.api.aws", "for config.us-east-1.amazonaws.com", "URLError", "URLError"]`
	if r := b.invoke(v, `{}`); string(r.Payload) != want {
		t.Errorf("got  %s\nwant %s\n%s", r.Payload, want, r.Log)
	}
}

func TestNodeReachesTheEndpointByAWSsNames(t *testing.T) {
	b := newNamedBench(t)
	if b.host.Look(t.Context()).Node == "" {
		t.Skip("this machine has no node")
	}
	v := b.node(`
const https = require("https");
exports.handler = () => new Promise((done, fail) => https.get("https://config.eu-west-1.amazonaws.com/", r => {
  let text = ""; r.on("data", d => text += d); r.on("end", () => done(text));
}).on("error", fail));
`)
	if r := b.invoke(v, `{}`); string(r.Payload) != `"for config.eu-west-1.amazonaws.com"` {
		t.Errorf("%s\n%s", r.Payload, r.Log)
	}
}

func TestAShellScriptReachesTheEndpointByAWSsNames(t *testing.T) {
	b := newNamedBench(t)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("this machine has no curl")
	}
	dir := b.code(map[string]string{"bootstrap": `#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
  id=$(curl -s -D - -o /tmp/event $api/next | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')
  curl -s https://config.us-east-1.amazonaws.com/ >/tmp/got 2>&1
  curl -s -d "\"$(cat /tmp/got)\"" $api/$id/response >/dev/null
done
`})
	if err := os.Chmod(filepath.Join(dir, "bootstrap"), 0o755); err != nil {
		t.Fatal(err)
	}
	v := b.version("provided.al2023", "x", dir)
	if r := b.invoke(v, `{}`); string(r.Payload) != `"for config.us-east-1.amazonaws.com"` {
		t.Errorf("%s\n%s", r.Payload, r.Log)
	}
}

func TestAFunctionsOwnCertificatesStay(t *testing.T) {
	b := newNamedBench(t)
	v := b.python("import os\ndef handler(e, c):\n    return [os.environ['SSL_CERT_FILE'], os.environ['AWS_CA_BUNDLE'][:11]]\n")
	v.Variables = map[string]string{"SSL_CERT_FILE": "/var/task/mine.pem"}
	if r := b.invoke(v, `{}`); string(r.Payload) != `["/var/task/mine.pem", "/etc/plumb/"]` {
		t.Errorf("%s", r.Payload)
	}
}

func TestWhereAFunctionHasTheHostsNetworkNothingIsPretended(t *testing.T) {
	level := min(sandbox.Probe(t.TempDir()).Level, sandbox.Landlock)
	b := newBenchAt(t, level, Options{Endpoint: func() string { return "http://127.0.0.1:1" }})
	v := b.python("import os\ndef handler(e, c):\n    return [n for n in os.environ if n.endswith(('_CERT_FILE', '_CA_BUNDLE', '_CA_CERTS'))]\n")
	if r := b.invoke(v, `{}`); strings.TrimSpace(string(r.Payload)) != `[]` {
		t.Errorf("%s", r.Payload)
	}
}
