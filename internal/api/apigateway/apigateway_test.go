package apigateway_test

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
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

type object = map[string]any

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A fixture is a function "f" and an API.
type fixture struct {
	*testing.T
	p         *apptest.Plumb
	c         *apigateway.Client
	uri       string // of the function, as integrations name it
	api, root string
	stage     string // what a path begins with
}

// echo answers the event, or what a request's body has evaluated; as an authorizer, what
// the token says.
const echo = `import json, time
def handler(event, context):
    if event.get("type") in ("TOKEN", "REQUEST"):
        print("ASKED")
        token = event.get("authorizationToken") or event["queryStringParameters"]["token"]
        if token == "Unauthorized":
            raise Exception(token)
        effect = {"allow": "Allow", "deny": "Deny"}.get(token)
        if not effect:
            return {"none": 1}
        return {"principalId": "me", "context": {"n": 1}, "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]}}
    body = event.get("body") or ""
    if isinstance(body, str) and body.startswith("="):
        return eval(body[1:])
    if event.get("fail"):
        raise Exception(event["fail"])
    if "requestContext" not in event:
        print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
        return event
    return {"statusCode": 200, "body": json.dumps(event)}
`

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	p.Clock().Freeze(noon)
	f := &fixture{T: t, p: p, c: apigateway.NewFromConfig(p.SDK()), stage: "/dev"}
	f.uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + p.MakeFunction(t, "f", echo) + "/invocations"
	out, err := f.c.CreateRestApi(t.Context(), &apigateway.CreateRestApiInput{Name: aws.String("api"), BinaryMediaTypes: []string{"image/*"}, Tags: map[string]string{"a": "1"}})
	f.must(err)
	f.api, f.root = *out.Id, *out.RootResourceId
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

func (f *fixture) resource(parent, part string) string {
	f.Helper()
	out, err := f.c.CreateResource(f.Context(), &apigateway.CreateResourceInput{RestApiId: &f.api, ParentId: &parent, PathPart: &part})
	f.must(err)
	return *out.Id
}

// method adds a method with its integration, a proxy unless it is changed.
func (f *fixture) method(resource, verb string, change ...func(*apigateway.PutMethodInput, *apigateway.PutIntegrationInput)) {
	f.Helper()
	m := &apigateway.PutMethodInput{RestApiId: &f.api, ResourceId: &resource, HttpMethod: &verb, AuthorizationType: aws.String("NONE")}
	i := &apigateway.PutIntegrationInput{RestApiId: &f.api, ResourceId: &resource, HttpMethod: &verb, Type: types.IntegrationTypeAwsProxy, Uri: &f.uri,
		IntegrationHttpMethod: aws.String("POST")}
	for _, c := range change {
		c(m, i)
	}
	_, err := f.c.PutMethod(f.Context(), m)
	f.must(err)
	_, err = f.c.PutIntegration(f.Context(), i)
	f.must(err)
}

// response adds a response of a method and of its integration.
func (f *fixture) response(resource, verb, status, pattern string, templates, parameters map[string]string) {
	f.Helper()
	_, err := f.c.PutMethodResponse(f.Context(), &apigateway.PutMethodResponseInput{RestApiId: &f.api, ResourceId: &resource, HttpMethod: &verb, StatusCode: &status})
	f.must(err)
	_, err = f.c.PutIntegrationResponse(f.Context(), &apigateway.PutIntegrationResponseInput{RestApiId: &f.api, ResourceId: &resource, HttpMethod: &verb,
		StatusCode: &status, SelectionPattern: &pattern, ResponseTemplates: templates, ResponseParameters: parameters})
	f.must(err)
}

func (f *fixture) deploy(variables ...string) string {
	f.Helper()
	in := &apigateway.CreateDeploymentInput{RestApiId: &f.api, StageName: aws.String("dev")}
	for i := 0; i < len(variables); i += 2 {
		in.Variables = map[string]string{variables[i]: variables[i+1]}
	}
	out, err := f.c.CreateDeployment(f.Context(), in)
	f.must(err)
	return *out.Id
}

func (f *fixture) send(method, path, body string, header ...string) (*http.Response, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.p.URL()+f.stage+path, bytes.NewReader([]byte(body)))
	f.must(err)
	r.Host = f.api + ".execute-api.us-east-1.amazonaws.com"
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

