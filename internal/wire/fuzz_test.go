package wire_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/model/stsapi"
	"plumb/internal/wire"
)

// FuzzRequest: whatever arrives is answered, and no handler panics on what was decoded.
func FuzzRequest(f *testing.F) {
	scope := "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-west-1/%/aws4_request, SignedHeaders=host, Signature=0"
	for _, seed := range [][5]string{
		{"POST", "/", json11, "StarlingDoveService.PutEvaluations", `{"Evaluations":[{"OrderingTimestamp":1.5e9}],"ResultToken":"t"}`},
		{"POST", "/", json11, "StarlingDoveService.PutConfigRule", `{"ConfigRule":{"Scope":{"ComplianceResourceTypes":["x",null]}}}`},
		{"POST", "/", "application/x-www-form-urlencoded", "", "Action=Publish&Version=2010-03-31&MessageAttributes.entry.1.Name=a"},
		{"POST", "/1/q", "application/x-www-form-urlencoded", "", "Action=SendMessageBatch&SendMessageBatchRequestEntry.2.Id=a"},
		{"PUT", "/2015-03-31/functions/f/code?Qualifier=1", "application/json", "", `{"ZipFile":"AAAA","Publish":true}`},
		{"DELETE", "/2017-03-31/tags/a%2Fb?tagKeys=a&tagKeys=b", "", "", ""},
		{"GET", "/b/k?X-Amz-Credential=a/b/c/s3/aws4_request", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], "", seed[4])
		f.Add(seed[0], seed[1], seed[2], seed[3], strings.Replace(scope, "%", "sqs", 1), seed[4])
	}
	var log bytes.Buffer
	h := fuzzed(&log)
	f.Fuzz(func(t *testing.T, method, path, contentType, target, authorization, body string) {
		r, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Host, r.RequestURI = "localhost", path
		for name, value := range map[string]string{
			"Content-Type": contentType, "X-Amz-Target": target, "Authorization": authorization,
		} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 || log.Len() > 0 {
			t.Errorf("status %d: %s\n%s", w.Code, w.Body, log.String())
		}
	})
}

// fuzzed serves everything with handlers that answer filled outputs, and with constraint checks on.
func fuzzed(log *bytes.Buffer) *wire.Handler {
	var registries []*model.Registry
	for _, s := range []service{
		configapi.NewService(), lambdaapi.NewService(), snsapi.NewService(), sqsapi.NewService(), stsapi.NewService(),
	} {
		bindAll(s, func(*model.Route) {})
		registries = append(registries, s.Registry())
	}
	return wire.New(slog.New(slog.NewTextHandler(log, nil)), wire.Options{
		Services: registries, DefaultAccount: "123456789012", DefaultRegion: "us-east-1", MaxBody: 1 << 20,
		S3: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { r.Body.Close() }),
	})
}
