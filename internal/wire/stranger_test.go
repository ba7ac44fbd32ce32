package wire_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"plumb/internal/caller"
	"plumb/internal/wire"
)

// A mine is a body that nobody may read.
type mine struct{ t *testing.T }

func (m mine) Read([]byte) (int, error) {
	m.t.Error("the body of a stranger was read")
	return 0, io.ErrUnexpectedEOF
}

func TestTheBodyOfAStrangerIsNotRead(t *testing.T) {
	nobody := func(context.Context, string) (string, caller.Identity, error) {
		return "", caller.Identity{}, caller.ErrUnknownKey
	}
	header := "AWS4-HMAC-SHA256 Credential=AKIASTRANGER/20260304/eu-west-1/SERVICE/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	for name, change := range map[string]func(*http.Request){
		"an unknown key": func(r *http.Request) { r.Header.Set("Authorization", strings.Replace(header, "SERVICE", "sts", 1)) },
		"a service that is not here": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(header, "SERVICE", "ec2", 1))
		},
		"no signature, a target": func(r *http.Request) { r.Header.Set("X-Amz-Target", "StarlingDoveService.DescribeConfigRules") },
		"no signature, a form":   func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"no signature":           func(*http.Request) {},
	} {
		r := httptest.NewRequest("POST", "http://localhost:4577/", mine{t})
		r.Header.Set("X-Amz-Date", signedAt.Format("20060102T150405Z"))
		change(r)
		if w := verify(t, r, signedAt, nobody); w.Code < 400 {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	late := signedRequest(t, "", nil)
	late.Body = io.NopCloser(mine{t})
	expect(t, verify(t, late, signedAt.Add(time.Hour), secrets), 403, "Signature expired")
}

func TestAScopeNamesARegionAndAService(t *testing.T) {
	for _, scope := range []string{
		"eu-west-1/localhost:48443?", "eu-west-1/localhost:48443#", "eu-west-1/x@127.0.0.1:48443?", "@localhost:48443?/ec2", "/ec2", "eu-west-1/",
		"eu-west-1/EC2", "eu west/ec2", "eu-west-1/" + strings.Repeat("a", 41), "eu-west-1/ec2.evil.example",
	} {
		for _, verified := range []bool{true, false} {
			r := httptest.NewRequest("POST", "http://localhost:4577/", nil)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260304/"+scope+"/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
			r.Header.Set("X-Amz-Date", signedAt.Format("20060102T150405Z"))
			w := httptest.NewRecorder()
			handler(verified).ServeHTTP(w, r)
			if w.Code != http.StatusForbidden && w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "IncompleteSignature") {
				t.Errorf("%s, verified %v: %d %s", scope, verified, w.Code, w.Body)
			}
		}
	}
}

func TestAPresignedRequestSaysWhenItExpires(t *testing.T) {
	for _, expires := range []string{"", "&X-Amz-Expires=", "&X-Amz-Expires=0", "&X-Amz-Expires=-1", "&X-Amz-Expires=604801", "&X-Amz-Expires=1m"} {
		r := httptest.NewRequest("GET", "http://localhost:4577/?Action=GetCallerIdentity&Version=2011-06-15"+expires, nil)
		sum := sha256.Sum256(nil)
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, r,
			hex.EncodeToString(sum[:]), "sts", "eu-west-1", signedAt)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, verify(t, httptest.NewRequest("GET", signed, nil), signedAt, secrets), 400, "X-Amz-Expires must be between")
	}
}

func TestTheHostIsSigned(t *testing.T) {
	r := signedRequest(t, "", nil)
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", ":authority;", 1))
	expect(t, verify(t, r, signedAt, secrets), 403, "must be a")
}

// s3Signed is a PutObject whose signature covers what payload says.
func s3Signed(t *testing.T, body, payload string, header ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("PUT", "http://localhost/b/k", strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	cred := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	if err := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(t.Context(), cred, r, payload, "s3", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASignatureWithoutAHashCoversAnEmptyBody(t *testing.T) {
	empty := sha256.Sum256(nil)
	r := s3Signed(t, "injected", hex.EncodeToString(empty[:]))
	if body, err := putS3(t, r, true); err == nil {
		t.Errorf("the body %q was taken", body)
	}
	if _, err := putS3(t, s3Signed(t, "", hex.EncodeToString(empty[:])), true); err != nil {
		t.Error(err)
	}
}

func TestASignedTrailerNeedsItsSignature(t *testing.T) {
	const kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	r := s3Signed(t, "0;chunk-signature=00\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", kind, "X-Amz-Content-Sha256", kind, "X-Amz-Trailer", "x-amz-checksum-crc32")
	if _, err := putS3(t, r, true); err == nil {
		t.Error("a trailer without a signature was taken")
	}
}

func TestUnknownKindsOfStreamsAreRefused(t *testing.T) {
	for _, kind := range []string{"STREAMING-FOO", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-"} {
		w := httptest.NewRecorder()
		r := s3Signed(t, "5\r\nhello\r\n0\r\n\r\n", kind, "X-Amz-Content-Sha256", kind)
		handler(false).ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "InvalidArgument") {
			t.Errorf("%s: %d %s", kind, w.Code, w.Body)
		}
	}
}

func TestAStrangersConnectionIsNotKept(t *testing.T) {
	for verify, want := range map[bool]string{true: "close", false: ""} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "http://localhost:4577/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "StarlingDoveService.NoSuchOperation")
		handler(verify).ServeHTTP(w, r)
		if got := w.Header().Get("Connection"); w.Code < 400 || got != want {
			t.Errorf("%d with Connection: %q, want %q", w.Code, got, want)
		}
	}
}

func TestBodiesShareTheirMemory(t *testing.T) {
	release, sent := make(chan struct{}), make(chan struct{}, 100)
	o := optionsOf(false)
	o.BodyMemory = 1 << 20
	h := wire.New(slog.New(slog.DiscardHandler), o)
	codes := make(chan int, 20)
	post := func(n int) {
		r := httptest.NewRequest("POST", "http://localhost:4577/2015-03-31/functions", &waiting{n, sent, release})
		r.ContentLength = 72 << 20
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			codes <- w.Code
		}()
	}
	for i := range 13 { // ten announce much and hold nothing, and there is room for three
		post(max(0, i-9) * 100 << 10)
		<-sent
	}
	for range 7 {
		post(600 << 10)
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Errorf("a body that there is no memory for was answered %d", code)
		}
	}
	close(release)
	for range 13 {
		if code := <-codes; code == http.StatusServiceUnavailable {
			t.Error("a body that there is memory for was refused")
		}
	}
}

// waiting is a body of which some bytes come.
type waiting struct {
	n             int
	sent, release chan struct{}
}

func (b *waiting) Read(p []byte) (int, error) {
	if n := min(b.n, len(p)); n > 0 {
		b.n -= n
		return n, nil
	}
	b.sent <- struct{}{}
	<-b.release
	return 0, errors.New("the client left")
}

// handler serves all services and an S3 that reads bodies.
func handler(verify bool) *wire.Handler {
	return wire.New(slog.New(slog.DiscardHandler), optionsOf(verify))
}

func optionsOf(verify bool) wire.Options {
	return wire.Options{
		Services: all(), Verify: verify, Secrets: secrets, Now: func() time.Time { return signedAt }, DefaultAccount: "123456789012",
		S3: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }),
	}
}