// answers checks what API Gateway itself answers.
func (f *fixture) answers(status int, kind, body, method, path string, header ...string) {
	f.Helper()
	if res, text := f.send(method, path, "", header...); res.StatusCode != status || text != body || kind != "" && res.Header.Get("X-Amzn-Errortype") != kind {
		f.Errorf("%s %s: %s %s %s, want %d %s %s", method, path, res.Status, res.Header.Get("X-Amzn-Errortype"), text, status, kind, body)
	}
}

func same(got, want any) bool {
	plain := func(v any) (out any) {
		text, _ := json.Marshal(v)
		_ = json.Unmarshal(text, &out)
		return out
	}
	return reflect.DeepEqual(plain(got), plain(want))
}

const (
	internal = `{"message":"Internal server error"}`
	missing  = `{"message":"Missing Authentication Token"}`
)

func TestFunctionsGetRequests(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.permit("all", "dev/POST/pets/*")
		pets := f.resource(f.root, "pets")
		id := f.resource(pets, "{id}")
		f.method(id, "POST")
		deployment := f.deploy("v", "1")
		got := f.event("POST", "/pets/a%20b/?x=1&x=2", `{"k": 1}`, "Content-Type", "application/json", "X-Many", "1", "X-Many", "2", "User-Agent", "test")
		at := got["requestContext"].(object)
		host := f.api + ".execute-api.us-east-1.amazonaws.com"
		want := object{
			"resource": "/pets/{id}", "path": "/pets/a b/", "httpMethod": "POST",
			"headers": object{"Host": host, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Content-Type": "application/json", "X-Many": "2",
				"User-Agent": "test", "Content-Length": "8", "Accept-Encoding": "gzip"},
			"multiValueHeaders": object{"Host": []any{host}, "X-Forwarded-For": []any{"127.0.0.1"}, "X-Forwarded-Proto": []any{"http"},
				"Content-Type": []any{"application/json"}, "X-Many": []any{"1", "2"}, "User-Agent": []any{"test"}, "Content-Length": []any{"8"}, "Accept-Encoding": []any{"gzip"}},
			"queryStringParameters": object{"x": "2"}, "multiValueQueryStringParameters": object{"x": []any{"1", "2"}}, "pathParameters": object{"id": "a b"},
			"stageVariables": object{"v": "1"}, "body": `{"k": 1}`, "isBase64Encoded": false,
			"requestContext": object{
				"accountId": p.Account(), "apiId": f.api, "deploymentId": deployment, "domainName": host, "domainPrefix": f.api, "extendedRequestId": at["requestId"],
				"httpMethod": "POST", "identity": object{"accessKey": nil, "accountId": nil, "caller": nil, "cognitoAuthenticationProvider": nil,
					"cognitoAuthenticationType": nil, "cognitoIdentityId": nil, "cognitoIdentityPoolId": nil, "principalOrgId": nil, "sourceIp": "127.0.0.1", "user": nil,
					"userAgent": "test", "userArn": nil},
				"path": "/dev/pets/a b/", "protocol": "HTTP/1.1", "requestId": at["requestId"], "requestTime": "01/Mar/2026:12:00:00 +0000", "requestTimeEpoch": 1772366400000,
				"resourceId": id, "resourcePath": "/pets/{id}", "stage": "dev",
			},
		}
		if !same(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if got = f.event("POST", "/pets/1", "\xff\x00", "Content-Type", "image/png"); got["body"] != "/wA=" || got["isBase64Encoded"] != true || got["queryStringParameters"] != nil {
			t.Errorf("a binary body came as %v", got)
		}
		res, body := f.send("POST", "/pets/1", `={"statusCode": "201", "body": "/wA=", "isBase64Encoded": True, "headers": {"Content-Type": "image/png", "Date": "then"}}`, "Accept", "image/png")
		if res.StatusCode != 201 || body != "\xff\x00" || res.Header.Get("X-Amzn-Remapped-Date") != "then" {
			t.Errorf("%s %v %q", res.Status, res.Header, body)
		}
		if _, body := f.send("POST", "/pets/1", `={"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}`); body != "/wA=" {
			t.Errorf("a body that nobody wants in bytes is %q", body)
		}
		for _, answer := range []string{`{"a": 1}`, `"text"`, `1/0`, `{"statusCode": 200, "body": 5}`, `{"statusCode": 1}`, `None`} {
			if res, body := f.send("POST", "/pets/1", "="+answer); res.StatusCode != 502 || body != internal {
				t.Errorf("%s: %s %s", answer, res.Status, body)
			}
		}
		f.answers(403, "MissingAuthenticationTokenException", missing, "GET", "/pets/1")
		f.answers(403, "MissingAuthenticationTokenException", missing, "POST", "/none")
		path := "/restapis/" + f.api + "/dev/_user_request_/pets/9"
		r, _ := http.NewRequest("POST", p.URL()+path, nil)
		res, err := http.DefaultClient.Do(r)
		if f.must(err); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
		res.Body.Close()
		_, err = p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("all")})
		f.must(err)
		f.answers(500, "InternalServerErrorException", internal, "POST", "/pets/1")
		f.stage = "/none"
		f.answers(403, "ForbiddenException", `{"message":"Forbidden"}`, "POST", "/pets/1")
	})
}

