package apigatewayv2_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

type object = map[string]any

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fixture is a function "f" and an API "api" with a stage $default.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	c        *apigatewayv2.Client
	function string
	api      string
	host     string
}

// echo answers the event, or what a request's body has evaluated.
const echo = `import json, time
def handler(event, context):
    body = event.get("body") or ""
    if event.get("type") == "REQUEST":
        print("ASKED")
        token = (event["identitySource"] or [""])[0] if isinstance(event["identitySource"], list) else event["identitySource"]
        if token == "event":
            raise Exception(json.dumps(event))
        return json.loads(token)
    if body.startswith("="):
        return eval(body[1:])
    return {"statusCode": 200, "body": json.dumps(event)}
`

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{T: t, p: p, c: apigatewayv2.NewFromConfig(p.SDK())}
	f.function = p.MakeFunction(t, "f", echo)
	out, err := f.c.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("api"), ProtocolType: types.ProtocolTypeHttp})
	f.must(err)
	f.api = *out.ApiId
	f.host = f.api + ".execute-api.us-east-1.amazonaws.com"
	_, err = f.c.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: &f.api, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)})
	f.must(err)
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) refused(err error, code, message string) {
	f.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || e.ErrorMessage() != message {
		f.Errorf("got %v, want %s: %s", err, code, message)
	}
}

// permit lets what matches into the function.
func (f *fixture) permit(id, source string) {
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: &id, Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
		SourceArn: aws.String("arn:aws:execute-api:us-east-1:" + f.p.Account() + ":" + f.api + "/" + source),
	})
	f.must(err)
}

func (f *fixture) integration(format string, change ...func(*apigatewayv2.CreateIntegrationInput)) string {
	in := &apigatewayv2.CreateIntegrationInput{ApiId: &f.api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &f.function,
		PayloadFormatVersion: &format}
	for _, c := range change {
		c(in)
	}
	out, err := f.c.CreateIntegration(f.Context(), in)
	f.must(err)
	return *out.IntegrationId
}

func (f *fixture) route(key, integration string, change ...func(*apigatewayv2.CreateRouteInput)) string {
	in := &apigatewayv2.CreateRouteInput{ApiId: &f.api, RouteKey: &key, Target: aws.String("integrations/" + integration)}
	for _, c := range change {
		c(in)
	}
	out, err := f.c.CreateRoute(f.Context(), in)
	f.must(err)
	return *out.RouteId
}

func (f *fixture) send(method, path, body string, header ...string) (*http.Response, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.p.URL()+path, bytes.NewReader([]byte(body)))
	f.must(err)
	r.Host = f.host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	f.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	f.must(err)
	return res, string(text)
}

func (f *fixture) event(method, path, body string, header ...string) (event object) {
	f.Helper()
	res, text := f.send(method, path, body, header...)
	if err := json.Unmarshal([]byte(text), &event); err != nil || res.StatusCode != http.StatusOK {
		f.Fatalf("%s %s: %s: %s", method, path, res.Status, text)
	}
	return event
}

func (f *fixture) status(want int, body, method, path string, header ...string) {
	f.Helper()
	if res, text := f.send(method, path, "", header...); res.StatusCode != want || text != body {
		f.Errorf("%s %s: %s %s, want %d %s", method, path, res.Status, text, want, body)
	}
}

func same(got, want any) bool {
	a, _ := json.Marshal(got)
	var plain any
	_ = json.Unmarshal(a, &plain)
	b, _ := json.Marshal(want)
	var other any
	_ = json.Unmarshal(b, &other)
	return reflect.DeepEqual(plain, other)
}

