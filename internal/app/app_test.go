package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// call makes a plain HTTP request and returns the status and the body.
func call(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestHealthReadinessAndMetricsAnswer(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		for path, want := range map[string]string{
			"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "plumb_info{version=\"test\"} 1\n",
		} {
			if status, body := call(t, "GET", p.URL()+path, ""); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	})
}

func TestBucketMayBeCalledAsOneOfOurPages(t *testing.T) {
	p := apptest.Start(t)
	if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("healthz")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("healthz")}); err != nil {
		t.Error(err)
	}
}

func TestClockIsFrozenAdvancedAndRun(t *testing.T) {
	p := apptest.Start(t)
	type reading struct {
		Now    time.Time
		Frozen bool
	}
	tell := func(body string) (r reading) {
		t.Helper()
		status, text := call(t, "POST", p.URL()+"/_plumb/clock", body)
		if err := json.Unmarshal([]byte(text), &r); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		return r
	}
	if r := tell(`{"freeze": "2030-01-02T03:04:05Z", "advance": "24h"}`); !r.Frozen || r.Now.Format(time.RFC3339) != "2030-01-03T03:04:05Z" {
		t.Errorf("%+v", r)
	}
	if r := tell(`{"run": true}`); r.Frozen || r.Now.Year() != 2030 {
		t.Errorf("%+v", r)
	}
}

func TestWrongClockOrdersMoveNothing(t *testing.T) {
	p := apptest.Start(t)
	for _, body := range []string{``, `{`, `{"freeze": "tomorrow"}`, `{"advance": "-1h"}`, `{"advance": "x"}`, `{"forward": "1h"}`, `{"freeze": "now", "advance": "0s"}`} {
		if status, text := call(t, "POST", p.URL()+"/_plumb/clock", body); status != http.StatusBadRequest || !strings.Contains(text, "error") {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if p.Clock().Frozen() {
		t.Error("the clock was frozen by a wrong order")
	}
}

func TestForeignPagesCannotMoveTheClock(t *testing.T) {
	p := apptest.Start(t)
	status, _ := call(t, "POST", p.URL()+"/_plumb/reset", "", "Origin", "https://elsewhere.example")
	if status != http.StatusForbidden {
		t.Errorf("a foreign page got %d", status)
	}
}

func TestServerModeHasNoControls(t *testing.T) {
	p := apptest.Start(t, serverMode)
	if status, _ := call(t, "POST", p.URL()+"/_plumb/reset", ""); status == http.StatusOK {
		t.Error("a server was reset")
	}
	if status, _ := call(t, "GET", p.URL()+"/healthz", ""); status != http.StatusOK {
		t.Error("healthz does not answer in server mode")
	}
}

func TestAThrottleIsLiftedByTheServersClock(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.Throttle = 1 })
	p.Clock().Freeze(time.Time{})
	ask := func() (int, string) {
		return call(t, "POST", p.URL()+"/", "{}", "Content-Type", "application/x-amz-json-1.1",
			"X-Amz-Target", "StarlingDoveService.DescribeConfigRules")
	}
	if status, body := ask(); status != http.StatusOK {
		t.Errorf("the first request: %d %s", status, body)
	}
	if status, body := ask(); status != http.StatusBadRequest || body != `{"__type":"ThrottlingException","message":"Rate exceeded"}` {
		t.Errorf("the second request: %d %s", status, body)
	}
	p.Clock().Advance(time.Second)
	if status, body := ask(); status != http.StatusOK {
		t.Errorf("after a second: %d %s", status, body)
	}
}

func serverMode(s *settings.Settings) {
	s.Mode = settings.Server
	s.AccessKeys = []settings.AccessKey{{ID: "AKIATEST", Secret: "any", Account: s.Account, User: "tester"}}
}

func TestServerModeTakesKnownKeysOnly(t *testing.T) {
	p := apptest.Start(t, serverMode)
	if _, err := p.S3().ListBuckets(t.Context(), nil); err == nil {
		t.Error("an unknown key was taken")
	}
	if _, err := p.Signing("AKIATEST", "wrong").S3().ListBuckets(t.Context(), nil); err == nil {
		t.Error("a wrong secret was taken")
	}
	if _, err := p.Signing("AKIATEST", "any").S3().ListBuckets(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestResetForgetsEverything(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("kept")}); err != nil {
			t.Fatal(err)
		}
		p.Clock().Advance(time.Hour)
		if status, text := call(t, "POST", p.URL()+"/_plumb/reset", ""); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		list, err := p.S3().ListBuckets(t.Context(), nil)
		if err != nil || len(list.Buckets) != 0 {
			t.Errorf("%d buckets, %v", len(list.Buckets), err)
		}
		if late := time.Until(p.Clock().Now()); late > time.Minute {
			t.Errorf("the clock is still %s ahead", late)
		}
		if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("kept")}); err != nil {
			t.Errorf("after the reset: %v", err)
		}
	})
}