func TestTemplatesMapRequestsAndAnswers(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit("all", "*")
	id := f.resource(f.resource(f.root, "things"), "{id}")
	f.method(id, "POST", func(_ *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
		i.Type, i.PassthroughBehavior = types.IntegrationTypeAws, aws.String("NEVER")
		i.RequestTemplates = map[string]string{"application/json": `#set($in = $input.path('$'))
{"id": "$input.params('id')", "q": "$input.params().querystring.q", "name": $input.json('$.name'), "n": #foreach($x in $in.list)$x#if($foreach.hasNext)+#end#end,
 "stage": "$context.stage", "v": "$stageVariables.v", "quoted": "$util.escapeJavaScript($in.text)", "fail": "$!in.fail"}`}
	})
	f.response(id, "POST", "200", "", map[string]string{"application/json": `{"echo": "$input.path('$.name')"}`},
		map[string]string{"method.response.header.X-Id": "integration.response.body.id", "method.response.header.X-Fixed": "'fixed'"})
	f.response(id, "POST", "404", "no .*", map[string]string{"application/json": `#set($context.responseOverride.status = 410){"why": $input.json('$.errorMessage')}`}, nil)
	f.deploy("v", "1")
	res, body := f.send("POST", "/things/7?q=a", `{"name": "n", "list": [4], "text": "say \"hi\""}`)
	if res.StatusCode != 200 || body != `{"echo": "n"}` || res.Header.Get("X-Id") != "7" || res.Header.Get("X-Fixed") != "fixed" {
		t.Errorf("%s %v %s", res.Status, res.Header, body)
	}
	if got, want := f.p.Printed(t, "f"), `{"id": "7", "q": "a", "name": "n", "n": 4, "stage": "dev", "v": "1", "quoted": "say \"hi\"", "fail": ""}`; len(got) != 1 || got[0] != want {
		t.Errorf("the function got %q, want %s", got, want)
	}
	if res, body := f.send("POST", "/things/7", `{"list": [1], "fail": "no thing"}`); res.StatusCode != 410 || body != `{"why": "no thing"}` {
		t.Errorf("an error that matches: %s %s", res.Status, body)
	}
	if res, _ := f.send("POST", "/things/7", `{"list": [1], "fail": "else"}`); res.StatusCode != 200 {
		t.Errorf("an error that does not match: %s", res.Status)
	}
	f.answers(415, "UnsupportedMediaTypeException", `{"message":"Unsupported Media Type"}`, "POST", "/things/7", "Content-Type", "text/csv")
}

