package apigateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"plumb/internal/apptest"
)

// pets is a document of Swagger. FUNCTION stands for the URI of the function.
const pets = `
swagger: "2.0"
info: {title: pets, version: "1", description: of pets}
basePath: /v1/shop
x-amazon-apigateway-binary-media-types: [image/png]
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
x-amazon-apigateway-gateway-responses:
  MISSING_AUTHENTICATION_TOKEN: {statusCode: 404, responseTemplates: {application/json: '{"none":1}'}}
securityDefinitions:
  guard:
    type: apiKey
    name: Authorization
    in: header
    x-amazon-apigateway-authtype: custom
    x-amazon-apigateway-authorizer: {type: token, authorizerUri: FUNCTION, authorizerResultTtlInSeconds: 0}
definitions:
  Pet: {type: object, required: [name], properties: {name: {type: string}, friend: {$ref: '#/definitions/Pet'}}}
paths:
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, type: string}]
    get:
      operationId: getPet
      responses: {200: {description: ok}}
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: FUNCTION, passthroughBehavior: when_no_match}
    put:
      x-amazon-apigateway-request-validator: all
      parameters: [{name: body, in: body, schema: {$ref: '#/definitions/Pet'}}, {name: v, in: query, required: true, type: string}]
      responses: {200: {description: ok, schema: {$ref: '#/definitions/Pet'}}}
      x-amazon-apigateway-integration: {type: AWS_PROXY, httpMethod: POST, uri: FUNCTION}
    options:
      responses: {200: {description: ok, headers: {Access-Control-Allow-Origin: {type: string}}}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200", responseTemplates: {application/json: '{}'}, responseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}}}
  /kept:
    get:
      security: [{guard: []}]
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: FUNCTION}
  /any/{proxy+}:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: FUNCTION}
`

func (f *fixture) imported(document string, parameters map[string]string) string {
	f.Helper()
	out, err := f.c.ImportRestApi(f.Context(), &apigateway.ImportRestApiInput{Body: []byte(strings.ReplaceAll(document, "FUNCTION", f.uri)), Parameters: parameters})
	f.must(err)
	f.api, f.root = *out.Id, *out.RootResourceId
	return *out.Name
}

// paths are those of an API with their ids.
func (f *fixture) paths() map[string]string {
	f.Helper()
	out, err := f.c.GetResources(f.Context(), &apigateway.GetResourcesInput{RestApiId: &f.api})
	f.must(err)
	all := map[string]string{}
	for _, r := range out.Items {
		all[*r.Path] = *r.Id
	}
	return all
}

func TestAnAPIIsImportedFromSwagger(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		if name := f.imported(pets, map[string]string{"endpointConfigurationTypes": "REGIONAL"}); name != "pets" {
			t.Errorf("the name is %s", name)
		}
		f.permit("all", "*")
		f.deploy()
		if got := f.event("GET", "/pets/1", ""); got["resource"] != "/pets/{id}" {
			t.Errorf("the function got %v", got)
		}
		f.answers(400, "BadRequestException", `{"message":"Invalid request body"}`, "PUT", "/pets/1?v=1")
		f.answers(400, "BadRequestException", `{"message":"Missing required request parameters: [v]"}`, "PUT", "/pets/1")
		f.answers(404, "", `{"none":1}`, "GET", "/nowhere")
		if res, _ := f.send("OPTIONS", "/pets/1", "", "Content-Type", "application/json"); res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("OPTIONS is answered %s, %v", res.Status, res.Header)
		}
		f.answers(401, "UnauthorizedException", `{"message":"Unauthorized"}`, "GET", "/kept")
		if got := f.event("GET", "/kept", "", "Authorization", "allow"); got["resource"] != "/kept" {
			t.Errorf("the function got %v", got)
		}
		if got := f.event("DELETE", "/any/a/b", ""); !same(got["pathParameters"], object{"proxy": "a/b"}) {
			t.Errorf("the function got %v", got)
		}
		api, err := f.c.GetRestApi(t.Context(), &apigateway.GetRestApiInput{RestApiId: &f.api})
		f.must(err)
		if *api.Description != "of pets" || api.BinaryMediaTypes[0] != "image/png" || api.EndpointConfiguration.Types[0] != types.EndpointTypeRegional {
			t.Errorf("the API is %+v", api)
		}
		model, err := f.c.GetModel(t.Context(), &apigateway.GetModelInput{RestApiId: &f.api, ModelName: aws.String("Pet")})
		if f.must(err); !strings.Contains(*model.Schema, "https://apigateway.amazonaws.com/restapis/"+f.api+"/models/Pet") {
			t.Errorf("the schema is %s", *model.Schema)
		}
		f.imported(pets, map[string]string{"basepath": "prepend"})
		if _, ok := f.paths()["/v1/shop/pets/{id}"]; !ok {
			t.Errorf("with its base the paths are %v", f.paths())
		}
		f.imported(pets, map[string]string{"basepath": "split"})
		if _, ok := f.paths()["/shop/kept"]; !ok {
			t.Errorf("with a part of its base the paths are %v", f.paths())
		}
	})
}