func TestFunctionsGetRequestsInBothFormats(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.permit("all", "*")
		f.route("POST /two/{id}", f.integration("2.0"))
		f.route("POST /one/{rest+}", f.integration("1.0"))
		_, err := f.c.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: &f.api, StageName: aws.String("dev"), AutoDeploy: aws.Bool(true),
			StageVariables: map[string]string{"v": "1"}})
		f.must(err)
		headers := []string{"Content-Type", "application/json", "Cookie", "a=1; b=2", "X-Many", "1", "X-Many", "2", "User-Agent", "test"}
		got := f.event("POST", "/dev/two/a%20b?x=1&x=2&y=z", `{"k": 1}`, headers...)
		at := got["requestContext"].(object)
		want := object{
			"version": "2.0", "routeKey": "POST /two/{id}", "rawPath": "/dev/two/a%20b", "rawQueryString": "x=1&x=2&y=z", "cookies": []any{"a=1", "b=2"},
			"headers": object{
				"host": f.host, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "content-type": "application/json", "x-many": "1,2", "user-agent": "test",
				"content-length": "8", "accept-encoding": "gzip",
			},
			"queryStringParameters": object{"x": "1,2", "y": "z"}, "pathParameters": object{"id": "a b"}, "stageVariables": object{"v": "1"},
			"requestContext": object{
				"accountId": p.Account(), "apiId": f.api, "domainName": f.host, "domainPrefix": f.api, "requestId": at["requestId"], "routeKey": "POST /two/{id}",
				"stage": "dev", "http": object{"method": "POST", "path": "/dev/two/a b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
				"time": "01/Mar/2026:12:00:00 +0000", "timeEpoch": 1772366400000,
			},
			"body": `{"k": 1}`, "isBase64Encoded": false,
		}
		if !same(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		got = f.event("POST", "/one/a/b?x=1&x=2", "\xff\x00", "Content-Type", "image/png", "X-Many", "1", "X-Many", "2", "User-Agent", "test")
		at = got["requestContext"].(object)
		want = object{
			"version": "1.0", "resource": "/one/{rest+}", "path": "/one/a/b", "httpMethod": "POST",
			"headers": object{"Host": f.host, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Content-Type": "image/png", "X-Many": "2",
				"User-Agent": "test", "Content-Length": "2", "Accept-Encoding": "gzip"},
			"multiValueHeaders": object{"Host": []any{f.host}, "X-Forwarded-For": []any{"127.0.0.1"}, "X-Forwarded-Proto": []any{"http"},
				"Content-Type": []any{"image/png"}, "X-Many": []any{"1", "2"}, "User-Agent": []any{"test"}, "Content-Length": []any{"2"}, "Accept-Encoding": []any{"gzip"}},
			"queryStringParameters": object{"x": "2"}, "multiValueQueryStringParameters": object{"x": []any{"1", "2"}}, "pathParameters": object{"rest": "a/b"},
			"stageVariables": nil, "body": "/wA=", "isBase64Encoded": true,
			"requestContext": object{
				"accountId": p.Account(), "apiId": f.api, "domainName": f.host, "domainPrefix": f.api, "extendedRequestId": at["requestId"], "httpMethod": "POST",
				"identity": object{"accessKey": nil, "accountId": nil, "caller": nil, "cognitoAuthenticationProvider": nil, "cognitoAuthenticationType": nil,
					"cognitoIdentityId": nil, "cognitoIdentityPoolId": nil, "principalOrgId": nil, "sourceIp": "127.0.0.1", "user": nil, "userAgent": "test", "userArn": nil},
				"path": "/one/a/b", "protocol": "HTTP/1.1", "requestId": at["requestId"], "requestTime": "01/Mar/2026:12:00:00 +0000", "requestTimeEpoch": 1772366400000,
				"resourceId": "POST /one/{rest+}", "resourcePath": "/one/{rest+}", "stage": "$default",
			},
		}
		if !same(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

func TestAnswersFailuresAndPermissions(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit("all", "$default/*")
	two, one := f.integration("2.0"), f.integration("1.0", func(in *apigatewayv2.CreateIntegrationInput) { in.TimeoutInMillis = aws.Int32(2000) })
	f.route("POST /two", two)
	f.route("ANY /one", one)
	const broken = `{"message":"Internal Server Error"}`
	for _, c := range []struct {
		path, answer string
		status       int
		contentType  string
		body         string
	}{
		{"/two", `{"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-N": 5}, "cookies": ["a=1", "b=2"], "body": "made"}`, 201, "text/plain", "made"},
		{"/two", `{"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}`, 200, "application/json", "\xff\x00"},
		{"/two", `{"a": 1}`, 200, "application/json", `{"a": 1}`},
		{"/two", `"plain"`, 200, "application/json", "plain"},
		{"/two", `{"statusCode": "many"}`, 500, "application/json", broken},
		{"/two", `1/0`, 500, "application/json", broken},
		{"/one", `{"statusCode": "203", "multiValueHeaders": {"X-A": ["1", "2"]}, "headers": {"x-a": "3"}, "body": "b"}`, 203, "application/json", "b"},
		{"/one", `{"a": 1}`, 500, "application/json", broken},
		{"/one", `"plain"`, 500, "application/json", broken},
		{"/one", `time.sleep(4)`, 503, "application/json", `{"message":"Service Unavailable"}`},
	} {
		res, body := f.send("POST", c.path, "="+c.answer, "Content-Type", "text/plain")
		if res.StatusCode != c.status || body != c.body || res.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %d %s %q", c.answer, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if c.status == 201 && (len(res.Cookies()) != 2 || res.Header.Get("X-N") != "5") || c.status == 203 && strings.Join(res.Header.Values("X-A"), "") != "123" {
			t.Errorf("headers %v", res.Header)
		}
	}
	if res, body := f.send("HEAD", "/one", ""); res.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %s %q", res.Status, body)
	}
	f.status(404, `{"message":"Not Found"}`, "GET", "/two")
	f.status(404, `{"message":"Not Found"}`, "GET", "/none")
	if res, _ := f.send("POST", "/two", strings.Repeat("x", 10<<20+1)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large: %s", res.Status)
	}
	_, err := f.p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("all")})
	f.must(err)
	f.permit("other", "$default/POST/else")
	f.status(500, broken, "POST", "/two")
	f.permit("this", "$default/POST/two")
	f.event("POST", "/two", "")
	f.host = "aaaaaaaaaa" + f.host[10:]
	f.status(403, `{"message":"Forbidden"}`, "GET", "/")
}