func TestEventsMocksAndRequestsThatAreSentOn(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit("all", "*")
	event := f.resource(f.root, "event")
	f.method(event, "POST", func(_ *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
		i.Type, i.RequestParameters = types.IntegrationTypeAws, map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
	})
	f.response(event, "POST", "202", "", nil, nil)
	mock := f.resource(f.root, "mock")
	f.method(mock, "GET", func(_ *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
		i.Type, i.Uri, i.RequestTemplates = types.IntegrationTypeMock, nil, map[string]string{"application/json": `{"statusCode": #if($input.params('ok') == 'no')500#{else}200#end}`}
	})
	f.response(mock, "GET", "200", "", map[string]string{"application/json": `{"mock": true}`}, map[string]string{"method.response.header.Access-Control-Allow-Origin": "'*'"})
	f.response(mock, "GET", "500", `5\d\d`, map[string]string{"text/plain": "broken"}, nil)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		json.NewEncoder(w).Encode(object{"method": r.Method, "path": r.URL.String(), "body": string(body), "x": r.Header.Get("X-A")})
	}))
	t.Cleanup(behind.Close)
	on := f.resource(f.resource(f.root, "on"), "{proxy+}")
	f.method(on, "ANY", func(_ *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
		i.Type, i.IntegrationHttpMethod, i.Uri = types.IntegrationTypeHttpProxy, aws.String("ANY"), aws.String(behind.URL+"/base/{proxy}")
		i.RequestParameters = map[string]string{"integration.request.header.X-A": "context.stage"}
	})
	f.deploy()
	f.answers(202, "", "", "POST", "/event")
	f.p.Drain(t)
	if got := f.p.Printed(t, "f"); len(got) != 1 {
		t.Errorf("the function got %q", got)
	}
	if res, body := f.send("GET", "/mock", ""); res.StatusCode != 200 || body != `{"mock": true}` || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s %v %s", res.Status, res.Header, body)
	}
	if res, body := f.send("GET", "/mock?ok=no", ""); res.StatusCode != 500 || body != "broken" || res.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%s %v %s", res.Status, res.Header, body)
	}
	res, body := f.send("PUT", "/on/a/b?q=1", "hello")
	var got object
	_ = json.Unmarshal([]byte(body), &got)
	if want := (object{"method": "PUT", "path": "/base/a/b?q=1", "body": "hello", "x": "dev"}); res.StatusCode != http.StatusTeapot || !same(got, want) {
		t.Errorf("%s %s", res.Status, body)
	}
	behind.Close()
	f.answers(504, "InternalServerErrorException", `{"message":"Network error communicating with endpoint"}`, "GET", "/on/x")
}

func TestAuthorizersDecide(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	f.permit("all", "*")
	token, err := f.c.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{RestApiId: &f.api, Name: aws.String("token"), Type: types.AuthorizerTypeToken, AuthorizerUri: &f.uri,
		IdentitySource: aws.String("method.request.header.Auth"), IdentityValidationExpression: aws.String("[a-zA-Z]+")})
	f.must(err)
	request, err := f.c.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{RestApiId: &f.api, Name: aws.String("request"), Type: types.AuthorizerTypeRequest,
		AuthorizerUri: &f.uri, IdentitySource: aws.String("method.request.querystring.token"), AuthorizerResultTtlInSeconds: aws.Int32(0)})
	f.must(err)
	with := func(id *string) func(*apigateway.PutMethodInput, *apigateway.PutIntegrationInput) {
		return func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) {
			m.AuthorizationType, m.AuthorizerId = aws.String("CUSTOM"), id
		}
	}
	a := f.resource(f.root, "a")
	f.method(a, "GET", with(token.Id))
	f.method(f.resource(f.root, "b"), "GET", with(token.Id))
	f.method(f.resource(f.root, "r"), "GET", with(request.Id))
	f.method(f.resource(f.root, "signed"), "GET", func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) {
		m.AuthorizationType = aws.String("AWS_IAM")
	})
	f.deploy()
	asked := func() int { return strings.Count(strings.Join(f.p.LogLines(t, "/aws/lambda/f"), ""), "ASKED") }
	const no = `{"message":"Unauthorized"}`
	f.answers(401, "UnauthorizedException", no, "GET", "/a")
	f.answers(401, "UnauthorizedException", no, "GET", "/a", "Auth", "not valid 5")
	if n := asked(); n != 0 {
		t.Errorf("the authorizer was asked %d times", n)
	}
	f.answers(401, "UnauthorizedException", no, "GET", "/a", "Auth", "Unauthorized")
	f.answers(403, "AccessDeniedException", `{"Message":"User is not authorized to access this resource with an explicit deny"}`, "GET", "/a", "Auth", "deny")
	f.answers(500, "AuthorizerConfigurationException", `{"message":null}`, "GET", "/a", "Auth", "else")
	before := asked()
	for range 2 {
		at := f.event("GET", "/a", "", "Auth", "allow")["requestContext"].(object)["authorizer"]
		if !same(at, object{"principalId": "me", "n": "1", "integrationLatency": 0}) {
			t.Errorf("the function got %v", at)
		}
	}
	f.answers(403, "AccessDeniedException", `{"Message":"User is not authorized to access this resource"}`, "GET", "/b", "Auth", "allow") // what is remembered speaks of /a
	if n := asked() - before; n != 1 {
		t.Errorf("the authorizer was asked %d times", n)
	}
	_, err = f.c.FlushStageAuthorizersCache(ctx, &apigateway.FlushStageAuthorizersCacheInput{RestApiId: &f.api, StageName: aws.String("dev")})
	f.must(err)
	f.event("GET", "/a", "", "Auth", "allow")
	f.p.Clock().Advance(300 * time.Second)
	f.event("GET", "/a", "", "Auth", "allow")
	if n := asked() - before; n != 3 {
		t.Errorf("the authorizer was asked %d times", n)
	}
	f.answers(401, "UnauthorizedException", no, "GET", "/r")
	f.event("GET", "/r?token=allow", "")
	f.answers(403, "MissingAuthenticationTokenException", missing, "GET", "/signed")
	_, err = f.c.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: &f.api, AuthorizerId: token.Id,
		PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/authorizerResultTtlInSeconds"), Value: aws.String("60")}}})
	f.must(err)
	role := "arn:aws:iam::" + f.p.Account() + ":role/gateway"
	changed, err := f.c.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: &f.api, AuthorizerId: token.Id, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String("/authorizerCredentials"), Value: &role}, {Op: types.OpReplace, Path: aws.String("/authType"), Value: aws.String("custom")},
	}})
	if f.must(err); aws.ToString(changed.AuthorizerCredentials) != role || aws.ToString(changed.AuthType) != "custom" {
		t.Errorf("authorizer %v", changed)
	}
	_, err = f.c.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: &f.api, AuthorizerId: token.Id,
		PatchOperations: []types.PatchOperation{{Op: types.OpRemove, Path: aws.String("/authorizerCredentials")}}})
	f.must(err)
	got, err := f.c.GetAuthorizer(ctx, &apigateway.GetAuthorizerInput{RestApiId: &f.api, AuthorizerId: token.Id})
	if f.must(err); *got.AuthorizerResultTtlInSeconds != 60 {
		t.Errorf("authorizer %v", got)
	}
	_, err = f.c.DeleteAuthorizer(ctx, &apigateway.DeleteAuthorizerInput{RestApiId: &f.api, AuthorizerId: token.Id})
	if err == nil {
		t.Error("an authorizer that methods ask was deleted")
	}
	list, err := f.c.GetAuthorizers(ctx, &apigateway.GetAuthorizersInput{RestApiId: &f.api})
	if f.must(err); len(list.Items) != 2 {
		t.Errorf("authorizers %v", list.Items)
	}
	_, err = f.c.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: &f.api, PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/policy"), Value: aws.String(
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
		  {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/dev/GET/r"}]}`)}}})
	f.must(err)
	f.event("GET", "/r?token=allow", "")
	f.deploy()
	f.answers(403, "AccessDeniedException", `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:`+
		f.p.Account()+`:`+f.api+`/dev/GET/r with an explicit deny"}`, "GET", "/r?token=allow")
}

