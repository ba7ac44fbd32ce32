package apigateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"plumb/internal/apptest"
)

// try calls TestInvokeMethod.
func (f *fixture) try(resource, verb string, change ...func(*apigateway.TestInvokeMethodInput)) *apigateway.TestInvokeMethodOutput {
	f.Helper()
	in := &apigateway.TestInvokeMethodInput{RestApiId: &f.api, ResourceId: &resource, HttpMethod: &verb}
	for _, c := range change {
		c(in)
	}
	out, err := f.c.TestInvokeMethod(f.Context(), in)
	f.must(err)
	return out
}

func TestMethodsAreTriedBeforeTheyAreDeployed(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		item := f.resource(f.resource(f.root, "items"), "{id}")
		f.method(item, "ANY")
		out := f.try(item, "POST")
		if out.Status != 500 || *out.Body != internal || !strings.Contains(*out.Log, "Invalid permissions on Lambda function") {
			t.Errorf("without the permission: %d %s %s", out.Status, *out.Body, *out.Log)
		}
		f.permit("trials", "test-invoke-stage/*/items/*")
		out = f.try(item, "POST", func(in *apigateway.TestInvokeMethodInput) {
			in.PathWithQueryString, in.Body = aws.String("/items/7?a=1&a=2"), aws.String(`{"x": 1}`)
			in.Headers, in.StageVariables = map[string]string{"X-Me": "1"}, map[string]string{"v": "2"}
		})
		var event object
		if err := json.Unmarshal([]byte(*out.Body), &event); err != nil || out.Status != 200 {
			t.Fatalf("%d %s %s", out.Status, *out.Body, *out.Log)
		}
		about := event["requestContext"].(object)
		want := object{
			"resource": "/items/{id}", "path": "/items/7", "httpMethod": "POST", "headers": object{"X-Me": "1"}, "multiValueHeaders": object{"X-Me": []string{"1"}},
			"queryStringParameters": object{"a": "2"}, "multiValueQueryStringParameters": object{"a": []string{"1", "2"}}, "pathParameters": object{"id": "7"},
			"stageVariables": object{"v": "2"}, "body": `{"x": 1}`, "isBase64Encoded": false,
			"requestContext": object{
				"accountId": p.Account(), "apiId": f.api, "domainName": "testPrefix.testDomainName", "domainPrefix": "testPrefix", "extendedRequestId": about["extendedRequestId"],
				"httpMethod": "POST", "path": "/items/7", "protocol": "HTTP/1.1", "requestId": about["requestId"], "requestTime": "01/Mar/2026:12:00:00 +0000",
				"requestTimeEpoch": noon.UnixMilli(), "resourceId": item, "resourcePath": "/items/{id}", "stage": "test-invoke-stage",
				"identity": object{
					"accessKey": p.Account(), "accountId": p.Account(), "apiKey": "test-invoke-api-key", "apiKeyId": "test-invoke-api-key-id", "caller": p.Account(),
					"cognitoAuthenticationProvider": nil, "cognitoAuthenticationType": nil, "cognitoIdentityId": nil, "cognitoIdentityPoolId": nil, "principalOrgId": nil,
					"sourceIp": "test-invoke-source-ip", "user": p.Account(), "userAgent": about["identity"].(object)["userAgent"], "userArn": "arn:aws:iam::" + p.Account() + ":root",
				},
			},
		}
		if !same(event, want) {
			t.Errorf("got  %v\nwant %v", event, want)
		}
		for _, line := range []string{
			"Execution log for request ", "HTTP Method: POST, Resource Path: /items/{id}", "Method request path: {id=7}", "Method request headers: {X-Me=1}",
			`Method request body before transformations: {"x": 1}`, "Endpoint response body before transformations: ", "Method completed with status: 200",
			"Sun Mar 01 12:00:00 UTC 2026 : Starting execution for request: ",
		} {
			if !strings.Contains(*out.Log, line) {
				t.Errorf("the log has no %q:\n%s", line, *out.Log)
			}
		}
		// templates and mocks are tried too, and a method that needs an authorizer or a signature
		f.method(f.root, "GET", func(m *apigateway.PutMethodInput, i *apigateway.PutIntegrationInput) {
			m.AuthorizationType = aws.String("AWS_IAM")
			i.Type, i.Uri, i.IntegrationHttpMethod = types.IntegrationTypeMock, nil, nil
			i.RequestTemplates = map[string]string{"application/json": `{"statusCode": 202}`}
		})
		f.response(f.root, "GET", "202", "", map[string]string{"application/json": `"$stageVariables.v $context.stage"`},
			map[string]string{"method.response.header.X-A": "'b'"})
		out = f.try(f.root, "GET", func(in *apigateway.TestInvokeMethodInput) { in.StageVariables = map[string]string{"v": "2"} })
		if out.Status != 202 || *out.Body != `"2 test-invoke-stage"` || out.Headers["X-A"] != "b" || out.MultiValueHeaders["X-A"][0] != "b" {
			t.Errorf("%d %s %v", out.Status, *out.Body, out.Headers)
		}
		_, err := f.c.TestInvokeMethod(t.Context(), &apigateway.TestInvokeMethodInput{RestApiId: &f.api, ResourceId: &f.root, HttpMethod: aws.String("PUT")})
		f.refused(err, "NotFoundException", "Invalid Method identifier specified")
	})
}