func TestRouteIsTheMostSpecificOne(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit("all", "*")
	two := f.integration("2.0")
	for _, key := range []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default", "ANY /pets/dog/1", "GET /{a}/{b}"} {
		f.route(key, two)
	}
	for request, want := range map[string]string{
		"GET /pets/dog/1": "GET /pets/dog/1", "GET /pets/dog/2": "GET /pets/dog/{id}", "GET /pets/cat/1": "GET /pets/{proxy+}", "POST /test/5": "ANY /{proxy+}",
		"POST /pets/dog/1": "ANY /pets/dog/1", "GET /pets/x": "GET /{a}/{b}", "GET /": "$default", "DELETE /": "$default", "GET /pets/dog/2/": "GET /pets/{proxy+}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := f.event(method, path, "")["routeKey"]; got != want {
			t.Errorf("%s went to %v, want %s", request, got, want)
		}
	}
}

func TestDeploymentsAreCopies(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*")
		route := f.route("GET /a", f.integration("2.0"))
		d, err := f.c.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &f.api, Description: aws.String("first")})
		f.must(err)
		_, err = f.c.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: &f.api, StageName: aws.String("prod"), DeploymentId: d.DeploymentId})
		f.must(err)
		_, err = f.c.UpdateRoute(ctx, &apigatewayv2.UpdateRouteInput{ApiId: &f.api, RouteId: &route, RouteKey: aws.String("GET /b")})
		f.must(err)
		f.event("GET", "/prod/a", "")
		f.event("GET", "/b", "")
		f.status(404, `{"message":"Not Found"}`, "GET", "/prod/b")
		_, err = f.c.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &f.api, StageName: aws.String("prod")})
		f.must(err)
		f.event("GET", "/prod/b", "")
		list, err := f.c.GetDeployments(ctx, &apigatewayv2.GetDeploymentsInput{ApiId: &f.api})
		if f.must(err); len(list.Items) != 3 {
			t.Errorf("deployments %v", list.Items)
		}
		_, err = f.c.UpdateDeployment(ctx, &apigatewayv2.UpdateDeploymentInput{ApiId: &f.api, DeploymentId: d.DeploymentId, Description: aws.String("old")})
		f.must(err)
		one, err := f.c.GetDeployment(ctx, &apigatewayv2.GetDeploymentInput{ApiId: &f.api, DeploymentId: d.DeploymentId})
		if f.must(err); *one.Description != "old" || *one.AutoDeployed || !one.CreatedDate.Equal(noon) {
			t.Errorf("deployment %v", one)
		}
		st, err := f.c.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &f.api, StageName: aws.String("prod")})
		f.must(err)
		_, err = f.c.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: &f.api, DeploymentId: st.DeploymentId})
		f.refused(err, "BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
		_, err = f.c.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: &f.api, DeploymentId: d.DeploymentId})
		f.must(err)
		_, err = f.c.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: &f.api, StageName: aws.String("prod"), StageVariables: map[string]string{"a": "1"},
			RouteSettings: map[string]types.RouteSettings{"GET /b": {ThrottlingBurstLimit: aws.Int32(5)}}, AccessLogSettings: &types.AccessLogSettings{Format: aws.String("x")}})
		f.must(err)
		_, err = f.c.DeleteRouteSettings(ctx, &apigatewayv2.DeleteRouteSettingsInput{ApiId: &f.api, StageName: aws.String("prod"), RouteKey: aws.String("GET /b")})
		f.must(err)
		_, err = f.c.DeleteAccessLogSettings(ctx, &apigatewayv2.DeleteAccessLogSettingsInput{ApiId: &f.api, StageName: aws.String("prod")})
		f.must(err)
		stages, err := f.c.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: &f.api, MaxResults: aws.String("1")})
		f.must(err)
		stages, err = f.c.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: &f.api, NextToken: stages.NextToken})
		if f.must(err); len(stages.Items) != 1 || *stages.Items[0].StageName != "prod" || stages.Items[0].StageVariables["a"] != "1" || len(stages.Items[0].RouteSettings) != 0 ||
			stages.Items[0].AccessLogSettings != nil {
			t.Errorf("stages %v", stages.Items)
		}
		_, err = f.c.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: &f.api, StageName: aws.String("prod")})
		f.must(err)
		f.status(404, `{"message":"Not Found"}`, "GET", "/prod/b")
	})
}