func TestWhatIsChangedLaterIsNotLive(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx, text := setUp(t, p), t.Context(), aws.String
		f.permit("all", "*")
		_, err := f.c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &f.api})
		f.refused(err, "BadRequestException", "The REST API doesn't contain any methods")
		a := f.resource(f.root, "a")
		f.method(a, "ANY")
		first := f.deploy()
		_, err = f.c.UpdateResource(ctx, &apigateway.UpdateResourceInput{RestApiId: &f.api, ResourceId: &a,
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: text("/pathPart"), Value: text("b")}}})
		f.must(err)
		f.event("GET", "/a", "")
		second := f.deploy()
		f.event("GET", "/b", "")
		_, err = f.c.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: &f.api, StageName: text("dev"), PatchOperations: []types.PatchOperation{
			{Op: types.OpReplace, Path: text("/deploymentId"), Value: &first}, {Op: types.OpReplace, Path: text("/variables/x"), Value: text("1")}}})
		f.must(err)
		if e := f.event("GET", "/a", ""); !same(e["stageVariables"], object{"x": "1"}) {
			t.Errorf("the function got %v", e["stageVariables"])
		}
		_, err = f.c.CreateStage(ctx, &apigateway.CreateStageInput{RestApiId: &f.api, StageName: text("prod"), DeploymentId: &second})
		f.must(err)
		st, err := f.c.GetStage(ctx, &apigateway.GetStageInput{RestApiId: &f.api, StageName: text("prod")})
		if f.must(err); *st.DeploymentId != second || !st.CreatedDate.Equal(noon) {
			t.Errorf("stage %v", st)
		}
		stages, err := f.c.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: &f.api, DeploymentId: &first})
		if f.must(err); len(stages.Item) != 1 || *stages.Item[0].StageName != "dev" {
			t.Errorf("stages %v", stages.Item)
		}
		_, err = f.c.UpdateDeployment(ctx, &apigateway.UpdateDeploymentInput{RestApiId: &f.api, DeploymentId: &first,
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: text("/description"), Value: text("old")}}})
		f.must(err)
		d, err := f.c.GetDeployment(ctx, &apigateway.GetDeploymentInput{RestApiId: &f.api, DeploymentId: &first})
		if f.must(err); *d.Description != "old" {
			t.Errorf("deployment %v", d)
		}
		all, err := f.c.GetDeployments(ctx, &apigateway.GetDeploymentsInput{RestApiId: &f.api})
		if f.must(err); len(all.Items) != 2 {
			t.Errorf("deployments %v", all.Items)
		}
		_, err = f.c.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: &f.api, DeploymentId: &second})
		f.refused(err, "BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
		_, err = f.c.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: &f.api, StageName: text("prod")})
		f.must(err)
		_, err = f.c.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: &f.api, DeploymentId: &second})
		f.must(err)
		arn := text("arn:aws:apigateway:us-east-1::/restapis/" + f.api)
		_, err = f.c.TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"b": "2"}})
		f.must(err)
		_, err = f.c.UntagResource(ctx, &apigateway.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
		f.must(err)
		tags, err := f.c.GetTags(ctx, &apigateway.GetTagsInput{ResourceArn: arn})
		if f.must(err); !same(tags.Tags, object{"b": "2"}) {
			t.Errorf("tags %v", tags.Tags)
		}
		list, err := f.c.GetRestApis(ctx, &apigateway.GetRestApisInput{})
		if f.must(err); len(list.Items) != 1 || *list.Items[0].Id != f.api || !list.Items[0].CreatedDate.Equal(noon) {
			t.Errorf("apis %v", list.Items)
		}
		_, err = apigateway.NewFromConfig(p.As("999999999999", "us-east-1").SDK()).GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &f.api})
		f.refused(err, "NotFoundException", "Invalid API identifier specified 999999999999:"+f.api)
		_, err = f.c.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: &f.api})
		f.must(err)
		f.answers(403, "ForbiddenException", `{"message":"Forbidden"}`, "GET", "/a")
	})
}

