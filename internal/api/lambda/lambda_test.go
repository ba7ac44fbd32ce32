package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	api "plumb/internal/api/lambda"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/lambda"
	"plumb/internal/lambda/environment"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/model"
	"plumb/internal/sandbox"
	"plumb/internal/wire"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// A server is Lambda's face on a listener, with an SDK client.
type server struct {
	*testing.T
	*lambdatest.Fixture
	client *sdk.Client
	url    string
	zip    []byte
}

type targets struct{}

func (targets) Exists(_ context.Context, _ *db.Tx, _ caller.Sender, arn string) (bool, error) {
	return !strings.Contains(arn, "missing"), nil
}
func (targets) Send(context.Context, *db.Tx, caller.Sender, lambda.Message) error { return nil }

func (targets) Lacks(context.Context, *db.Tx, caller.Sender, string) (string, error) { return "", nil }

func (targets) May(context.Context, *db.Tx, caller.Sender, string) error { return nil }

func serve(t *testing.T) *server {
	s := &server{T: t, zip: lambdatest.Bootstrap(t)}
	s.Fixture = lambdatest.New(t, dbtest.Open(t), lambda.Options{
		Targets: targets{},
		Object: func(_ context.Context, _ config.Place, bucket, key, _ string) ([]byte, error) {
			if bucket == "code" && key == "f.zip" {
				return s.zip, nil
			}
			return nil, &lambda.ObjectError{Code: "NoSuchKey", Message: "The specified key does not exist."}
		},
	}, environment.Options{Endpoint: func() string { return s.url }})
	mux := http.NewServeMux()
	mux.Handle(api.CodePath, api.Code(s.Service, nil))
	mux.Handle("/", wire.New(nil, wire.Options{Services: []*model.Registry{api.New(s.Service, nil)}, DefaultAccount: "123456789012", DefaultRegion: "us-east-1"}))
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.url = web.URL
	s.client = sdk.New(sdk.Options{BaseEndpoint: &s.url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("123456789012", "secret", "")})
	return s
}

func (s *server) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// input is a creation with the bootstrap's runtime.
func (s *server) input(name string) *sdk.CreateFunctionInput {
	return &sdk.CreateFunctionInput{
		FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Role: aws.String(lambdatest.Role),
		Code: &types.FunctionCode{ZipFile: s.zip},
	}
}

func (s *server) create(name string) *sdk.CreateFunctionOutput {
	s.Helper()
	out, err := s.client.CreateFunction(s.Context(), s.input(name))
	s.must(err)
	return out
}

// fails checks code and text of an error.
func (s *server) fails(err error, code, text string) {
	s.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		s.Errorf("got %v\nwant %s: %s", err, code, text)
	}
}

