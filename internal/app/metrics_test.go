package app_test

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// metric returns a value of /metrics, or fails.
func metric(t *testing.T, p *apptest.Plumb, series string) float64 {
	t.Helper()
	status, text := call(t, "GET", p.URL()+"/metrics", "")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("/metrics has no %s:\n%s", series, regexp.MustCompile(`(?m)^(#|go_|process_|plumb_request_seconds).*\n`).ReplaceAllString(text, ""))
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMetricsTellWhatTheServerDoes(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx := t.Context()
		if err := p.Record(ctx); err != nil {
			t.Fatal(err)
		}
		_, err := p.Config().PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
			ConfigRuleName: aws.String("versioned"),
			Source:         &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: aws.String("S3_BUCKET_VERSIONING_ENABLED")},
		}})
		if err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		for _, name := range []string{"first", "second"} {
			if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
				t.Fatal(err)
			}
		}
		p.Drain(t)
		call(t, "POST", p.URL(), "{}", "X-Amz-Target", "DynamoDB_20120810.ListTables", "Authorization",
			"AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
		for series, least := range map[string]float64{
			`plumb_items_recorded_total{type="AWS::S3::Bucket"}`:                              3,
			`plumb_evaluations_total{outcome="NON_COMPLIANT",rule_kind="managed"}`:            3,
			`plumb_verdicts{compliance="NON_COMPLIANT"}`:                                      3,
			`plumb_change_to_verdict_seconds_count{rule_kind="managed"}`:                      2,
			`plumb_unserved_requests_total{operation="ListTables",service="dynamodb"}`:        1,
			`plumb_request_seconds_count{operation="CreateBucket",service="s3",status="200"}`: 3,
			`plumb_database_bytes`:                      1000,
			`plumb_schema_step`:                         90,
			`plumb_function_environments{state="busy"}`: 0,
			`plumb_delivery_oldest_seconds`:             0,
		} {
			if got := metric(t, p, series); got < least {
				t.Errorf("%s is %v, want %v at least", series, got, least)
			}
		}
	})
}

func TestMetricsTellWhatFails(t *testing.T) {
	p := apptest.Start(t)
	ctx := t.Context()
	if err := p.PutFunction(ctx, "broken", "broken.handler", lambdatest.Zip(t, "broken.py", []byte("raise Exception('no')"))); err != nil {
		t.Fatal(err)
	}
	_, err := p.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("broken")})
	if series := `plumb_function_invocations_total{outcome="error"}`; err == nil && metric(t, p, series) != 1 {
		t.Errorf("%s is %v", series, metric(t, p, series))
	}
	if err := p.Record(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := p.SNS().DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: aws.String("arn:aws:sns:us-east-1:123456789012:" + apptest.DeliveryTopic)}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("changed")}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	if series := `plumb_delivery_failures_total{kind="message"}`; metric(t, p, series) < 1 {
		t.Errorf("%s is %v", series, metric(t, p, series))
	}
}

func TestMetricsTellOfTheTarget(t *testing.T) {
	target := apptest.Start(t)
	p := apptest.Start(t, apptest.Target(target.URL()))
	if err := p.Record(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	if series := `plumb_target_calls_total{code="OK",operation="ListBuckets",service="s3"}`; metric(t, p, series) < 1 {
		t.Errorf("%s is %v", series, metric(t, p, series))
	}
}

func TestClientsCannotFillTheMetricsWithNames(t *testing.T) {
	p := apptest.Start(t)
	for n := range 600 {
		call(t, "POST", p.URL(), "{}", "X-Amz-Target", fmt.Sprintf("X_1.Operation%d", n), "Authorization",
			"AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0")
	}
	if got := metric(t, p, `plumb_unserved_requests_total{operation="other",service="other"}`); got != 100 {
		t.Errorf("%v of 600 names are one", got)
	}
}

func TestProfilesHaveAListenerOfTheirOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := apptest.Start(t, func(s *settings.Settings) { s.DebugListen = l.Addr().String() })
	if status, text := call(t, "GET", "http://"+l.Addr().String()+"/debug/pprof/goroutine?debug=1", ""); status != http.StatusOK || !strings.Contains(text, "goroutine profile") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := call(t, "GET", p.URL()+"/debug/pprof/", ""); strings.Contains(text, "goroutine") {
		t.Errorf("clients get profiles: %d", status)
	}
	s := settings.Default()
	s.DebugListen = "0.0.0.0:6060"
	if err := s.Check(); err == nil {
		t.Error("profiles for everybody were taken")
	}
}