func TestPartsAreChangedAndDeleted(t *testing.T) {
	f, ctx, text := setUp(t, apptest.Start(t)), t.Context(), aws.String
	patch := func(path, value string) []types.PatchOperation {
		return []types.PatchOperation{{Op: types.OpReplace, Path: &path, Value: &value}}
	}
	api, err := f.c.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: &f.api, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: text("/name"), Value: text("new")}, {Op: types.OpAdd, Path: text("/binaryMediaTypes/audio~1ogg")},
		{Op: types.OpRemove, Path: text("/binaryMediaTypes/image~1*")}, {Op: types.OpReplace, Path: text("/disableExecuteApiEndpoint"), Value: text("true")}}})
	if f.must(err); *api.Name != "new" || !reflect.DeepEqual(api.BinaryMediaTypes, []string{"audio/ogg"}) || !api.DisableExecuteApiEndpoint {
		t.Errorf("api %v", api)
	}
	_, err = f.c.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: &f.api, PatchOperations: patch("/id", "x")})
	if err == nil {
		t.Error("an id was changed")
	}
	a := f.resource(f.root, "a")
	f.resource(a, "{x}")
	_, err = f.c.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &f.api, ParentId: &a, PathPart: text("{x}")})
	f.refused(err, "ConflictException", "Another resource with the same parent already has this name: {x}")
	_, err = f.c.CreateResource(ctx, &apigateway.CreateResourceInput{RestApiId: &f.api, ParentId: &a, PathPart: text("{y}")})
	f.refused(err, "BadRequestException", "A sibling ({x}) of this resource already has a variable path part -- only one is allowed")
	f.method(a, "GET")
	_, err = f.c.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: text("GET"), AuthorizationType: text("NONE")})
	f.refused(err, "ConflictException", "Method already exists for this resource")
	for uri, message := range map[string]string{
		"nothing": "Invalid ARN specified in the request", "arn:aws:lambda:us-east-1:123456789012:function:f": "AWS ARN for integration must contain path or action",
		"arn:aws:apigateway:us-east-1:sqs:path/1/q": "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
	} {
		_, err = f.c.PutIntegration(ctx, &apigateway.PutIntegrationInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: text("GET"), Type: types.IntegrationTypeAwsProxy, Uri: &uri,
			IntegrationHttpMethod: text("POST")})
		f.refused(err, "BadRequestException", message)
	}
	f.response(a, "GET", "200", "", nil, nil)
	get := text("GET")
	m, err := f.c.UpdateMethod(ctx, &apigateway.UpdateMethodInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, PatchOperations: patch("/operationName", "op")})
	if f.must(err); *m.OperationName != "op" {
		t.Errorf("method %v", m)
	}
	i, err := f.c.UpdateIntegration(ctx, &apigateway.UpdateIntegrationInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: text("/timeoutInMillis"), Value: text("100")}, {Op: types.OpAdd, Path: text("/requestTemplates/application~1json"), Value: text("{}")}}})
	if f.must(err); i.TimeoutInMillis != 100 || i.RequestTemplates["application/json"] != "{}" {
		t.Errorf("integration %v", i)
	}
	_, err = f.c.UpdateIntegration(ctx, &apigateway.UpdateIntegrationInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, PatchOperations: patch("/requestTemplates/application~1json", "#if(")})
	if err == nil {
		t.Error("a template that does not parse was taken")
	}
	_, err = f.c.UpdateMethodResponse(ctx, &apigateway.UpdateMethodResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200"),
		PatchOperations: []types.PatchOperation{{Op: types.OpAdd, Path: text("/responseParameters/method.response.header.X"), Value: text("false")}}})
	f.must(err)
	mr, err := f.c.GetMethodResponse(ctx, &apigateway.GetMethodResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200")})
	if f.must(err); len(mr.ResponseParameters) != 1 {
		t.Errorf("response %v", mr)
	}
	_, err = f.c.UpdateIntegrationResponse(ctx, &apigateway.UpdateIntegrationResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200"),
		PatchOperations: patch("/selectionPattern", "x.*")})
	f.must(err)
	ir, err := f.c.GetIntegrationResponse(ctx, &apigateway.GetIntegrationResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200")})
	if f.must(err); *ir.SelectionPattern != "x.*" {
		t.Errorf("response %v", ir)
	}
	gm, err := f.c.GetMethod(ctx, &apigateway.GetMethodInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get})
	if f.must(err); gm.MethodIntegration == nil || len(gm.MethodResponses) != 1 || len(gm.MethodIntegration.IntegrationResponses) != 1 {
		t.Errorf("method %v", gm)
	}
	gi, err := f.c.GetIntegration(ctx, &apigateway.GetIntegrationInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get})
	if f.must(err); *gi.Uri != f.uri || *gi.PassthroughBehavior != "WHEN_NO_MATCH" {
		t.Errorf("integration %v", gi)
	}
	_, err = f.c.DeleteIntegrationResponse(ctx, &apigateway.DeleteIntegrationResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200")})
	f.must(err)
	_, err = f.c.DeleteIntegration(ctx, &apigateway.DeleteIntegrationInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get})
	f.must(err)
	_, err = f.c.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &f.api})
	f.refused(err, "BadRequestException", "No integration defined for method")
	_, err = f.c.DeleteMethodResponse(ctx, &apigateway.DeleteMethodResponseInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get, StatusCode: text("200")})
	f.must(err)
	_, err = f.c.DeleteMethod(ctx, &apigateway.DeleteMethodInput{RestApiId: &f.api, ResourceId: &a, HttpMethod: get})
	f.must(err)
	list, err := f.c.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: &f.api, Limit: aws.Int32(2)})
	if f.must(err); len(list.Items) != 2 || list.Position == nil {
		t.Errorf("resources %v", list)
	}
	r, err := f.c.GetResource(ctx, &apigateway.GetResourceInput{RestApiId: &f.api, ResourceId: &a})
	if f.must(err); *r.Path != "/a" || *r.ParentId != f.root {
		t.Errorf("resource %v", r)
	}
	_, err = f.c.DeleteResource(ctx, &apigateway.DeleteResourceInput{RestApiId: &f.api, ResourceId: &a})
	f.must(err)
	list, err = f.c.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: &f.api})
	if f.must(err); len(list.Items) != 1 {
		t.Errorf("resources %v", list.Items)
	}
}
