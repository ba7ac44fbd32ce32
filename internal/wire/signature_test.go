package wire_test

import (
	"bytes"
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

var signedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// signedRequest is a GetCallerIdentity that the SDK's signer signed.
func signedRequest(t *testing.T, token string, change func(*http.Request)) *http.Request {
	t.Helper()
	body := "Action=GetCallerIdentity&Version=2011-06-15"
	r := httptest.NewRequest("POST", "http://localhost:4577/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	sum := sha256.Sum256([]byte(body))
	cred := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey, SessionToken: token}
	if err := v4.NewSigner().SignHTTP(t.Context(), cred, r, hex.EncodeToString(sum[:]), "sts", "eu-west-1", signedAt); err != nil {
		t.Fatal(err)
	}
	return r
}

func verify(t *testing.T, r *http.Request, now time.Time, find wire.Secrets) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	wire.New(slog.New(slog.DiscardHandler), wire.Options{
		Services: all(), Verify: true, Secrets: find, Now: func() time.Time { return now },
	}).ServeHTTP(w, r)
	return w
}

func TestAGoodSignatureNamesTheCaller(t *testing.T) {
	expect(t, verify(t, signedRequest(t, "", nil), signedAt.Add(4*time.Minute), secrets), 200,
		"<Arn>arn:aws:iam::111122223333:user/dana</Arn>")
}

func TestPathsAndQueriesAreSignedInEverySpelling(t *testing.T) {
	for _, path := range []string{"/a%20b//c/./d/", "/%3Aarn%3A/~x", "/?z=1&a=b%20c&a=%2F&empty&plus=a+b"} {
		r := signedRequest(t, "", func(r *http.Request) {
			u := "http://localhost:4577" + path
			parsed := httptest.NewRequest("POST", u, nil)
			r.URL = parsed.URL
		})
		expect(t, verify(t, r, signedAt, secrets), 200)
	}
}

func TestBadSignaturesAreRefused(t *testing.T) {
	wrongSecret := func(context.Context, string) (string, caller.Identity, error) { return "wrong", caller.Identity{}, nil }
	broken := func(context.Context, string) (string, caller.Identity, error) {
		return "", caller.Identity{}, errors.New("db")
	}
	expired := func(context.Context, string) (string, caller.Identity, error) {
		return "", caller.Identity{}, caller.ErrExpired
	}
	unknown := func(context.Context, string) (string, caller.Identity, error) {
		return "", caller.Identity{}, caller.ErrUnknownKey
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		now    time.Time
		find   wire.Secrets
		status int
		code   string
	}{
		"wrong secret":    {find: wrongSecret, status: 403, code: "SignatureDoesNotMatch"},
		"unknown key":     {find: unknown, status: 403, code: "InvalidClientTokenId"},
		"expired key":     {find: expired, status: 403, code: "ExpiredToken"},
		"database down":   {find: broken, status: 500, code: "InternalFailure"},
		"too old":         {now: signedAt.Add(301 * time.Second), status: 403, code: "Signature expired: 20260304T050607Z is now earlier"},
		"from the future": {now: signedAt.Add(-301 * time.Second), status: 403, code: "Signature not yet current"},
		"another body": {status: 403, code: "SignatureDoesNotMatch", change: func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15&X=1"))
		}},
		"another query": {status: 403, code: "SignatureDoesNotMatch", change: func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		"another host":  {status: 403, code: "SignatureDoesNotMatch", change: func(r *http.Request) { r.Host = "x" }},
		"unsigned header": {status: 403, code: "not signed: x-amz-extra", change: func(r *http.Request) {
			r.Header.Set("X-Amz-Extra", "1")
		}},
		"token that is not ours": {status: 403, code: "InvalidClientTokenId", change: func(r *http.Request) {
			r.Header.Set("X-Amz-Security-Token", "t")
		}},
		"no signature": {status: 403, code: "MissingAuthenticationToken", change: func(r *http.Request) {
			r.Header.Del("Authorization")
		}},
		"half a signature": {status: 403, code: "IncompleteSignature", change: func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260304/eu-west-1/sts/aws4_request")
		}},
		"another algorithm": {status: 403, code: "IncompleteSignature", change: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer x")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := signedRequest(t, "", nil)
			if c.change != nil {
				c.change(r)
			}
			if c.find == nil {
				c.find = secrets
			}
			if c.now.IsZero() {
				c.now = signedAt
			}
			expect(t, verify(t, r, c.now, c.find), c.status, c.code)
		})
	}
}

func TestTemporaryCredentialsNeedTheirToken(t *testing.T) {
	find := func(context.Context, string) (string, caller.Identity, error) {
		return secretKey, caller.Identity{Account: "111122223333", SessionToken: "the token"}, nil
	}
	expect(t, verify(t, signedRequest(t, "the token", nil), signedAt, find), 200)
	expect(t, verify(t, signedRequest(t, "", nil), signedAt, find), 403, "InvalidClientTokenId")
	expect(t, verify(t, signedRequest(t, "another", nil), signedAt, find), 403, "InvalidClientTokenId")
}

func TestASignatureForAnotherServiceIsRefused(t *testing.T) {
	r := signedRequest(t, "", func(r *http.Request) {
		r.Header.Set("X-Amz-Target", "StarlingDoveService.PutConfigRule")
		r.Header.Set("Content-Type", json11)
	})
	expect(t, verify(t, r, signedAt, secrets), 400, `"__type":"InvalidSignatureException"`, "correct service: 'config'")
}