func TestFunctionLivesAsAtAWS(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	made := s.create("f")
	if made.State != types.StatePending || *made.FunctionArn != "arn:aws:lambda:us-east-1:123456789012:function:f" || *made.Version != "$LATEST" ||
		*made.Timeout != 3 || *made.MemorySize != 128 || made.EphemeralStorage == nil || *made.EphemeralStorage.Size != 512 || made.Environment != nil || made.CodeSize != int64(len(s.zip)) {
		t.Errorf("created %+v", made)
	}
	s.must(sdk.NewFunctionActiveV2Waiter(s.client).Wait(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute))

	_, err := s.client.CreateFunction(ctx, s.input("f"))
	s.fails(err, "ResourceConflictException", "Function already exist: f")

	got, err := s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: made.FunctionArn})
	s.must(err)
	if got.Configuration.State != types.StateActive || *got.Configuration.RevisionId == *made.RevisionId || *got.Configuration.CodeSha256 != *made.CodeSha256 || got.Tags != nil {
		t.Errorf("got %+v", got.Configuration)
	}
	r, err := http.Get(*got.Code.Location)
	s.must(err)
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if !bytes.Equal(body, s.zip) {
		t.Errorf("code from its link: %s, %d bytes", r.Status, len(body))
	}

	updated, err := s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Timeout: aws.Int32(30), Environment: &types.Environment{Variables: map[string]string{"KEY": "value"}},
	})
	s.must(err)
	if updated.LastUpdateStatus != types.LastUpdateStatusInProgress || *updated.Timeout != 30 {
		t.Errorf("updated %+v", updated)
	}
	s.must(sdk.NewFunctionUpdatedV2Waiter(s.client).Wait(ctx, &sdk.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute))
	_, err = s.client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), RevisionId: made.RevisionId})
	s.fails(err, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id.")

	listed, err := s.client.ListFunctions(ctx, &sdk.ListFunctionsInput{})
	s.must(err)
	if len(listed.Functions) != 1 || listed.Functions[0].State != "" || listed.Functions[0].Environment.Variables["KEY"] != "value" {
		t.Errorf("listed %+v", listed.Functions)
	}
	_, err = s.client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	s.must(err)
	_, err = s.client.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	s.fails(err, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:123456789012:function:f")
}

func TestInvokeAnswersAsAWS(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	s.create("f")
	out, err := s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"return": {"a": 1}}`), LogType: types.LogTypeTail})
	s.must(err)
	if out.StatusCode != 200 || string(out.Payload) != `{"a": 1}` || *out.ExecutedVersion != "$LATEST" || out.FunctionError != nil {
		t.Errorf("got %+v %s", out, out.Payload)
	}
	log, err := base64.StdEncoding.DecodeString(*out.LogResult)
	if err != nil || !strings.HasPrefix(string(log), "START RequestId: ") || !strings.Contains(string(log), "event {") || !strings.Contains(string(log), "REPORT RequestId: ") {
		t.Errorf("log %s, %v", log, err)
	}
	out, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"fail": "no"}`)})
	s.must(err)
	if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || out.LogResult != nil {
		t.Errorf("got %+v", out)
	}
	out, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun})
	s.must(err)
	if out.StatusCode != 204 {
		t.Errorf("dry run: %d", out.StatusCode)
	}
	out, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{}`)})
	s.must(err)
	if out.StatusCode != 202 || len(out.Payload) != 0 || out.ExecutedVersion != nil {
		t.Errorf("event: %+v", out)
	}
	s.must(s.Jobs.Drain(ctx))
	_, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{`)})
	s.fails(err, "InvalidRequestContentException", "Could not parse request body into json")
	_, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("g")})
	s.fails(err, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:123456789012:function:g:$LATEST")
	_, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: fmt.Appendf(nil, `"%s"`, strings.Repeat("x", 6291456))})
	s.fails(err, "RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation")
}

func TestCreationIsChecked(t *testing.T) {
	s := serve(t)
	for name, c := range map[string]struct {
		change     func(*sdk.CreateFunctionInput)
		code, text string
	}{
		"no handler":      {func(in *sdk.CreateFunctionInput) { in.Handler = nil }, "InvalidParameterValueException", "Runtime and Handler are mandatory parameters"},
		"unknown runtime": {func(in *sdk.CreateFunctionInput) { in.Runtime = "cobol85" }, "InvalidParameterValueException", "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["},
		"other runtime":   {func(in *sdk.CreateFunctionInput) { in.Runtime = "java21" }, "InvalidParameterValueException", "not supported by this server"},
		"role":            {func(in *sdk.CreateFunctionInput) { in.Role = aws.String("me") }, "ValidationException", "Value 'me' at 'role' failed to satisfy constraint"},
		"time":            {func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, "ValidationException", "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
		"memory":          {func(in *sdk.CreateFunctionInput) { in.MemorySize = aws.Int32(64) }, "ValidationException", "at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"},
		"not a zip":       {func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = []byte("x") }, "InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again."},
		"no object": {func(in *sdk.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("no")}
		}, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."},
		"reserved": {func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION"},
		"large environment": {func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"KEY": strings.Repeat("x", 4096)}}
		}, "InvalidParameterValueException", "exceeded the 4KB limit"},
		"dead letter": {func(in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:us-east-1:123456789012:missing")}
		}, "InvalidParameterValueException", "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			in := s.input("f")
			c.change(in)
			_, err := s.client.CreateFunction(t.Context(), in)
			(&server{T: t}).fails(err, c.code, c.text)
		})
	}
}

