package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A client posts spans to a collector. The library's own one for HTTP would bring gRPC
// into the program, 5 MB of it.
type client struct {
	log     *slog.Logger
	http    *http.Client
	url     *url.URL
	headers map[string]string
	gzip    bool
	timeout time.Duration
}

// defaultCollector is where a collector is when a variable asks for OTLP and says no more.
const defaultCollector = "http://localhost:4318"

func newClient(o Options) (*client, error) {
	of := func(name string) string { // what is for traces alone comes first
		if v := o.Env("OTEL_EXPORTER_OTLP_TRACES_" + name); v != "" {
			return v
		}
		return o.Env("OTEL_EXPORTER_OTLP_" + name)
	}
	if p := of("PROTOCOL"); p != "" && p != "http/protobuf" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: traces go by http/protobuf, which collectors take at port 4318; leave it out, or set traces to off", p)
	}
	c := &client{log: o.Log, timeout: 10 * time.Second}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if c.url, err = collector(o); err != nil {
		return nil, err
	}
	if c.headers, err = headersOf(of("HEADERS")); err != nil {
		return nil, err
	}
	switch z := of("COMPRESSION"); z {
	case "", "none":
	case "gzip":
		c.gzip = true
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION is %q: want gzip or none", z)
	}
	if text := of("TIMEOUT"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT is %q: want milliseconds", text)
		}
		c.timeout = time.Duration(ms) * time.Millisecond
	}
	c.http, err = httpClient(of)
	return c, err
}

// collector returns the URL that spans are posted to.
func collector(o Options) (*url.URL, error) {
	name, text, whole := "traces", o.Endpoint, false
	if text == "" {
		name, text, whole = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", o.Env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), true
	}
	if text == "" {
		name, text, whole = "OTEL_EXPORTER_OTLP_ENDPOINT", o.Env("OTEL_EXPORTER_OTLP_ENDPOINT"), false
	}
	if text == "" {
		text = defaultCollector
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: want http://HOST:PORT of a collector", name) // the text may have a password
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s is %q: want http://HOST:PORT of a collector", name, u.Redacted())
	}
	if !whole {
		u = u.JoinPath("v1", "traces")
	}
	return u, nil
}

// headersOf reads NAME=VALUE,NAME=VALUE, with values in percent-encoding.
func headersOf(text string) (map[string]string, error) {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE,NAME=VALUE") // without the text, which may be secret
		}
		out[name] = value
	}
	return out, nil
}

// httpClient trusts the system, or the authority that a variable names. It follows no
// redirects: the headers may be secret.
func httpClient(of func(string) string) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if file := of("CERTIFICATE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: no certificate in %s", file)
		}
	}
	if cert, key := of("CLIENT_CERTIFICATE"), of("CLIENT_KEY"); cert != "" || key != "" {
		own, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and ..._CLIENT_KEY: %w", err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{own}
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// Start is the library's name for what comes before the first spans.
func (c *client) Start(context.Context) error { return nil }

// Stop is the library's name for what comes after the last ones.
func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// maxTries is how often spans are posted to a collector that says that it is busy.
const maxTries = 4

// UploadTraces posts spans. A failure ends here, in the log: spans are lost then, and
// nothing else.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire it is the message of the service that collects.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err == nil {
		err = c.post(ctx, c.pack(body))
	}
	if err != nil {
		c.log.Warn("traces were not taken, and are lost", "err", err, "do", "see that the collector runs, or set traces to off")
	}
	return nil
}

func (c *client) pack(body []byte) []byte {
	if !c.gzip {
		return body
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body)
	w.Close()
	return b.Bytes()
}

func (c *client) post(ctx context.Context, body []byte) error {
	for try := 1; ; try++ {
		wait, err := c.try(ctx, body)
		if err == nil || wait == 0 || try == maxTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(max(wait, time.Second<<(try-1))):
		}
	}
}

// try posts once. wait is not zero if it may be tried again.
func (c *client) try(ctx context.Context, body []byte) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("User-Agent", "plumb")
	if c.gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode/100 == 2 {
		return 0, nil
	}
	err = fmt.Errorf("the collector at %s answers %s", c.url.Redacted(), resp.Status)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return min(max(time.Duration(seconds), 1)*time.Second, 30*time.Second), err
	}
	return 0, err
}
