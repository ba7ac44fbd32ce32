package wire_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/stsapi"
	"plumb/internal/wire"
)

// A signedKind is one way in which clients sign.
type signedKind struct {
	method, url, service string
	header               map[string]string
	body                 string
	unsigned             bool // the body is not signed
	presigned            bool
}

var signedKinds = map[string]signedKind{
	"JSON": {method: "POST", url: "/", service: "config", body: `{"ConfigRuleNames":["a"]}`,
		header: map[string]string{"Content-Type": json11, "X-Amz-Target": "StarlingDoveService.DescribeConfigRules"}},
	"form": {method: "POST", url: "/", service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
	"REST":             {method: "GET", url: "/2015-03-31/functions/f%3A1/configuration?Qualifier=1&x=a%20b", service: "lambda"},
	"object":           {method: "PUT", url: "/bucket/a%20b/c", service: "s3", body: "content", header: map[string]string{"X-Amz-Meta-A": "b"}},
	"empty object":     {method: "PUT", url: "/bucket/empty", service: "s3"},
	"list of objects":  {method: "GET", url: "/bucket?list-type=2&prefix=a%2Fb&delimiter=", service: "s3"},
	"removed object":   {method: "DELETE", url: "/bucket/key?versionId=v", service: "s3"},
	"unsigned payload": {method: "PUT", url: "/bucket/key", service: "s3", body: "content", unsigned: true},
	"presigned object": {method: "GET", url: "/bucket/key?X-Amz-Expires=300&response-content-type=text%2Fplain", service: "s3", unsigned: true, presigned: true},
	"presigned upload": {method: "PUT", url: "/bucket/key?X-Amz-Expires=300", service: "s3", unsigned: true, presigned: true, body: "content"},
	"presigned form":   {method: "GET", url: "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=300", service: "sts", presigned: true},
}

// raw returns the signed request as it goes over the network, and the headers that
// are signed.
func (k signedKind) raw(t *testing.T) (text []byte, signed []string) {
	t.Helper()
	r, err := http.NewRequest(k.method, "http://localhost:4577"+k.url, strings.NewReader(k.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range k.header {
		r.Header.Set(name, value)
	}
	sum := sha256.Sum256([]byte(k.body))
	payload := hex.EncodeToString(sum[:])
	if k.unsigned {
		payload = "UNSIGNED-PAYLOAD"
	}
	if k.service == "s3" && !k.presigned {
		r.Header.Set("X-Amz-Content-Sha256", payload)
	}
	plain := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = k.service == "s3" }
	cred := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
	if k.presigned {
		signedURL, _, err := v4.NewSigner().PresignHTTP(t.Context(), cred, r, payload, k.service, "eu-west-1", signedAt, plain)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = url.Parse(signedURL); err != nil {
			t.Fatal(err)
		}
		signed = strings.Split(r.URL.Query().Get("X-Amz-SignedHeaders"), ";")
	} else {
		if err := v4.NewSigner().SignHTTP(t.Context(), cred, r, payload, k.service, "eu-west-1", signedAt, plain); err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
		list, _, _ = strings.Cut(list, ",")
		signed = strings.Split(list, ";")
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), signed
}

// send has a request answered as it came over the network. It reports whether it was
// accepted, and what it then means.
func (k signedKind) send(t *testing.T, h http.Handler, text []byte, signed []string) (meaning string, accepted bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return "", false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return w.Body.String(), false
	}
	place := r.URL.Path
	if k.service != "s3" {
		place = path.Clean(place)
	}
	meaning = fmt.Sprintf("%s %s %v", r.Method, place, r.URL.Query())
	for _, name := range signed {
		value := r.Header.Values(name)
		switch name {
		case "host":
			value = []string{strings.ToLower(r.Host)}
		case "content-length":
			value = []string{fmt.Sprint(r.ContentLength)}
		}
		meaning += fmt.Sprintf("\n%s: %s", name, strings.Join(strings.Fields(strings.Join(value, ",")), " "))
	}
	if !k.unsigned {
		meaning += "\n\n" + string(body)
	}
	return meaning, true
}

// Whatever byte of a signed request is changed: it is refused, or it means the same.
func TestAChangedRequestIsRefusedOrMeansTheSame(t *testing.T) {
	s3 := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	var registries []*model.Registry
	for _, service := range []service{configapi.NewService(), lambdaapi.NewService(), stsapi.NewService()} {
		bindAll(service, func(*model.Route) {})
		registries = append(registries, service.Registry())
	}
	h := wire.New(slog.New(slog.DiscardHandler), wire.Options{
		Services: registries, S3: s3, Verify: true, Secrets: secrets, Now: func() time.Time { return signedAt }, MaxBody: 1 << 20,
	})
	for name, k := range signedKinds {
		t.Run(name, func(t *testing.T) {
			text, signed := k.raw(t)
			want, ok := k.send(t, h, text, signed)
			if !ok {
				t.Fatalf("it is refused as it is: %s", want)
			}
			changed, same := 0, 0
			for i := range text {
				for _, flip := range []byte{0x01, 0x02, 0x20, 0x80} {
					other := bytes.Clone(text)
					other[i] ^= flip
					changed++
					got, ok := k.send(t, h, other, signed)
					if !ok {
						continue
					}
					same++
					if got != want {
						t.Errorf("byte %d (%q) became %q:\n%s\ninstead of\n%s", i, text[i], other[i], got, want)
					}
				}
			}
			t.Logf("%d changes, %d of them mean the same", changed, same)
		})
	}
}