func TestGatewayResponsesAreTheAPIsOwn(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*")
		f.method(f.resource(f.root, "p"), "POST")
		f.deploy()
		all, err := f.c.GetGatewayResponses(ctx, &apigateway.GetGatewayResponsesInput{RestApiId: &f.api})
		f.must(err)
		if len(all.Items) != 21 || !all.Items[0].DefaultResponse || all.Items[0].ResponseTemplates["application/json"] != `{"message":$context.error.messageString}` {
			t.Errorf("%d %v", len(all.Items), all.Items)
		}
		put := func(kind types.GatewayResponseType, status *string, parameters, templates map[string]string) {
			t.Helper()
			_, err := f.c.PutGatewayResponse(ctx, &apigateway.PutGatewayResponseInput{RestApiId: &f.api, ResponseType: kind, StatusCode: status,
				ResponseParameters: parameters, ResponseTemplates: templates})
			f.must(err)
		}
		put(types.GatewayResponseTypeMissingAuthenticationToken, aws.String("404"), map[string]string{
			"gatewayresponse.header.Access-Control-Allow-Origin": "'*'", "gatewayresponse.header.X-Id": "context.requestId", "gatewayresponse.header.X-Type": "context.error.responseType",
		}, map[string]string{"application/json": `{"m": $context.error.messageString, "plain": "${context.error.message}", "stage": "$context.stage", "x": "$method.request.header.X-Me"}`,
			"text/plain": "none"})
		f.answers(403, "MissingAuthenticationTokenException", missing, "GET", "/none") // it is not deployed
		f.deploy()
		res, body := f.send("GET", "/none", "", "X-Me", "1")
		if want := `{"m": "Missing Authentication Token", "plain": "Missing Authentication Token", "stage": "dev", "x": "1"}`; res.StatusCode != 404 || body != want {
			t.Errorf("%s %s", res.Status, body)
		}
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "X-Id": res.Header.Get("X-Amzn-Requestid"), "X-Type": "MISSING_AUTHENTICATION_TOKEN",
			"Content-Type": "application/json", "X-Amzn-Errortype": "MissingAuthenticationTokenException"} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if res, body := f.send("GET", "/none", "", "Accept", "text/plain"); body != "none" || res.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s %s", body, res.Header.Get("Content-Type"))
		}
		// those of a class are for all that have none of their own
		put(types.GatewayResponseTypeDefault5xx, nil, map[string]string{"gatewayresponse.header.X-Class": "'5'"}, nil)
		f.deploy()
		res, body = f.send("POST", "/p", "=1")
		if res.StatusCode != 502 || body != internal || res.Header.Get("X-Class") != "5" {
			t.Errorf("%s %s %v", res.Status, body, res.Header)
		}
		got, err := f.c.UpdateGatewayResponse(ctx, &apigateway.UpdateGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeDefault5xx,
			PatchOperations: []types.PatchOperation{
				{Op: types.OpReplace, Path: aws.String("/statusCode"), Value: aws.String("503")},
				{Op: types.OpAdd, Path: aws.String("/responseParameters/gatewayresponse.header.X-More"), Value: aws.String("'m'")},
				{Op: types.OpReplace, Path: aws.String("/responseTemplates/application~1json"), Value: aws.String("no")},
			}})
		f.must(err)
		if *got.StatusCode != "503" || got.DefaultResponse || got.ResponseTemplates["application/json"] != "no" {
			t.Errorf("%v", got)
		}
		f.deploy()
		if res, body := f.send("POST", "/p", "=1"); res.StatusCode != http.StatusServiceUnavailable || body != "no" || res.Header.Get("X-More") != "m" {
			t.Errorf("%s %s", res.Status, body)
		}
		_, err = f.c.DeleteGatewayResponse(ctx, &apigateway.DeleteGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeDefault5xx})
		f.must(err)
		one, err := f.c.GetGatewayResponse(ctx, &apigateway.GetGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeDefault5xx})
		f.must(err)
		if !one.DefaultResponse || one.StatusCode != nil {
			t.Errorf("%v", one)
		}
		_, err = f.c.DeleteGatewayResponse(ctx, &apigateway.DeleteGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeDefault5xx})
		f.refused(err, "NotFoundException", "Gateway response type not defined on api")
		for _, bad := range []map[string]string{{"header.X": "'a'"}, {"gatewayresponse.header.X": "a"}, {"gatewayresponse.header.X": "integration.response.header.a"}} {
			_, err := f.c.PutGatewayResponse(ctx, &apigateway.PutGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeThrottled, ResponseParameters: bad})
			if err == nil {
				t.Errorf("%v is taken", bad)
			}
		}
	})
}