func TestPresignedRequestsHoldUntilTheyExpire(t *testing.T) {
	r := httptest.NewRequest("GET", "http://localhost:4577/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=900", nil)
	cred := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
	sum := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), cred, r, hex.EncodeToString(sum[:]), "sts", "eu-west-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, verify(t, httptest.NewRequest("GET", signed, nil), signedAt.Add(14*time.Minute), secrets), 200, "user/dana")
	expect(t, verify(t, httptest.NewRequest("GET", signed, nil), signedAt.Add(16*time.Minute), secrets), 403, "Signature expired")
	expect(t, verify(t, httptest.NewRequest("GET", signed+"&Extra=1", nil), signedAt, secrets), 403, "SignatureDoesNotMatch")
}

// The example that AWS publishes for signed chunks: 65 KiB of the letter a.
func chunkedExample(body string) *http.Request {
	r := httptest.NewRequest("PUT", "http://s3.amazonaws.com/examplebucket/chunkObject.txt", strings.NewReader(body))
	for name, value := range map[string]string{
		"X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
		"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "Content-Encoding": "aws-chunked",
		"X-Amz-Decoded-Content-Length": "66560",
		"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
			"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;" +
			"x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	} {
		r.Header.Set(name, value)
	}
	r.ContentLength = 66824
	return r
}

func chunkedBody() string {
	return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
		strings.Repeat("a", 65536) + "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
		strings.Repeat("a", 1024) + "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
}

// putS3 sends a request and returns what the S3 handler could read of its body.
func putS3(t *testing.T, r *http.Request, verify bool) (body []byte, err error) {
	t.Helper()
	o := wire.Options{
		Verify: verify, DefaultAccount: "123456789012",
		Now: func() time.Time { return time.Date(2013, 5, 24, 0, 1, 0, 0, time.UTC) },
		Secrets: func(context.Context, string) (string, caller.Identity, error) {
			return "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", caller.Identity{Account: "111122223333"}, nil
		},
		S3: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, err = io.ReadAll(r.Body) }),
	}
	w := httptest.NewRecorder()
	wire.New(slog.New(slog.DiscardHandler), o).ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return body, err
}

func TestSignedChunksAreVerifiedWhileTheyAreRead(t *testing.T) {
	body, err := putS3(t, chunkedExample(chunkedBody()), true)
	if err != nil || !bytes.Equal(body, bytes.Repeat([]byte("a"), 66560)) {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	for name, bad := range map[string]string{
		"changed byte":    strings.Replace(chunkedBody(), "aaa", "aab", 1),
		"missing end":     chunkedBody()[:66000],
		"missing chunk":   chunkedBody()[65536+85+2:],
		"not a length":    "zz" + chunkedBody(),
		"endless head":    strings.Repeat("1", 10000),
		"negative length": "-1;chunk-signature=0\r\n",
	} {
		if _, err := putS3(t, chunkedExample(bad), true); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTrailingChecksumsAreVerified(t *testing.T) {
	put := func(sum string) error {
		r := httptest.NewRequest("PUT", "http://localhost/b/k", strings.NewReader("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:"+sum+"\r\n\r\n"))
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		r.Header.Set("X-Amz-Decoded-Content-Length", "5")
		body, err := putS3(t, r, false)
		if err == nil && string(body) != "hello" {
			t.Errorf("body %q", body)
		}
		return err
	}
	if err := put("NhCmhg=="); err != nil {
		t.Error(err)
	}
	if err := put("AAAAAA=="); err == nil {
		t.Error("a wrong checksum passed")
	}
}

func TestAPromisedHashIsVerified(t *testing.T) {
	for body, ok := range map[string]bool{"hello": true, "jello": false} {
		r := httptest.NewRequest("PUT", "http://localhost/b/k", strings.NewReader(body))
		r.Header.Set("X-Amz-Content-Sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
		if _, err := putS3(t, r, false); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// S3's clients are told that their clock is wrong, in S3's words, and later than others.
func TestS3HasAnErrorOfItsOwnForClocksThatAreWrong(t *testing.T) {
	answer := func(at time.Duration, presign bool) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://localhost:4577/bucket?X-Amz-Expires=60", nil)
		cred, payload := aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}, "UNSIGNED-PAYLOAD"
		if presign {
			signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), cred, r, payload, "s3", "eu-west-1", signedAt)
			if err != nil {
				t.Fatal(err)
			}
			r = httptest.NewRequest("GET", signed, nil)
		} else {
			r.Header.Set("X-Amz-Content-Sha256", payload)
			if err := v4.NewSigner().SignHTTP(t.Context(), cred, r, payload, "s3", "eu-west-1", signedAt); err != nil {
				t.Fatal(err)
			}
		}
		w := httptest.NewRecorder()
		wire.New(slog.New(slog.DiscardHandler), wire.Options{
			Verify: true, Secrets: secrets, Now: func() time.Time { return signedAt.Add(at) },
			S3: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "an object") }),
		}).ServeHTTP(w, r)
		return w
	}
	for _, at := range []time.Duration{-14 * time.Minute, 14 * time.Minute} {
		expect(t, answer(at, false), 200, "an object")
	}
	for _, at := range []time.Duration{-16 * time.Minute, 16 * time.Minute} {
		expect(t, answer(at, false), 403, "<Code>RequestTimeTooSkewed</Code>")
	}
	expect(t, answer(30*time.Second, true), 200, "an object")
	expect(t, answer(2*time.Minute, true), 403, "<Code>AccessDenied</Code>", "Request has expired")
}
