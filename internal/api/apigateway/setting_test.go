package apigateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"plumb/internal/apptest"
)

// mock has a method answer 200 with nothing behind it.
func mock(_ *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
	i.Type, i.Uri, i.IntegrationHttpMethod = types.IntegrationTypeMock, nil, nil
	i.RequestTemplates = map[string]string{"application/json": `{"statusCode": 200}`}
}

// patchStage changes the stage dev: triples of op, path and value.
func (f *fixture) patchStage(operations ...string) (*apigateway.UpdateStageOutput, error) {
	in := &apigateway.UpdateStageInput{RestApiId: &f.api, StageName: aws.String("dev")}
	for i := 0; i < len(operations); i += 3 {
		in.PatchOperations = append(in.PatchOperations, types.PatchOperation{Op: types.Op(operations[i]), Path: &operations[i+1], Value: &operations[i+2]})
	}
	return f.c.UpdateStage(f.Context(), in)
}

func TestAStageHasSettingsOfMethods(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.method(f.resource(f.root, "a"), "GET", mock)
		f.deploy()

		// What is not set has AWS's defaults; a logging level is shown once it is set.
		out, err := f.patchStage("replace", "/*/*/logging/loglevel", "INFO", "replace", "/~1a/GET/throttling/rateLimit", "2.5", "replace", "/b/{c}/GET/caching/enabled", "true")
		f.must(err)
		usual := func(change object) object {
			s := object{"MetricsEnabled": false, "LoggingLevel": nil, "DataTraceEnabled": false, "ThrottlingBurstLimit": 5000, "ThrottlingRateLimit": 10000,
				"CachingEnabled": false, "CacheTtlInSeconds": 300, "CacheDataEncrypted": false, "RequireAuthorizationForCacheControl": true,
				"UnauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"}
			for k, v := range change {
				s[k] = v
			}
			return s
		}
		want := object{"*/*": usual(object{"LoggingLevel": "INFO"}), "~1a/GET": usual(object{"ThrottlingRateLimit": 2.5}), "b/{c}/GET": usual(object{"CachingEnabled": true})}
		if !same(out.MethodSettings, want) {
			t.Errorf("the settings are %+v", out.MethodSettings)
		}

		// A method has one setting, however its path is written, and members change alone.
		_, err = f.patchStage("replace", "/a/GET/throttling/burstLimit", "-1", "replace", "/*/*/logging/dataTrace", "true", "remove", "/~1a/GET/throttling/rateLimit", "",
			"remove", "/b/{c}/GET", "", "replace", "/*/*/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403", "replace", "/cacheClusterSize", "0.5")
		f.must(err)
		want = object{"~1a/GET": usual(object{"ThrottlingBurstLimit": -1}),
			"*/*": usual(object{"LoggingLevel": "INFO", "DataTraceEnabled": true, "UnauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403"})}
		p.Restart(t)
		f.c = apigateway.NewFromConfig(p.SDK())
		st, err := f.c.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &f.api, StageName: aws.String("dev")})
		if f.must(err); !same(st.MethodSettings, want) || st.CacheClusterSize != "0.5" {
			t.Errorf("the stage is %+v", st)
		}
		list, err := f.c.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: &f.api})
		if f.must(err); !same(list.Item[0].MethodSettings, want) {
			t.Errorf("the stages are %+v", list.Item)
		}

		// A patch with a wrong value or path changes nothing.
		for path, value := range map[string]string{
			"/*/*/logging/loglevel": "DEBUG", "/*/*/metrics/enabled": "maybe", "/*/*/throttling/rateLimit": "fast", "/*/*/throttling/burstLimit": "-2", "/a/GET/throttling/rateLimit": "-0.5",
			"/a/PUT/throttling/burstLimit": "1.5", "/*/*/caching/ttlInSeconds": "3601", "/*/*/caching/unauthorizedCacheControlHeaderStrategy": "SHRUG",
			"/*/*/throttling/rateLimits": "1", "/*/*/metrics": "true", "/a/FETCH/metrics/enabled": "true", "/a/ANY/metrics/enabled": "true", "/metrics/enabled": "true", "/a/GET": "x", "/nothing": "1",
		} {
			if _, err := f.patchStage("replace", "/description", "changed", "replace", path, value); err == nil || !strings.Contains(err.Error(), "BadRequestException") {
				t.Errorf("%s %s: got %v", path, value, err)
			}
		}
		if _, err = f.patchStage("replace", "/*/*/speed", "1"); err == nil || !strings.Contains(err.Error(), "Invalid method setting path: /*/*/speed. Must be one of: [/deploymentId, ") {
			t.Errorf("got %v", err)
		}
		if _, err = f.patchStage("remove", "/c/GET", ""); err == nil || !strings.Contains(err.Error(), "Cannot remove method setting c/GET because there is no method setting for this method") {
			t.Errorf("got %v", err)
		}
		st, err = f.c.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &f.api, StageName: aws.String("dev")})
		if f.must(err); !same(st.MethodSettings, want) || st.Description != nil {
			t.Errorf("the stage is %+v", st)
		}
	})
}

func TestSettingsOfAMethodLimitItsRequests(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		ok := func(path string) {
			t.Helper()
			f.answers(200, "", "", "GET", path, "Content-Type", "application/json")
		}
		full := func(path string) {
			t.Helper()
			f.answers(429, "TooManyRequestsException", tooMany, "GET", path, "Content-Type", "application/json")
		}
		f.method(f.root, "GET", mock)
		for _, name := range []string{"a", "b"} {
			r := f.resource(f.root, name)
			f.method(r, "ANY", mock)
			f.response(r, "ANY", "200", "", nil, nil)
		}
		f.response(f.root, "GET", "200", "", nil, nil)
		f.deploy()
		_, err := f.patchStage("replace", "/*/*/throttling/rateLimit", "1", "replace", "/*/*/throttling/burstLimit", "2", "replace", "/~1a/GET/throttling/burstLimit", "1",
			"replace", "/~1a/GET/throttling/rateLimit", "1", "replace", "/~1/GET/throttling/burstLimit", "0")
		f.must(err)
		ok("/a")
		full("/a")
		ok("/b") // each method has its own limit
		ok("/b")
		full("/b")
		full("/")
		p.Clock().Advance(time.Second)
		ok("/a")
		full("/a")
		ok("/b")
		full("/b")

		// A limit of -1 is none, and what is removed is not held against.
		_, err = f.patchStage("replace", "/~1a/GET/throttling/burstLimit", "-1", "replace", "/~1a/GET/throttling/rateLimit", "-1", "remove", "/*/*", "")
		f.must(err)
		for range 3 {
			ok("/a")
			ok("/b")
		}

		// A stage that is made again begins anew.
		_, err = f.patchStage("replace", "/~1a/GET/throttling/burstLimit", "1", "replace", "/~1a/GET/throttling/rateLimit", "0.001")
		f.must(err)
		full("/a")
		_, err = f.c.DeleteStage(t.Context(), &apigateway.DeleteStageInput{RestApiId: &f.api, StageName: aws.String("dev")})
		f.must(err)
		f.deploy()
		_, err = f.patchStage("replace", "/~1a/GET/throttling/burstLimit", "1", "replace", "/~1a/GET/throttling/rateLimit", "0.001")
		f.must(err)
		ok("/a")
	})
}
