package apigateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"plumb/internal/apptest"
)

func TestRequestsAreValidatedBeforeTheFunctionGetsThem(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*")
		model := func(name, schema string) error {
			_, err := f.c.CreateModel(ctx, &apigateway.CreateModelInput{RestApiId: &f.api, Name: &name, ContentType: aws.String("application/json"), Schema: &schema})
			return err
		}
		f.must(model("Pet", `{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["name"], "properties": {
			"name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0}}}`))
		f.must(model("Pets", `{"type": "array", "items": {"$ref": "https://apigateway.amazonaws.com/restapis/`+f.api+`/models/Pet"}}`))
		validator, err := f.c.CreateRequestValidator(ctx, &apigateway.CreateRequestValidatorInput{RestApiId: &f.api, Name: aws.String("both"),
			ValidateRequestBody: true, ValidateRequestParameters: true})
		f.must(err)
		pets := f.resource(f.root, "pets")
		f.method(pets, "POST", func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) {
			m.RequestValidatorId, m.RequestModels = validator.Id, map[string]string{"application/json": "Pets", "application/x-pet": "Pet"}
			m.RequestParameters = map[string]bool{"method.request.querystring.q": true, "method.request.header.X-Who": true, "method.request.querystring.more": false}
		})
		f.deploy()
		post := func(path, body string, header ...string) string {
			t.Helper()
			res, text := f.send("POST", path, body, header...)
			if res.StatusCode == 200 {
				return "passed"
			}
			return fmt.Sprintf("%d %s %s", res.StatusCode, res.Header.Get("X-Amzn-Errortype"), text)
		}
		const wrong = `400 BadRequestException {"message":"Invalid request body"}`
		for _, c := range []struct{ path, body, kind, want string }{
			{"/pets?q=1", `[{"name": "Rex", "age": 3}]`, "", "passed"},
			{"/pets?q=1", `[]`, "application/json; charset=utf-8", "passed"},
			{"/pets?q=1", `[{"name": "R"}]`, "", wrong},
			{"/pets?q=1", `[{"age": 1}]`, "", wrong},
			{"/pets?q=1", `[{"name": "Rex", "age": "3"}]`, "", wrong},
			{"/pets?q=1", `{"name": "Rex"}`, "", wrong},
			{"/pets?q=1", `[`, "", wrong},
			{"/pets?q=1", ``, "", wrong},
			{"/pets?q=1", `{"name": "Rex"}`, "application/x-pet", "passed"},
			{"/pets?q=1", `what`, "text/plain", "passed"},
			{"/pets", `[]`, "", `400 BadRequestException {"message":"Missing required request parameters: [q]"}`},
			{"/pets?q=", `[]`, "", `400 BadRequestException {"message":"Missing required request parameters: [q]"}`},
		} {
			header := []string{"X-Who", "me"}
			if c.kind != "" {
				header = append(header, "Content-Type", c.kind)
			}
			if got := post(c.path, c.body, header...); got != c.want {
				t.Errorf("%s %s %s: %s, want %s", c.path, c.kind, c.body, got, c.want)
			}
		}
		if got := post("/pets", "[]"); got != `400 BadRequestException {"message":"Missing required request parameters: [X-Who, q]"}` {
			t.Errorf("%s", got)
		}
		// the answer is the API's own, and says what is wrong
		_, err = f.c.PutGatewayResponse(ctx, &apigateway.PutGatewayResponseInput{RestApiId: &f.api, ResponseType: types.GatewayResponseTypeBadRequestBody,
			ResponseTemplates: map[string]string{"text/plain": "$context.error.validationErrorString"}})
		f.must(err)
		f.deploy()
		if _, text := f.send("POST", "/pets?q=1", `[{"age": 1.5}]`, "X-Who", "me"); text != `[object has missing required properties (["name"]), `+
			`instance type (number) does not match any allowed primitive type (allowed: ["integer"])]` {
			t.Errorf("%s", text)
		}
		out := f.try(pets, "POST", func(in *apigateway.TestInvokeMethodInput) {
			in.PathWithQueryString, in.Headers, in.Body = aws.String("/pets?q=1"), map[string]string{"X-Who": "me"}, aws.String("{}")
		})
		if out.Status != 400 || !strings.Contains(*out.Log, "Request body does not match model schema") {
			t.Errorf("%d %s", out.Status, *out.Log)
		}
		// without the validator, and with less of it
		changed, err := f.c.UpdateRequestValidator(ctx, &apigateway.UpdateRequestValidatorInput{RestApiId: &f.api, RequestValidatorId: validator.Id,
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/validateRequestBody"), Value: aws.String("false")}}})
		f.must(err)
		if changed.ValidateRequestBody || !changed.ValidateRequestParameters {
			t.Errorf("%v", changed)
		}
		f.deploy()
		if got := post("/pets?q=1", "{}", "X-Who", "me"); got != "passed" {
			t.Errorf("%s", got)
		}
		_, err = f.c.DeleteRequestValidator(ctx, &apigateway.DeleteRequestValidatorInput{RestApiId: &f.api, RequestValidatorId: validator.Id})
		f.refused(err, "ConflictException", "Cannot delete validator '"+*validator.Id+"', is referenced in method: POST /pets")
		_, err = f.c.UpdateMethod(ctx, &apigateway.UpdateMethodInput{RestApiId: &f.api, ResourceId: &pets, HttpMethod: aws.String("POST"),
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/requestValidatorId"), Value: aws.String("")}}})
		f.must(err)
		f.deploy()
		if got := post("/pets", ""); got != "passed" {
			t.Errorf("%s", got)
		}
		_, err = f.c.DeleteRequestValidator(ctx, &apigateway.DeleteRequestValidatorInput{RestApiId: &f.api, RequestValidatorId: validator.Id})
		f.must(err)
		_, err = f.c.GetRequestValidator(ctx, &apigateway.GetRequestValidatorInput{RestApiId: &f.api, RequestValidatorId: validator.Id})
		f.refused(err, "NotFoundException", "Invalid Request Validator identifier specified")
		list, err := f.c.GetRequestValidators(ctx, &apigateway.GetRequestValidatorsInput{RestApiId: &f.api})
		f.must(err)
		if len(list.Items) != 0 {
			t.Errorf("%v", list.Items)
		}
	})
}

func TestModels(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	create := func(name, schema string) error {
		_, err := f.c.CreateModel(ctx, &apigateway.CreateModelInput{RestApiId: &f.api, Name: &name, ContentType: aws.String("application/json"), Schema: &schema})
		return err
	}
	f.must(create("Mine", `{"type": "object"}`))
	f.refused(create("Mine", `{}`), "ConflictException", "Model name already exists for this REST API")
	for name, schema := range map[string]string{
		"no-name": `{}`, "Text": `"x"`, "Broken": `{`, "Pattern": `{"pattern": "("}`, "Reference": `{"$ref": "#/definitions/none"}`,
		"Other": `{"$ref": "https://apigateway.amazonaws.com/restapis/x/models/None"}`, "Elsewhere": `{"$ref": "http://example.com/"}`,
	} {
		if err := create(name, schema); err == nil {
			t.Errorf("%s %s is taken", name, schema)
		}
	}
	m, err := f.c.UpdateModel(ctx, &apigateway.UpdateModelInput{RestApiId: &f.api, ModelName: aws.String("Mine"), PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String("/schema"), Value: aws.String(`{"type": "array"}`)}, {Op: types.OpReplace, Path: aws.String("/description"), Value: aws.String("d")}}})
	f.must(err)
	one, err := f.c.GetModel(ctx, &apigateway.GetModelInput{RestApiId: &f.api, ModelName: aws.String("Mine")})
	f.must(err)
	if *one.Schema != `{"type": "array"}` || *one.Description != "d" || *one.Id != *m.Id {
		t.Errorf("%v", one)
	}
	all, err := f.c.GetModels(ctx, &apigateway.GetModelsInput{RestApiId: &f.api})
	f.must(err)
	var names []string
	for _, m := range all.Items {
		names = append(names, *m.Name)
	}
	if fmt.Sprint(names) != "[Empty Error Mine]" {
		t.Errorf("%v", names)
	}
	f.method(f.root, "GET", func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) {
		m.RequestModels = map[string]string{"application/json": "Mine"}
	})
	_, err = f.c.DeleteModel(ctx, &apigateway.DeleteModelInput{RestApiId: &f.api, ModelName: aws.String("Mine")})
	f.refused(err, "ConflictException", "Cannot delete model 'Mine', is referenced in method: GET /")
	_, err = f.c.DeleteModel(ctx, &apigateway.DeleteModelInput{RestApiId: &f.api, ModelName: aws.String("Error")})
	f.must(err)
	_, err = f.c.PutMethod(ctx, &apigateway.PutMethodInput{RestApiId: &f.api, ResourceId: &f.root, HttpMethod: aws.String("PUT"), AuthorizationType: aws.String("NONE"),
		RequestModels: map[string]string{"application/json": "Error"}})
	f.refused(err, "BadRequestException", "Invalid model identifier specified: Error")
}