func TestRestartKeepsWhatWasAcknowledged(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("kept")}); err != nil {
			t.Fatal(err)
		}
		p.Restart(t)
		list, err := p.S3().ListBuckets(t.Context(), nil)
		if err != nil || len(list.Buckets) != 1 {
			t.Errorf("%d buckets, %v", len(list.Buckets), err)
		}
	})
}

// describeVpcs is what a rule's EC2 client sends.
func describeVpcs(t *testing.T, p *apptest.Plumb) (int, string) {
	return call(t, "POST", p.URL()+"/?x=1&X-Amz-Signature=old", "Action=DescribeVpcs&Version=2016-11-15",
		"Content-Type", "application/x-www-form-urlencoded; charset=utf-8",
		"Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=00",
		"X-Amz-Date", "20260101T000000Z")
}

func TestUnservedServiceIsForwardedSignedForTheTarget(t *testing.T) {
	var got *http.Request
	var body []byte
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Target", "yes")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "<vpcs/>")
	}))
	defer target.Close()
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Accounts = []settings.Account{{
			Account: s.Account, Target: target.URL, AccessKeyID: "AKIATARGET", SecretAccessKey: "hush", SessionToken: "token",
		}}
	})
	status, text := describeVpcs(t, p)
	if status != http.StatusTeapot || text != "<vpcs/>" {
		t.Errorf("%d %s", status, text)
	}
	if string(body) != "Action=DescribeVpcs&Version=2016-11-15" || got.URL.RawQuery != "x=1" {
		t.Errorf("the target got %s with the query %s", body, got.URL.RawQuery)
	}
	auth := got.Header.Get("Authorization")
	if !strings.Contains(auth, "Credential=AKIATARGET/") || !strings.Contains(auth, "/eu-west-1/ec2/aws4_request") {
		t.Errorf("it is signed as %s", auth)
	}
	if got.Header.Get("X-Amz-Security-Token") != "token" {
		t.Error("the session token is missing")
	}
}

func TestUnservedServiceWithoutTargetIsNamed(t *testing.T) {
	p := apptest.Start(t)
	status, text := describeVpcs(t, p)
	if status != http.StatusNotImplemented || !strings.Contains(text, "The service ec2 is not served here") {
		t.Errorf("%d %s", status, text)
	}
}

func TestTargetThatIsThisServerDoesNotGoRound(t *testing.T) {
	var p *apptest.Plumb
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Host, r.URL.Scheme, r.RequestURI = strings.TrimPrefix(p.URL(), "http://"), "http", ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	}))
	defer front.Close()
	p = apptest.Start(t, apptest.Target(front.URL))
	if status, text := describeVpcs(t, p); status != http.StatusNotImplemented || !strings.Contains(text, "leads back to this server") {
		t.Errorf("%d %s", status, text)
	}
}

func TestCookiesAreNotForwarded(t *testing.T) {
	var asked http.Header
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Clone()
		w.Header().Set("Set-Cookie", "session=x")
	}))
	defer target.Close()
	p := apptest.Start(t, apptest.Target(target.URL))
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.URL()+"/", strings.NewReader("Action=DescribeVpcs&Version=2016-11-15"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", "session=y")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/"+time.Now().UTC().Format("20060102")+
		"/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if asked == nil || asked.Get("Cookie") != "" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("asked with %v, answered %v", asked, resp.Header)
	}
}

func TestTargetThatIsGoneIsAnErrorWithoutItsText(t *testing.T) {
	p := apptest.Start(t, apptest.Target("http://127.0.0.1:1"))
	if status, text := describeVpcs(t, p); status != http.StatusServiceUnavailable || strings.Contains(text, "refused") {
		t.Errorf("%d %s", status, text)
	}
}

func TestServerModeForwardsOnlyWhenTheSettingAllows(t *testing.T) {
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	p := apptest.Start(t, serverMode, apptest.Target(target.URL))
	if status, text := describeVpcs(t, p); status == http.StatusNotFound {
		t.Errorf("it was forwarded: %d %s", status, text)
	}
}