func TestAuthorizersDecide(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	f.permit("all", "$default/*")
	f.permit("authorizers", "authorizers/*")
	two := f.integration("2.0")
	made, err := f.c.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{ApiId: &f.api, AuthorizerType: types.AuthorizerTypeRequest, Name: aws.String("simple"),
		AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: aws.Bool(true), IdentitySource: []string{"$request.header.Authorization"},
		AuthorizerUri: aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + f.function + "/invocations")})
	f.must(err)
	f.route("GET /simple", two, func(in *apigatewayv2.CreateRouteInput) {
		in.AuthorizationType, in.AuthorizerId = types.AuthorizationTypeCustom, made.AuthorizerId
	})
	f.status(401, `{"message":"Unauthorized"}`, "GET", "/simple")
	f.status(403, `{"message":"Forbidden"}`, "GET", "/simple", "Authorization", `{"isAuthorized": false}`)
	f.status(500, `{"message":"Internal Server Error"}`, "GET", "/simple", "Authorization", `{"else": 1}`)
	got := f.event("GET", "/simple", "", "Authorization", `{"isAuthorized": true, "context": {"who": "me", "n": 1}}`)
	if at := got["requestContext"].(object)["authorizer"]; !same(at, object{"lambda": object{"who": "me", "n": 1}}) {
		t.Errorf("the function got %v", at)
	}
	other, err := f.c.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{ApiId: &f.api, AuthorizerType: types.AuthorizerTypeRequest, Name: aws.String("policy"),
		AuthorizerPayloadFormatVersion: aws.String("1.0"), IdentitySource: []string{"$request.header.Authorization"}, AuthorizerUri: &f.function})
	f.must(err)
	_, err = f.c.UpdateAuthorizer(ctx, &apigatewayv2.UpdateAuthorizerInput{ApiId: &f.api, AuthorizerId: other.AuthorizerId, AuthorizerResultTtlInSeconds: aws.Int32(60)})
	f.must(err)
	for _, key := range []string{"GET /a", "GET /b"} {
		f.route(key, two, func(in *apigatewayv2.CreateRouteInput) {
			in.AuthorizationType, in.AuthorizerId = types.AuthorizationTypeCustom, other.AuthorizerId
		})
	}
	policy := `{"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:us-east-1:` +
		f.p.Account() + `:` + f.api + `/*/GET/a"}]}}`
	asked := func() int { return strings.Count(strings.Join(f.p.LogLines(t, "/aws/lambda/f"), ""), "ASKED") }
	before := asked()
	f.event("GET", "/a", "", "Authorization", policy)
	f.status(403, `{"message":"Forbidden"}`, "GET", "/b", "Authorization", policy)
	if n := asked() - before; n != 1 {
		t.Errorf("the authorizer was asked %d times", n)
	}
	_, err = f.c.ResetAuthorizersCache(ctx, &apigatewayv2.ResetAuthorizersCacheInput{ApiId: &f.api, StageName: aws.String("$default")})
	f.must(err)
	f.event("GET", "/a", "", "Authorization", policy)
	f.p.Clock().Advance(time.Minute)
	f.event("GET", "/a", "", "Authorization", policy)
	if n := asked() - before; n != 3 {
		t.Errorf("the authorizer was asked %d times", n)
	}
	list, err := f.c.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: &f.api})
	if f.must(err); len(list.Items) != 2 {
		t.Errorf("authorizers %v", list.Items)
	}
	_, err = f.c.DeleteAuthorizer(ctx, &apigatewayv2.DeleteAuthorizerInput{ApiId: &f.api, AuthorizerId: other.AuthorizerId})
	if err == nil {
		t.Error("an authorizer that routes ask was deleted")
	}
	_, err = f.c.GetAuthorizer(ctx, &apigatewayv2.GetAuthorizerInput{ApiId: &f.api, AuthorizerId: aws.String("none")})
	f.refused(err, "NotFoundException", "Unable to find Authorizer by ID none within the provided API")
	_, err = f.c.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{ApiId: &f.api, AuthorizerType: types.AuthorizerTypeJwt, Name: aws.String("j"), IdentitySource: []string{"$request.header.Authorization"}})
	f.refused(err, "BadRequestException", "JWT authorizers are not supported here: use a REQUEST authorizer.")
	f.route("GET /signed", two, func(in *apigatewayv2.CreateRouteInput) { in.AuthorizationType = types.AuthorizationTypeAwsIam })
	f.status(403, `{"message":"Forbidden"}`, "GET", "/signed")
}

