package trace_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumb/internal/trace"
	"plumb/internal/trace/tracetest"
)

// env is an environment with these variables alone.
func env(all map[string]string) func(string) string {
	return func(name string) string { return all[name] }
}

func open(t *testing.T, o trace.Options) *trace.Tracer {
	t.Helper()
	if o.Env == nil {
		o.Env = env(nil)
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	tr, err := trace.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestSpansArriveWithWhatTheyAreAbout(t *testing.T) {
	c := tracetest.New(t)
	tr := open(t, trace.Options{Endpoint: c.URL, Version: "1.2", Instance: "one"})
	ctx, outer := tr.Begin(t.Context(), "request", trace.Server, "", "rpc.method", "PutEvaluations")
	_, inner := trace.Start(ctx, "record", "resource", "r")
	inner.SetInt("items", 3)
	inner.Fail(errors.New("busy"))
	inner.End()
	outer.Name("Config.PutEvaluations")
	outer.End()
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := c.Spans()
	if len(all) != 2 || c.Requests()[0].URL.Path != "/v1/traces" {
		t.Fatalf("%+v", all)
	}
	in, out := all[0], all[1]
	if in.Name != "record" || in.Error != "busy" || in.Attributes["resource"] != "r" || in.Attributes["items"] != "3" || in.Parent != out.ID || in.Trace != out.Trace {
		t.Errorf("inner: %+v", in)
	}
	if out.Name != "Config.PutEvaluations" || out.Parent != "" || out.Kind != "SPAN_KIND_SERVER" || out.Resource["service.name"] != "plumb" ||
		out.Resource["service.version"] != "1.2" || out.Resource["service.instance.id"] != "one" {
		t.Errorf("outer: %+v", out)
	}
}

// One span that is no text would take the others of its batch with it.
func TestWhatIsNoTextIsSentAsText(t *testing.T) {
	c := tracetest.New(t)
	tr := open(t, trace.Options{Endpoint: c.URL})
	long := strings.Repeat("x", 1023) + "\u00fc"
	ctx, s := tr.Begin(t.Context(), "a\xff", trace.Server, "", "host", "b\xfe", "long", long)
	s.Fail(errors.New("c\xfd"))
	_, part := trace.Start(ctx, "d\xfc")
	part.Name("e\xfb")
	part.End()
	s.End()
	tr.Close(t.Context())
	all := c.Spans()
	if len(all) != 2 || all[0].Name != "e\uFFFD" || all[1].Name != "a\uFFFD" || all[1].Error != "c\uFFFD" || all[1].Attributes["host"] != "b\uFFFD" ||
		all[1].Attributes["long"] != long[:1023]+"\uFFFD" {
		t.Errorf("%+v", all)
	}
}

func TestTracesGoOnWhereTheyAreCarried(t *testing.T) {
	c := tracetest.New(t)
	tr := open(t, trace.Options{Endpoint: c.URL})
	ctx, first := tr.Begin(t.Context(), "first", trace.Internal, "")
	carried, xray := trace.ParentOf(ctx), trace.XRay(ctx)
	first.End()
	_, second := tr.Begin(t.Context(), "second", trace.Consumer, carried)
	second.End()
	r, _ := http.NewRequest("GET", "http://h/", nil)
	r.Header.Set("X-Amzn-Trace-Id", xray)
	_, third := tr.Begin(t.Context(), "third", trace.Server, trace.FromRequest(r))
	third.End()
	lane, elsewhere := tr.Begin(t.Context(), "lane", trace.Consumer, "")
	_, fourth := trace.Continue(lane, trace.Producer, "fourth", carried)
	fourth.End()
	elsewhere.End()
	tr.Close(t.Context())
	by := map[string]tracetest.Span{}
	for _, s := range c.Spans() {
		by[s.Name] = s
	}
	for _, name := range []string{"second", "third", "fourth"} {
		if by[name].Trace != by["first"].Trace || by[name].Parent != by["first"].ID {
			t.Errorf("%s: %+v does not follow %+v", name, by[name], by["first"])
		}
	}
	if l := by["fourth"].Links; len(l) != 1 || l[0] != by["lane"].ID {
		t.Errorf("links: %v", l)
	}
}

func TestWithoutATracerNothingHappens(t *testing.T) {
	var tr *trace.Tracer
	ctx, s := tr.Begin(t.Context(), "a", trace.Server, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	inner, part := trace.Start(ctx, "b", "k", "v")
	part.Set("k", "v")
	part.Fail(errors.New("x"))
	part.End()
	s.End()
	if s.On() || part.On() || inner != ctx || trace.ParentOf(ctx) != "" || trace.XRay(ctx) != "" || trace.Of(ctx).On() || tr.Close(ctx) != nil {
		t.Error("there is a trace")
	}
	if n := testing.AllocsPerRun(100, func() {
		_, s := trace.Start(ctx, "b", "k", "v")
		s.Set("k", "v")
		s.End()
		trace.ParentOf(ctx)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTheVariablesOfOpenTelemetryHold(t *testing.T) {
	c := tracetest.New(t)
	for name, v := range map[string]map[string]string{
		"a base":            {"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL},
		"a whole address":   {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
		"gzip, and headers": {"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL + "/", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_HEADERS": "a=b, Authorization=Bearer%20x"},
		"its own timeout":   {"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "5000"},
	} {
		before := len(c.Spans())
		tr := open(t, trace.Options{Env: env(v)})
		_, s := tr.Begin(t.Context(), name, trace.Internal, "")
		s.End()
		tr.Close(t.Context())
		all, r := c.Spans(), c.Requests()
		if len(all) != before+1 || all[before].Name != name || r[len(r)-1].URL.Path != "/v1/traces" {
			t.Errorf("%s: %+v", name, all[before:])
		}
		if last := r[len(r)-1]; v["OTEL_EXPORTER_OTLP_HEADERS"] != "" && (last.Header.Get("Authorization") != "Bearer x" || last.Header.Get("A") != "b") {
			t.Errorf("%s: headers %v", name, last.Header)
		}
	}
}

func TestTracesAreOffUnlessAskedFor(t *testing.T) {
	on := "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, v := range []map[string]string{
		{}, {on: "http://c:4318", "OTEL_SDK_DISABLED": "true"}, {on: "http://c:4318", "OTEL_TRACES_EXPORTER": "none"},
	} {
		if tr := open(t, trace.Options{Env: env(v)}); tr != nil {
			t.Errorf("%v: on", v)
		}
	}
	if tr := open(t, trace.Options{Endpoint: trace.Off, Env: env(map[string]string{on: "http://c:4318"})}); tr != nil {
		t.Error("off: on")
	}
}

func TestWhatCannotWorkIsNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]map[string]string{
		`OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"`:                      {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		`OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318"`:            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		"OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE":                {"OTEL_EXPORTER_OTLP_HEADERS": "secret"},
		`OTEL_EXPORTER_OTLP_TIMEOUT is "10s"`:                        {"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"},
		`OTEL_EXPORTER_OTLP_COMPRESSION is "zstd"`:                   {"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
		"OTEL_EXPORTER_OTLP_CERTIFICATE: no certificate in " + empty: {"OTEL_EXPORTER_OTLP_CERTIFICATE": empty},
		`OTEL_TRACES_EXPORTER is "zipkin"`:                           {"OTEL_TRACES_EXPORTER": "zipkin"},
	} {
		if v["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" {
			v["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
		}
		if _, err := trace.Open(trace.Options{Env: env(v)}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestACollectorThatIsBusyIsAskedAgainAndOneThatRefusesIsNot(t *testing.T) {
	c := tracetest.New(t)
	send := func(statuses ...int) (requests, spans int) {
		r, s := len(c.Requests()), len(c.Spans())
		c.Refuse(statuses...)
		tr := open(t, trace.Options{Endpoint: c.URL})
		_, span := tr.Begin(context.Background(), "x", trace.Internal, "")
		span.End()
		if err := tr.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		return len(c.Requests()) - r, len(c.Spans()) - s
	}
	if r, s := send(http.StatusServiceUnavailable); r != 2 || s != 1 {
		t.Errorf("busy: %d requests, %d spans", r, s)
	}
	if r, s := send(http.StatusUnauthorized); r != 1 || s != 0 {
		t.Errorf("refused: %d requests, %d spans", r, s)
	}
}

func TestHeadersThatSayNothingBeginTraces(t *testing.T) {
	for _, text := range []string{
		"", "Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
		"Root=1-x-y;Parent=z;Sampled=1", "Self=1-5759e988-bd862e3fe1be46a994272793", ";;;=", strings.Repeat("Root=", 9000),
	} {
		r, _ := http.NewRequest("GET", "http://h/", nil)
		r.Header.Set("X-Amzn-Trace-Id", text)
		if p := trace.FromRequest(r); p != "" {
			t.Errorf("%.40q: %s", text, p)
		}
	}
	c := tracetest.New(t)
	tr := open(t, trace.Options{Endpoint: c.URL})
	for _, p := range []trace.Parent{"nonsense", "00-00000000000000000000000000000000-0000000000000000-01", trace.Parent(strings.Repeat("0", 9000))} {
		_, s := tr.Begin(context.Background(), "x", trace.Internal, p)
		s.End()
	}
	tr.Close(context.Background())
	for _, s := range c.Spans() {
		if s.Parent != "" {
			t.Errorf("%+v has a parent", s)
		}
	}
}
