package wire_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/clock"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/wire"
)

// throttled serves AWS Config at two requests per second, three at once, with a clock that stands.
type throttled struct {
	*testing.T
	clock  clock.Clock
	server *wire.Handler
	called int
}

func startThrottled(t *testing.T, change func(*wire.Options)) *throttled {
	t.Helper()
	s, p := configapi.NewService(), &throttled{T: t}
	p.clock.Freeze(time.Time{})
	s.PutEvaluations(func(context.Context, *configapi.PutEvaluationsInput) (*configapi.PutEvaluationsOutput, error) {
		p.called++
		return &configapi.PutEvaluationsOutput{}, nil
	})
	s.DescribeConfigRules(func(context.Context, *configapi.DescribeConfigRulesInput) (*configapi.DescribeConfigRulesOutput, error) {
		p.called++
		return &configapi.DescribeConfigRulesOutput{}, nil
	})
	o := wire.Options{
		Services: []*model.Registry{s.Registry()}, Throttle: wire.Throttle{Service: "config", Rate: 2, Burst: 3},
		Now: p.clock.Now, DefaultAccount: "123456789012", DefaultRegion: "us-east-1",
	}
	if change != nil {
		change(&o)
	}
	p.server = wire.New(slog.New(slog.DiscardHandler), o)
	return p
}

// ask sends DescribeConfigRules, or what else is named, and returns the answer.
func (p *throttled) ask(account, region, operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", json11)
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20260101/"+region+
		"/config/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return w
}

// list sends DescribeConfigRules n times and returns how many were answered.
func (p *throttled) list(account, region string, n int) (answered int) {
	for range n {
		if p.ask(account, region, "DescribeConfigRules", "{}").Code == 200 {
			answered++
		}
	}
	return answered
}

func TestWithoutAThrottleEveryRequestIsAnswered(t *testing.T) {
	p := startThrottled(t, func(o *wire.Options) { o.Throttle = wire.Throttle{Service: "config"} })
	if n := p.list("111122223333", "us-east-1", 1000); n != 1000 {
		t.Errorf("%d of 1000 were answered", n)
	}
}

func TestRequestsAboveTheBurstGetAThrottlingException(t *testing.T) {
	p := startThrottled(t, nil)
	if n := p.list("111122223333", "us-east-1", 5); n != 3 {
		t.Errorf("%d of 5 were answered, want the burst of 3", n)
	}
	w := p.ask("111122223333", "us-east-1", "DescribeConfigRules", "{}")
	expect(t, w, 400, `"__type":"ThrottlingException"`, `"message":"Rate exceeded"`)
	if p.called != 3 {
		t.Errorf("the operation ran %d times", p.called)
	}
}

func TestAThrottledBodyIsNotLookedAt(t *testing.T) {
	p := startThrottled(t, nil)
	p.list("111122223333", "us-east-1", 3)
	expect(t, p.ask("111122223333", "us-east-1", "DescribeConfigRules", "{"), 400, `"__type":"ThrottlingException"`)
}

func TestTimeGivesRequestsBackAtTheRate(t *testing.T) {
	p := startThrottled(t, nil)
	p.list("111122223333", "us-east-1", 3)
	p.clock.Advance(499 * time.Millisecond)
	if n := p.list("111122223333", "us-east-1", 1); n != 0 {
		t.Error("a request was answered before its half second was over")
	}
	p.clock.Advance(time.Millisecond)
	if n := p.list("111122223333", "us-east-1", 2); n != 1 {
		t.Errorf("%d were answered after half a second, want 1", n)
	}
	p.clock.Advance(time.Hour)
	if n := p.list("111122223333", "us-east-1", 5); n != 3 {
		t.Errorf("%d were answered after an hour, want the burst of 3", n)
	}
}

func TestAClockThatWentBackDoesNotThrottleForLong(t *testing.T) {
	p := startThrottled(t, nil)
	p.list("111122223333", "us-east-1", 3)
	p.clock.Freeze(p.clock.Now().Add(-time.Hour))
	if n := p.list("111122223333", "us-east-1", 5); n != 3 {
		t.Errorf("%d were answered, want the burst of 3", n)
	}
}

func TestAThrottleIsOfOneAccountRegionAndOperation(t *testing.T) {
	p := startThrottled(t, nil)
	p.list("111122223333", "us-east-1", 4)
	if n := p.list("444455556666", "us-east-1", 4); n != 3 {
		t.Errorf("%d requests of another account were answered, want 3", n)
	}
	if n := p.list("111122223333", "eu-west-1", 4); n != 3 {
		t.Errorf("%d requests in another region were answered, want 3", n)
	}
	expect(t, p.ask("111122223333", "us-east-1", "PutEvaluations", `{"ResultToken":"x"}`), 200)
}

func TestAThrottleIsOfOneService(t *testing.T) {
	p := startThrottled(t, func(o *wire.Options) { o.Throttle.Service = "sns" })
	if n := p.list("111122223333", "us-east-1", 10); n != 10 {
		t.Errorf("%d of 10 were answered", n)
	}
}

func TestARequestWithAWrongSignatureDoesNotCount(t *testing.T) {
	p := startThrottled(t, func(o *wire.Options) { o.Verify, o.Secrets = true, secrets })
	p.list(accessKey, "eu-west-1", 10)
	server := httptest.NewServer(p.server)
	defer server.Close()
	p.clock.Run() // signatures are of now
	client := configservice.NewFromConfig(awsConfig(server.URL))
	for range 3 {
		if _, err := client.DescribeConfigRules(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
}

// backoff moves the clock by a second where a client would wait.
type backoff struct {
	clock *clock.Clock
	waits int
}

func (b *backoff) BackoffDelay(int, error) (time.Duration, error) {
	b.waits++
	b.clock.Advance(time.Second)
	return 0, nil
}

func TestTheSDKRetriesAThrottledRequestAndSucceeds(t *testing.T) {
	p := startThrottled(t, nil)
	server := httptest.NewServer(p.server)
	defer server.Close()
	config, waited := awsConfig(server.URL), &backoff{clock: &p.clock}
	config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "111122223333", SecretAccessKey: "x"}, nil
	})
	client := configservice.NewFromConfig(config)
	for range 3 {
		if _, err := client.DescribeConfigRules(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.DescribeConfigRules(t.Context(), nil)
	var code interface{ ErrorCode() string }
	if !errors.As(err, &code) || code.ErrorCode() != "ThrottlingException" {
		t.Fatalf("a client that does not retry got %v", err)
	}
	config.RetryMaxAttempts = 0 // as the SDK comes
	patient := configservice.NewFromConfig(config, func(o *configservice.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = waited })
	})
	if _, err := patient.DescribeConfigRules(t.Context(), nil); err != nil || waited.waits != 1 {
		t.Errorf("after %d waits: %v", waited.waits, err)
	}
}

func TestAThrottleForgetsThoseWhoAskedLongAgo(t *testing.T) {
	p := startThrottled(t, nil)
	fill := func(from, n int) {
		for i := range n {
			p.list(fmt.Sprintf("%012d", from+i), "us-east-1", 1)
		}
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	fill(0, 40_000) // more than are kept
	before := heap()
	fill(40_000, 40_000)
	if more := heap() - before; more > 4<<20 {
		t.Errorf("40,000 more accounts took %d bytes", more)
	}
	p.list("999999999999", "us-east-1", 3)
	fill(80_000, 16_000)
	if n := p.list("999999999999", "us-east-1", 1); n != 0 {
		t.Error("an account that asked lately was forgotten")
	}
}