func TestWebPagesMayCallWhatCORSNames(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	f.permit("all", "*")
	f.route("ANY /{proxy+}", f.integration("2.0"))
	_, err := f.c.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{ApiId: &f.api, CorsConfiguration: &types.Cors{
		AllowOrigins: []string{"https://app.example"}, AllowMethods: []string{"PUT"}, AllowHeaders: []string{"x-a"}, MaxAge: aws.Int32(60)}})
	f.must(err)
	res, body := f.send("OPTIONS", "/x", "", "Origin", "https://app.example", "Access-Control-Request-Method", "PUT")
	if res.StatusCode != http.StatusNoContent || body != "" || res.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
		res.Header.Get("Access-Control-Allow-Methods") != "PUT" || res.Header.Get("Access-Control-Max-Age") != "60" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	res, _ = f.send("PUT", "/x", `={"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}`, "Origin", "https://app.example", "Content-Type", "text/plain")
	if got := res.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "https://app.example" {
		t.Errorf("allowed %v", got)
	}
	_, err = f.c.DeleteCorsConfiguration(ctx, &apigatewayv2.DeleteCorsConfigurationInput{ApiId: &f.api})
	f.must(err)
	if res, _ := f.send("OPTIONS", "/x", "", "Origin", "https://app.example", "Access-Control-Request-Method", "PUT"); res.StatusCode != http.StatusOK {
		t.Errorf("without CORS the function answers: %s", res.Status)
	}
}