func TestAnAPIIsImportedAgain(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		f.imported(pets, nil)
		before := f.paths()
		second := `{"openapi": "3.0.1", "info": {"title": "second"}, "components": {"schemas": {"Cat": {"type": "object"}}}, "paths": {"/kept": {"post": {
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Cat"}}}},
			"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "http://localhost:1"}}}}}`
		in := &apigateway.PutRestApiInput{RestApiId: &f.api, Mode: types.PutModeMerge, Body: []byte(second)}
		out, err := f.c.PutRestApi(t.Context(), in)
		if f.must(err); *out.Name != "second" || len(f.paths()) != len(before) {
			t.Errorf("after a merge the API is %s with %v", *out.Name, f.paths())
		}
		for _, verb := range []string{"GET", "POST"} {
			_, err := f.c.GetMethod(t.Context(), &apigateway.GetMethodInput{RestApiId: &f.api, ResourceId: aws.String(before["/kept"]), HttpMethod: &verb})
			f.must(err)
		}
		in.Mode = types.PutModeOverwrite
		_, err = f.c.PutRestApi(t.Context(), in)
		if f.must(err); len(f.paths()) != 2 || f.paths()["/kept"] != before["/kept"] {
			t.Errorf("after an overwrite the paths are %v, and were %v", f.paths(), before)
		}
		got, err := f.c.GetMethod(t.Context(), &apigateway.GetMethodInput{RestApiId: &f.api, ResourceId: aws.String(before["/kept"]), HttpMethod: aws.String("POST")})
		if f.must(err); got.RequestModels["application/json"] != "Cat" || *got.AuthorizationType != "NONE" {
			t.Errorf("the method is %+v", got)
		}
	})
}

func TestWhatCannotBeImportedIsSaid(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	ask := func(body string, strict bool) error {
		_, err := f.c.ImportRestApi(t.Context(), &apigateway.ImportRestApiInput{Body: []byte(body), FailOnWarnings: strict})
		return err
	}
	for _, body := range []string{"", "nonsense", `{"openapi": "3.1.0", "paths": {}}`, `{"swagger": "2.0", "paths": []}`} {
		f.refused(ask(body, false), "BadRequestException", "Invalid OpenAPI input.")
	}
	broken := `{"openapi": "3.0.1", "info": {"title": "a"}, "paths": {
		"/": {"get": {"x-amazon-apigateway-integration": {"type": "http", "httpMethod": "GET", "uri": "nowhere"}}},
		"/a/b{c}": {"get": {}}, "/d": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-request-validator": "none"}}}}`
	f.refused(ask(broken, false), "BadRequestException", "Errors found during import:\n"+
		"\tUnable to create resource at path '/a/b{c}': Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.\n"+
		"\tUnable to put integration on 'GET' for resource at path '/': Invalid HTTP endpoint specified for URI\n"+
		"\tUnable to put method 'ANY' on resource at path '/d': Invalid Request Validator identifier specified")
	warned := `{"swagger": "2.0", "info": {"title": "a"}, "paths": {"/": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/No"}}}}}}}`
	f.refused(ask(warned, true), "BadRequestException", "Warnings found during import:\n\tReference to model 'No' not found. Ignoring.")
	f.must(ask(warned, false))
	// What was refused has changed nothing.
	_, err := f.c.PutRestApi(t.Context(), &apigateway.PutRestApiInput{RestApiId: &f.api, Mode: types.PutModeOverwrite, Body: []byte(broken)})
	if err == nil || len(f.paths()) != 1 {
		t.Errorf("the error is %v, the paths are %v", err, f.paths())
	}
	if res, _ := http.Get(p.URL() + "/restapis/" + f.api + "/dev/_user_request_/"); res.StatusCode != http.StatusForbidden {
		t.Errorf("what is not deployed answers %s", res.Status)
	}
}
