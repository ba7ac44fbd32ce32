package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/app"
	"plumb/internal/settings"
)

// records is a log that is read as it was written, in JSON.
type records struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.Write(p)
}

// lines returns the records of an operation, or all of them.
func (r *records) lines(t *testing.T, operation string) (out []map[string]any) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range bytes.Lines(r.all.Bytes()) {
		var one map[string]any
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if operation == "" || one["operation"] == operation {
			out = append(out, one)
		}
	}
	return out
}

// logged starts a server whose log, from info on, can be read.
func logged(t *testing.T) (*app.App, aws.Config, *records) {
	t.Helper()
	s := settings.Default()
	s.Listen, s.Data = "127.0.0.1:0", t.TempDir()
	r := &records{}
	a, err := app.New(t.Context(), s, slog.New(slog.NewJSONHandler(r, nil)), app.Options{Version: "test"})
	if err == nil {
		err = a.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return a, aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(a.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("210987654321", "any", ""),
	}, r
}

func TestEachRequestIsOneLineOfTheLog(t *testing.T) {
	_, sdk, log := logged(t)
	_, err := configservice.NewFromConfig(sdk).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"none"}})
	if err == nil {
		t.Fatal("a rule that is not there was described")
	}
	buckets := s3.NewFromConfig(sdk, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("told")}); err != nil {
		t.Fatal(err)
	}
	for operation, want := range map[string]map[string]any{
		"DescribeConfigRules": {"service": "config", "status": 400.0},
		"CreateBucket":        {"service": "s3", "status": 200.0},
	} {
		want["msg"], want["level"] = "request", "INFO"
		want["account"], want["region"], want["caller"] = "210987654321", "us-east-1", "arn:aws:iam::210987654321:root"
		lines := log.lines(t, operation)
		if len(lines) != 1 {
			t.Fatalf("%s has %d lines: %v", operation, len(lines), lines)
		}
		for key, v := range want {
			if lines[0][key] != v {
				t.Errorf("%s: %s is %v, want %v", operation, key, lines[0][key], v)
			}
		}
		if took, ok := lines[0]["ms"].(float64); !ok || took <= 0 {
			t.Errorf("%s took %v", operation, lines[0]["ms"])
		}
	}
}

func TestRequestsThatAreNotServedAreLoggedByName(t *testing.T) {
	a, _, log := logged(t)
	for service, header := range map[string][]string{
		"dynamodb": {"X-Amz-Target", "DynamoDB_20120810.ListTables"},
		"eks":      nil,
	} {
		scope := "AWS4-HMAC-SHA256 Credential=210987654321/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
		if status, body := call(t, "POST", a.URL()+"/clusters", "", append(header, "Authorization", scope)...); status != 501 {
			t.Errorf("%s: %d %s", service, status, body)
		}
	}
	for operation, service := range map[string]string{"ListTables": "dynamodb", "POST /clusters": "eks"} {
		lines := log.lines(t, operation)
		if len(lines) != 1 || lines[0]["service"] != service || lines[0]["msg"] != "request for a service that is not served here" {
			t.Errorf("%s: %v", service, lines)
		}
	}
}

func TestWhatTheRecorderReadsIsNoRequest(t *testing.T) {
	a, sdk, log := logged(t)
	buckets := s3.NewFromConfig(sdk, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("read")}); err != nil {
		t.Fatal(err)
	}
	client := configservice.NewFromConfig(sdk)
	_, err := client.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		Name: aws.String("default"), RoleARN: aws.String("arn:aws:iam::210987654321:role/config"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutDeliveryChannel(t.Context(), &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{
		Name: aws.String("default"), S3BucketName: aws.String("read"),
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.StartConfigurationRecorder(t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")}); err != nil {
		t.Fatal(err)
	}
	if err := a.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := log.lines(t, "GetBucketVersioning"); len(lines) != 0 {
		t.Errorf("the recorder's own readings are requests: %v", lines)
	}
}