func TestRequestsAreSentOn(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Secret", "1")
		w.WriteHeader(http.StatusTeapot)
		json.NewEncoder(w).Encode(object{"method": r.Method, "path": r.URL.String(), "body": string(body), "added": r.Header.Get("X-Added"), "gone": r.Header.Get("X-Gone")})
	}))
	t.Cleanup(behind.Close)
	id := f.integration("1.0", func(in *apigatewayv2.CreateIntegrationInput) {
		in.IntegrationType, in.IntegrationMethod, in.IntegrationUri = types.IntegrationTypeHttpProxy, aws.String("ANY"), aws.String(behind.URL+"/base/{proxy}")
		in.RequestParameters = map[string]string{"append:header.X-Added": "$context.stage", "remove:header.X-Gone": "''", "overwrite:querystring.q": "${request.path.proxy}-x"}
		in.ResponseParameters = map[string]map[string]string{"418": {"overwrite:statuscode": "404", "remove:header.X-Secret": "''"}}
	})
	f.route("ANY /{proxy+}", id)
	res, text := f.send("PUT", "/a/b?x=1", "hello", "X-Gone", "1")
	var got object
	_ = json.Unmarshal([]byte(text), &got)
	want := object{"method": "PUT", "path": "/base/a/b?q=a%2Fb-x&x=1", "body": "hello", "added": "$default", "gone": ""}
	if !same(got, want) || res.StatusCode != 404 || res.Header.Get("X-Secret") != "" {
		t.Errorf("%s %v %s", res.Status, res.Header, text)
	}
	behind.Close()
	f.status(503, `{"message":"Service Unavailable"}`, "GET", "/x")
	_, err := f.c.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{ApiId: &f.api, IntegrationId: &id, IntegrationUri: aws.String(f.p.URL() + "/restapis/" + f.api + "/$default/_user_request_/x")})
	f.must(err)
	f.status(503, `{"message":"Service Unavailable"}`, "GET", "/x") // it leads to itself
}

func TestAPIsAreKeptListedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		quick, err := f.c.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("quick"), ProtocolType: types.ProtocolTypeHttp, Target: &f.function,
			Tags: map[string]string{"a": "1"}})
		f.must(err)
		if !strings.HasPrefix(*quick.ApiEndpoint, "http") || !strings.Contains(*quick.ApiEndpoint, *quick.ApiId+".execute-api.us-east-1.") || !quick.CreatedDate.Equal(noon) {
			t.Errorf("made %v", quick)
		}
		f.api = *quick.ApiId
		f.host = f.api + ".execute-api.us-east-1.amazonaws.com"
		f.permit("quick", "*")
		if e := f.event("GET", "/any/thing", ""); e["routeKey"] != "$default" || e["rawPath"] != "/any/thing" {
			t.Errorf("the function got %v", e)
		}
		arn := aws.String("arn:aws:apigateway:us-east-1::/apis/" + f.api)
		_, err = f.c.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"b": "2"}})
		f.must(err)
		_, err = f.c.UntagResource(ctx, &apigatewayv2.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
		f.must(err)
		tags, err := f.c.GetTags(ctx, &apigatewayv2.GetTagsInput{ResourceArn: arn})
		if f.must(err); !same(tags.Tags, object{"b": "2"}) {
			t.Errorf("tags %v", tags.Tags)
		}
		first, err := f.c.GetApis(ctx, &apigatewayv2.GetApisInput{MaxResults: aws.String("1")})
		f.must(err)
		second, err := f.c.GetApis(ctx, &apigatewayv2.GetApisInput{NextToken: first.NextToken})
		if f.must(err); len(first.Items) != 1 || len(second.Items) != 1 || *first.Items[0].ApiId == *second.Items[0].ApiId {
			t.Errorf("listed %v %v", first.Items, second.Items)
		}
		integrations, err := f.c.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: &f.api})
		f.must(err)
		id := integrations.Items[0].IntegrationId
		in, err := f.c.GetIntegration(ctx, &apigatewayv2.GetIntegrationInput{ApiId: &f.api, IntegrationId: id})
		if f.must(err); *in.PayloadFormatVersion != "2.0" || *in.TimeoutInMillis != 30000 || !*in.ApiGatewayManaged {
			t.Errorf("integration %v", in)
		}
		_, err = f.c.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: &f.api, IntegrationId: id})
		if err == nil {
			t.Error("an integration that a route leads to was deleted")
		}
		routes, err := f.c.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &f.api})
		f.must(err)
		route, err := f.c.GetRoute(ctx, &apigatewayv2.GetRouteInput{ApiId: &f.api, RouteId: routes.Items[0].RouteId})
		if f.must(err); *route.RouteKey != "$default" || *route.Target != "integrations/"+*id {
			t.Errorf("route %v", route)
		}
		_, err = f.c.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: &f.api, RouteKey: aws.String("$default")})
		f.refused(err, "ConflictException", "Route with key $default already exists for this API")
		_, err = f.c.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: &f.api, RouteId: route.RouteId})
		f.must(err)
		_, err = apigatewayv2.NewFromConfig(p.As("999999999999", "us-east-1").SDK()).GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &f.api})
		f.refused(err, "NotFoundException", "Invalid API identifier specified 999999999999:"+f.api)
		_, err = f.c.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &f.api})
		f.must(err)
		_, err = f.c.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &f.api})
		f.refused(err, "NotFoundException", "Invalid API identifier specified "+p.Account()+":"+f.api)
		f.status(403, `{"message":"Forbidden"}`, "GET", "/")
	})
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	_, err := f.c.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("w"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.a")})
	f.refused(err, "BadRequestException", "WebSocket APIs are not supported here.")
	for _, key := range []string{"FETCH /x", "GET x", "GET /{a+}/b", "GET /a{b}", "GET"} {
		if _, err := f.c.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: &f.api, RouteKey: &key}); err == nil {
			t.Errorf("the route %s was taken", key)
		}
	}
	for _, in := range []apigatewayv2.CreateIntegrationInput{
		{IntegrationType: types.IntegrationTypeMock},
		{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &f.function},
		{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: aws.String("nothing"), PayloadFormatVersion: aws.String("2.0")},
		{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &f.function, PayloadFormatVersion: aws.String("3.0")},
		{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &f.function, PayloadFormatVersion: aws.String("2.0"), TimeoutInMillis: aws.Int32(30001)},
		{IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &f.function, PayloadFormatVersion: aws.String("2.0"), RequestParameters: map[string]string{"overwrite:header.Host": "x"}},
		{IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: aws.String("ftp://x"), IntegrationMethod: aws.String("GET")},
		{IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: aws.String("http://x")},
	} {
		in.ApiId = &f.api
		if _, err := f.c.CreateIntegration(ctx, &in); err == nil {
			t.Errorf("%v %v was taken", in.IntegrationType, aws.ToString(in.IntegrationUri))
		}
	}
}
