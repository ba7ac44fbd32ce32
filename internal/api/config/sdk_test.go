package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// An account is a place with what most stories need.
type account struct {
	*apptest.Plumb
	t   *testing.T
	aws *configservice.Client
}

func open(t *testing.T, p *apptest.Plumb) account { return account{p, t, p.Config()} }

const role = "arn:aws:iam::123456789012:role/config"

// recorder puts a recorder of everything.
func (a account) recorder() {
	a.t.Helper()
	_, err := a.aws.PutConfigurationRecorder(a.t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("default"), RoleARN: new(role)},
	})
	a.must(err)
}

// running puts a recorder and a channel and starts recording.
func (a account) running() {
	a.t.Helper()
	a.recorder()
	_, err := a.S3().CreateBucket(a.t.Context(), &s3.CreateBucketInput{Bucket: new("deliveries")})
	a.must(err)
	_, err = a.aws.PutDeliveryChannel(a.t.Context(), &configservice.PutDeliveryChannelInput{
		DeliveryChannel: &types.DeliveryChannel{Name: new("default"), S3BucketName: new("deliveries")},
	})
	a.must(err)
	_, err = a.aws.StartConfigurationRecorder(a.t.Context(), &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
	a.must(err)
	a.Drain(a.t)
}

// push records a resource of a custom type.
func (a account) push(id, configuration string) {
	a.t.Helper()
	_, err := a.aws.PutResourceConfig(a.t.Context(), &configservice.PutResourceConfigInput{
		ResourceType: new(custom), SchemaVersionId: new("00000001"), ResourceId: &id, Configuration: &configuration,
	})
	a.must(err)
}

const custom = "Acme::Garage::Car"

func (a account) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// refused checks an error's code and a part of its text.
func (a account) refused(err error, code, part string) {
	a.t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		a.t.Fatalf("got %v, want %s", err, code)
	}
	if e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		a.t.Fatalf("got %s: %s\nwant %s: ...%s...", e.ErrorCode(), e.ErrorMessage(), code, part)
	}
}

// equal compares what two values print as.
func (a account) equal(got, want any) {
	a.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Fatalf("got  %v\nwant %v", got, want)
	}
}