func TestCodeComesFromABucket(t *testing.T) {
	s := serve(t)
	in := s.input("f")
	in.Code = &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("f.zip")}
	_, err := s.client.CreateFunction(t.Context(), in)
	s.must(err)
	out, err := s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"return": 1}`)})
	s.must(err)
	if string(out.Payload) != "1" {
		t.Errorf("got %s", out.Payload)
	}
}

func TestListsComeInPages(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	for i := range 5 {
		s.create(fmt.Sprintf("f%d", i))
	}
	var names []string
	p := sdk.NewListFunctionsPaginator(s.client, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		s.must(err)
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	if !slices.Equal(names, []string{"f0", "f1", "f2", "f3", "f4"}) {
		t.Errorf("got %v", names)
	}
	_, err := s.client.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: aws.String("f1")})
	s.must(err)
	var arns []string
	all := sdk.NewListFunctionsPaginator(s.client, &sdk.ListFunctionsInput{MaxItems: aws.Int32(2), FunctionVersion: types.FunctionVersionAll})
	for all.HasMorePages() {
		page, err := all.NextPage(ctx)
		s.must(err)
		for _, f := range page.Functions {
			arns = append(arns, strings.SplitN(*f.FunctionArn, ":", 7)[6])
		}
	}
	if !slices.Equal(arns, []string{"f0:$LATEST", "f1:$LATEST", "f1:1", "f2:$LATEST", "f3:$LATEST", "f4:$LATEST"}) {
		t.Errorf("got %v", arns)
	}
}

func TestVersionsAndAliases(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	f := aws.String("f")
	s.create("f")
	v, err := s.client.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: f})
	s.must(err)
	if *v.Version != "1" || !strings.HasSuffix(*v.FunctionArn, ":f:1") {
		t.Errorf("got %+v", v)
	}
	a, err := s.client.CreateAlias(ctx, &sdk.CreateAliasInput{FunctionName: f, Name: aws.String("live"), FunctionVersion: v.Version})
	s.must(err)
	if *a.AliasArn != "arn:aws:lambda:us-east-1:123456789012:function:f:live" || *a.Description != "" || a.RoutingConfig != nil {
		t.Errorf("got %+v", a)
	}
	c, err := s.client.GetFunctionConfiguration(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: f, Qualifier: aws.String("live")})
	s.must(err)
	if *c.Version != "1" || *c.FunctionArn != *a.AliasArn {
		t.Errorf("got %+v", c)
	}
	_, err = s.client.UpdateAlias(ctx, &sdk.UpdateAliasInput{FunctionName: f, Name: aws.String("live"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.5}}})
	s.fails(err, "InvalidParameterValueException", "")
	list, err := s.client.ListAliases(ctx, &sdk.ListAliasesInput{FunctionName: f})
	s.must(err)
	if len(list.Aliases) != 1 {
		t.Errorf("got %v", list.Aliases)
	}
	_, err = s.client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: f, Qualifier: aws.String("live")})
	s.fails(err, "InvalidParameterValueException", "Deletion of aliases is not currently supported.")
	_, err = s.client.DeleteAlias(ctx, &sdk.DeleteAliasInput{FunctionName: f, Name: aws.String("live")})
	s.must(err)
	_, err = s.client.GetAlias(ctx, &sdk.GetAliasInput{FunctionName: f, Name: aws.String("live")})
	s.fails(err, "ResourceNotFoundException", "Cannot find alias arn: ")
}

func TestPermissionsAreStatementsInJSON(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	f := aws.String("f")
	s.create("f")
	_, err := s.client.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: f})
	s.fails(err, "ResourceNotFoundException", "The resource you requested does not exist.")
	p, err := s.client.AddPermission(ctx, &sdk.AddPermissionInput{FunctionName: f, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"), SourceAccount: aws.String("123456789012")})
	s.must(err)
	var st struct {
		Sid, Effect, Action, Resource string
		Principal                     map[string]string
		Condition                     map[string]map[string]string
	}
	s.must(json.Unmarshal([]byte(*p.Statement), &st))
	if st.Sid != "config" || st.Principal["Service"] != "config.amazonaws.com" || st.Condition["StringEquals"]["AWS:SourceAccount"] != "123456789012" || !strings.HasSuffix(st.Resource, ":function:f") {
		t.Errorf("got %s", *p.Statement)
	}
	got, err := s.client.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: f})
	s.must(err)
	if *got.Policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+*p.Statement+`]}` {
		t.Errorf("got %s", *got.Policy)
	}
	_, err = s.client.AddPermission(ctx, &sdk.AddPermissionInput{FunctionName: f, StatementId: aws.String("x"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("nobody")})
	s.fails(err, "InvalidParameterValueException", "The provided principal was invalid.")
	_, err = s.client.RemovePermission(ctx, &sdk.RemovePermissionInput{FunctionName: f, StatementId: aws.String("no")})
	s.fails(err, "ResourceNotFoundException", "Statement no is not found in resource policy.")
	_, err = s.client.RemovePermission(ctx, &sdk.RemovePermissionInput{FunctionName: f, StatementId: aws.String("config")})
	s.must(err)
}

func TestWhatBelongsToTheWholeFunction(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	f := aws.String("f")
	arn := s.create("f").FunctionArn
	_, err := s.client.TagResource(ctx, &sdk.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "1", "b": "2"}})
	s.must(err)
	_, err = s.client.UntagResource(ctx, &sdk.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}})
	s.must(err)
	tags, err := s.client.ListTags(ctx, &sdk.ListTagsInput{Resource: arn})
	s.must(err)
	if len(tags.Tags) != 1 || tags.Tags["b"] != "2" {
		t.Errorf("got %v", tags.Tags)
	}
	_, err = s.client.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(0)})
	s.must(err)
	_, err = s.client.Invoke(ctx, &sdk.InvokeInput{FunctionName: f})
	var e *types.TooManyRequestsException
	if !errors.As(err, &e) || e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("got %v", err)
	}
	account, err := s.client.GetAccountSettings(ctx, &sdk.GetAccountSettingsInput{})
	s.must(err)
	if account.AccountUsage.FunctionCount != 1 || account.AccountUsage.TotalCodeSize != int64(len(s.zip)) || account.AccountLimit.ConcurrentExecutions != 1000 {
		t.Errorf("got %+v %+v", account.AccountUsage, account.AccountLimit)
	}
	_, err = s.client.DeleteFunctionConcurrency(ctx, &sdk.DeleteFunctionConcurrencyInput{FunctionName: f})
	s.must(err)
	got, err := s.client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: f})
	s.must(err)
	if got.Concurrency != nil || got.Tags["b"] != "2" {
		t.Errorf("got %+v", got)
	}
}

func TestEventInvokeConfiguration(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	f := aws.String("f")
	s.create("f")
	_, err := s.client.GetFunctionEventInvokeConfig(ctx, &sdk.GetFunctionEventInvokeConfigInput{FunctionName: f})
	s.fails(err, "ResourceNotFoundException", "The function arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST doesn't have an EventInvokeConfig")
	_, err = s.client.PutFunctionEventInvokeConfig(ctx, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: f})
	s.fails(err, "InvalidParameterValueException", "You must specify at least one of error handling or destination setting.")
	put, err := s.client.PutFunctionEventInvokeConfig(ctx, &sdk.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(1),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:us-east-1:123456789012:q")}}})
	s.must(err)
	if !strings.HasSuffix(*put.FunctionArn, ":f:$LATEST") || *put.MaximumRetryAttempts != 1 || put.MaximumEventAgeInSeconds != nil || put.DestinationConfig.OnSuccess == nil {
		t.Errorf("got %+v", put)
	}
	merged, err := s.client.UpdateFunctionEventInvokeConfig(ctx, &sdk.UpdateFunctionEventInvokeConfigInput{FunctionName: f, MaximumEventAgeInSeconds: aws.Int32(60)})
	s.must(err)
	if *merged.MaximumRetryAttempts != 1 || *merged.MaximumEventAgeInSeconds != 60 || *merged.DestinationConfig.OnFailure.Destination == "" {
		t.Errorf("got %+v", merged)
	}
	list, err := s.client.ListFunctionEventInvokeConfigs(ctx, &sdk.ListFunctionEventInvokeConfigsInput{FunctionName: f})
	s.must(err)
	if len(list.FunctionEventInvokeConfigs) != 1 {
		t.Errorf("got %v", list.FunctionEventInvokeConfigs)
	}
	_, err = s.client.DeleteFunctionEventInvokeConfig(ctx, &sdk.DeleteFunctionEventInvokeConfigInput{FunctionName: f})
	s.must(err)
}

func TestPythonRuleReachesTheServerWithItsRole(t *testing.T) {
	s := serve(t)
	if s.Host.Look(t.Context()).Boto3 == "" {
		t.Skip("no python3 with boto3 on this machine")
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	file, err := w.Create("rule.py") // without a mode, as tools make it
	s.must(err)
	io.WriteString(file, `
import boto3
def handler(event, context):
    return boto3.client("lambda").get_account_settings()["AccountUsage"]["FunctionCount"]
`)
	s.must(w.Close())
	in := s.input("rule")
	in.Runtime, in.Handler, in.Code.ZipFile, in.Timeout = types.RuntimePython312, aws.String("rule.handler"), b.Bytes(), aws.Int32(30)
	_, err = s.client.CreateFunction(t.Context(), in)
	s.must(err)
	out, err := s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("rule"), LogType: types.LogTypeTail})
	s.must(err)
	if string(out.Payload) != "1" {
		log, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		t.Errorf("got %s\n%s", out.Payload, log)
	}
}
