package apigatewayv2_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"plumb/internal/apptest"
)

// web is a document of OpenAPI. FUNCTION stands for the URI of the function.
const web = `
openapi: 3.0.1
info: {title: web, version: "1.0"}
servers: [{url: "https://example.com/{base}", variables: {base: {default: v1}}}]
tags: [{name: team, x-amazon-apigateway-tag-value: a}]
x-amazon-apigateway-cors: {allowOrigins: ["https://example.com"], maxAge: 60}
components:
  securitySchemes:
    guard:
      type: apiKey
      name: Authorization
      in: header
      x-amazon-apigateway-authorizer: {type: request, authorizerUri: FUNCTION, authorizerPayloadFormatVersion: "2.0", enableSimpleResponses: true, identitySource: $request.header.Authorization}
  x-amazon-apigateway-integrations:
    f: {type: AWS_PROXY, httpMethod: POST, uri: FUNCTION, payloadFormatVersion: "2.0"}
paths:
  /pets/{id}:
    get:
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/f'}
    put:
      security: [{guard: []}]
      x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/f'}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: FUNCTION, payloadFormatVersion: "1.0"}
`

func TestAnAPIIsImportedFromOpenAPI(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		body := strings.ReplaceAll(web, "FUNCTION", "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"+f.function+"/invocations")
		out, err := f.c.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: &body})
		f.must(err)
		if *out.Name != "web" || out.CorsConfiguration.AllowOrigins[0] != "https://example.com" || out.Tags["team"] != "a" || *out.Version != "1.0" {
			t.Errorf("the API is %+v", out)
		}
		f.api = *out.ApiId
		f.host = f.api + ".execute-api.us-east-1.amazonaws.com"
		_, err = f.c.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{ApiId: &f.api, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true)})
		f.must(err)
		f.permit("imported", "*")
		if got := f.event("GET", "/pets/1", ""); got["routeKey"] != "GET /pets/{id}" || got["version"] != "2.0" {
			t.Errorf("the function got %v", got)
		}
		if got := f.event("POST", "/elsewhere", ""); got["version"] != "1.0" {
			t.Errorf("the function got %v", got)
		}
		if res, text := f.send("PUT", "/pets/1", ""); res.StatusCode != 401 {
			t.Errorf("without a token the answer is %s %s", res.Status, text)
		}
		if got := f.event("PUT", "/pets/1", "", "Authorization", `{"isAuthorized": true}`); got["routeKey"] != "PUT /pets/{id}" {
			t.Errorf("the function got %v", got)
		}
		integrations, err := f.c.GetIntegrations(t.Context(), &apigatewayv2.GetIntegrationsInput{ApiId: &f.api})
		if f.must(err); len(integrations.Items) != 2 {
			t.Errorf("there are %d integrations, want one for both routes that share it, and another", len(integrations.Items))
		}

		routes := func() (keys []string, ids []string) {
			out, err := f.c.GetRoutes(t.Context(), &apigatewayv2.GetRoutesInput{ApiId: &f.api})
			f.must(err)
			for _, r := range out.Items {
				keys, ids = append(keys, *r.RouteKey), append(ids, *r.RouteId)
			}
			return keys, ids
		}
		_, before := routes()
		body, _, _ = strings.Cut(body, "    put:")
		again, err := f.c.ReimportApi(t.Context(), &apigatewayv2.ReimportApiInput{ApiId: &f.api, Body: &body, Basepath: aws.String("ignore")})
		f.must(err)
		if keys, ids := routes(); *again.ApiId != f.api || len(keys) != 1 || keys[0] != "GET /pets/{id}" || !strings.Contains(strings.Join(before, " "), ids[0]) {
			t.Errorf("after another import the routes are %v %v, and were %v", keys, ids, before)
		}
		if res, _ := f.send("POST", "/elsewhere", ""); res.StatusCode != 404 {
			t.Errorf("a route that is gone answers %s", res.Status)
		}
		_, err = f.c.ReimportApi(t.Context(), &apigatewayv2.ReimportApiInput{ApiId: &f.api, Body: &body, Basepath: aws.String("prepend")})
		if keys, _ := routes(); err != nil || keys[0] != "GET /v1/pets/{id}" {
			t.Errorf("with its base the routes are %v, %v", keys, err)
		}
	})
}

func TestWhatCannotBeImportedIsSaid(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	ask := func(body string) error {
		_, err := f.c.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: &body, FailOnWarnings: aws.Bool(true)})
		return err
	}
	f.refused(ask("nonsense"), "BadRequestException", "Invalid OpenAPI input.")
	f.refused(ask(`{"swagger": "2.0", "paths": {}}`), "BadRequestException", "Invalid OpenAPI input. Only OpenAPI 3.0 is supported for HTTP APIs.")
	f.refused(ask(`{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/a": {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "x", "payloadFormatVersion": "2.0"}}}}}`),
		"BadRequestException", "Errors found during import:\n\tUnable to create route for path 'GET /a': Invalid integration URI specified: x")
	f.refused(ask(`{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {"/a": {"get": {}}}}`),
		"BadRequestException", "Warnings found during import:\n\tNo integration found for path 'GET /a'")
}
