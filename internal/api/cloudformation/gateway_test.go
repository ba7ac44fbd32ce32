package cloudformation_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// dial asks the address that a stack puts out, at the server's own with that host.
func dial(t *testing.T, p *apptest.Plumb, method, address, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.URL()+u.RequestURI(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = u.Host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

func answers(t *testing.T, p *apptest.Plumb, method, address string, status int, text string, header ...string) {
	t.Helper()
	got, body, _ := dial(t, p, method, address, "", header...)
	if got != status || !strings.Contains(body, text) {
		t.Errorf("%s %s is answered %d %s, want %d with %s", method, address, got, body, status, text)
	}
}

// valueOf is an output of a stack.
func valueOf(s types.Stack, key string) string {
	return strings.TrimPrefix(lineOf(outputs(s), key+"="), key+"=")
}

const function = `
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      Role: !Sub "arn:aws:iam::${AWS::AccountId}:role/f"
      Code:
        ZipFile: |
          import json
          def handler(event, context):
              token = event.get("authorizationToken") or event.get("type") == "REQUEST" and event["identitySource"][0]
              if token:
                  if "routeArn" in event:
                      return {"isAuthorized": token == "yes"}
                  return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [
                      {"Effect": "Allow" if token == "yes" else "Deny", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]}}
              return {"statusCode": 200, "body": json.dumps(event)}
`

const restTemplate = `
Parameters: {Path: {Type: String, Default: pets}, Word: {Type: String, Default: first}, Kind: {Type: String, Default: MOCK}}
Conditions: {Proxied: !Equals [!Ref Kind, AWS_PROXY]}
Resources:` + function + `
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: apigateway.amazonaws.com,
    SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: shop
      Description: !Ref Word
      BinaryMediaTypes: [image/png, !Sub "text/${Word}"]
      EndpointConfiguration: {Types: [REGIONAL]}
      Policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "execute-api:Invoke", Resource: "*"}]}
      Tags: [{Key: word, Value: !Ref Word}]
  Pets: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: !Ref Path}}
  Pet: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Pets.ResourceId, PathPart: "{id}"}}
  Guard:
    Type: AWS::ApiGateway::Authorizer
    Properties: {RestApiId: !Ref Api, Name: guard, Type: TOKEN, IdentitySource: method.request.header.Authorization, AuthorizerResultTtlInSeconds: 0,
      AuthorizerUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}
  Model: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref Api, ContentType: application/json, Schema: {type: object, title: !Ref Word, required: [name]}}}
  Validator: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api, Name: bodies, ValidateRequestBody: true}}
  Missing:
    Type: AWS::ApiGateway::GatewayResponse
    Properties: {RestApiId: !Ref Api, ResponseType: MISSING_AUTHENTICATION_TOKEN, StatusCode: "404", ResponseTemplates: {application/json: !Sub '{"none":"${Word}"}'}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pet
      HttpMethod: GET
      AuthorizationType: NONE
      MethodResponses: [{StatusCode: 200, ResponseParameters: {method.response.header.X-Word: true}}]
      Integration: !If
        - Proxied
        - {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}
        - Type: MOCK
          RequestTemplates: {application/json: '{"statusCode": 200}'}
          IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: '{"mock":true}'}, ResponseParameters: {method.response.header.X-Word: !Sub "'${Word}'"}}]
  Put:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pet
      HttpMethod: PUT
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Guard
      RequestValidatorId: !GetAtt Validator.RequestValidatorId
      RequestModels: {application/json: !Ref Model}
      Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}
  DeploymentNUMBER: {Type: AWS::ApiGateway::Deployment, DependsOn: [Get, Put, Missing], Properties: {RestApiId: !Ref Api, StageName: tried, Description: !Ref Word}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: live, DeploymentId: !Ref DeploymentNUMBER, Variables: {word: !Ref Word}, Tags: [{Key: word, Value: !Ref Word}]}}
Outputs:
  Address: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/${Stage}/${Path}/1"}
  Tried: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/tried/${Path}/1"}
  Api: {Value: !Ref Api}
`

func TestAStackHasARESTAPI(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		first, second := strings.ReplaceAll(restTemplate, "NUMBER", "1"), strings.ReplaceAll(restTemplate, "NUMBER", "2")
		s := create(t, p, "rest", first)
		is(t, p, s, types.StackStatusCreateComplete)
		address := valueOf(s, "Address")
		status, body, header := dial(t, p, "GET", address, "", "Content-Type", "application/json")
		if status != 200 || body != `{"mock":true}` || header.Get("X-Word") != "first" {
			t.Errorf("GET is answered %d %s %v", status, body, header)
		}
		answers(t, p, "PUT", address, 401, "Unauthorized")
		answers(t, p, "PUT", address, 403, "", "Authorization", "no")
		answers(t, p, "PUT", address, 400, "Invalid request body", "Authorization", "yes")
		if status, body, _ := dial(t, p, "PUT", address, `{"name": "a"}`, "Authorization", "yes"); status != 200 || !strings.Contains(body, `"stageVariables": {"word": "first"}`) {
			t.Errorf("PUT is answered %d %s", status, body)
		}
		answers(t, p, "GET", address+"/2", 404, `{"none":"first"}`)
		answers(t, p, "GET", valueOf(s, "Tried"), 200, "mock", "Content-Type", "application/json")

		// An update changes each, and what is at another path is another resource.
		s = update(t, p, "rest", second, "Path", "cats", "Word", "second", "Kind", "AWS_PROXY")
		is(t, p, s, types.StackStatusUpdateComplete)
		if now := valueOf(s, "Address"); now != strings.Replace(address, "pets", "cats", 1) {
			t.Errorf("the address is %s, and was %s", now, address)
		}
		answers(t, p, "GET", address+"/2", 404, `{"none":"second"}`)
		answers(t, p, "GET", valueOf(s, "Address"), 200, `"stageVariables": {"word": "second"}`)
		answers(t, p, "GET", valueOf(s, "Tried"), 200, `"stage": "tried"`)
		client := apigateway.NewFromConfig(p.SDK())
		api, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: aws.String(valueOf(s, "Api"))})
		if err != nil || *api.Description != "second" || strings.Join(api.BinaryMediaTypes, " ") != "image/png text/second" || api.Tags["word"] != "second" ||
			api.EndpointConfiguration.Types[0] != "REGIONAL" || !strings.Contains(*api.Policy, "execute-api:Invoke") {
			t.Errorf("the API is %+v, %v", api, err)
		}
		deployments, err := client.GetDeployments(ctx, &apigateway.GetDeploymentsInput{RestApiId: api.Id})
		if err != nil || len(deployments.Items) != 1 || *deployments.Items[0].Description != "second" {
			t.Errorf("the deployments are %+v, %v", deployments, err)
		}
		models, err := client.GetModels(ctx, &apigateway.GetModelsInput{RestApiId: api.Id})
		if err != nil || len(models.Items) != 3 || !strings.Contains(*models.Items[2].Schema, "second") {
			t.Errorf("the models are %+v, %v", models, err)
		}

		// An update that fails leaves all as it was.
		broken := strings.Replace(second, "HttpMethod: PUT", "HttpMethod: FETCH", 1)
		is(t, p, update(t, p, "rest", broken, "Path", "cats", "Word", "third"), types.StackStatusUpdateRollbackComplete)
		answers(t, p, "GET", valueOf(s, "Address"), 200, `"word": "second"`)
		if got := strings.Join(story(t, p, "rest"), "\n"); !strings.Contains(got, "Invalid HttpMethod specified") || !strings.Contains(got, "Service: ApiGateway") {
			t.Errorf("events are\n%s", got)
		}
		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
		answers(t, p, "GET", valueOf(s, "Address"), 403, "Forbidden")
	})
}

const httpTemplate = `
Parameters: {Word: {Type: String, Default: first}, Format: {Type: String, Default: "2.0"}}
Conditions: {First: !Equals [!Ref Word, first]}
Resources:` + function + `
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: apigateway.amazonaws.com,
    SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}}
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: web
      ProtocolType: HTTP
      Description: !Ref Word
      CorsConfiguration: !If [First, {AllowOrigins: ["https://example.com"]}, !Ref "AWS::NoValue"]
      Tags: {word: !Ref Word}
  Guard:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties: {ApiId: !Ref Api, Name: !Sub "guard-${Word}", AuthorizerType: REQUEST, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true,
      IdentitySource: [$request.header.Authorization], AuthorizerUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !GetAtt Api.ApiId
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt Function.Arn
      PayloadFormatVersion: !Ref Format
      RequestParameters: !If [First, {"append:header.x-word": first}, !Ref "AWS::NoValue"]
      ResponseParameters: {"200": {ResponseParameters: [{Destination: "overwrite:header.x-word", Source: !Ref Word}]}}
  Open: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: !Sub "GET /${Word}", Target: !Sub "integrations/${Integration}"}}
  Kept:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: GET /kept
      AuthorizationType: !If [First, CUSTOM, !Ref "AWS::NoValue"]
      AuthorizerId: !If [First, !Ref Guard, !Ref "AWS::NoValue"]
      Target: !Sub "integrations/${Integration}"
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true, StageVariables: {word: !Ref Word}, Tags: {word: !Ref Word}}}
  Frozen: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: [Open, Kept], Properties: {ApiId: !Ref Api, Description: !Ref Word}}
  Slow: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: slow, DeploymentId: !GetAtt Frozen.DeploymentId}}
Outputs:
  Address: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/"}
  Endpoint: {Value: !GetAtt Api.ApiEndpoint}
  Api: {Value: !Ref Api}
`

func TestAStackHasAnHTTPAPI(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s := create(t, p, "http", httpTemplate)
		is(t, p, s, types.StackStatusCreateComplete)
		address := valueOf(s, "Address")
		status, body, header := dial(t, p, "GET", address+"first", "", "Origin", "https://example.com")
		if status != 200 || !strings.Contains(body, `"version": "2.0"`) || !strings.Contains(body, `"x-word": "first"`) || header.Get("X-Word") != "first" ||
			header.Get("Access-Control-Allow-Origin") != "https://example.com" {
			t.Errorf("GET is answered %d %s %v", status, body, header)
		}
		answers(t, p, "GET", address+"slow/first", 200, `"stage": "slow"`)
		answers(t, p, "GET", address+"kept", 401, "")
		answers(t, p, "GET", address+"kept", 200, "", "Authorization", "yes")
		if !strings.Contains(valueOf(s, "Endpoint"), valueOf(s, "Api")+".execute-api.us-east-1.") {
			t.Errorf("the endpoint is %s", valueOf(s, "Endpoint"))
		}

		s = update(t, p, "http", httpTemplate, "Word", "second", "Format", "1.0")
		is(t, p, s, types.StackStatusUpdateComplete)
		status, body, header = dial(t, p, "GET", address+"second", "", "Origin", "https://example.com")
		if status != 200 || !strings.Contains(body, `"version": "1.0"`) || strings.Contains(body, `x-word`) || header.Get("X-Word") != "second" ||
			header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(body, `"stageVariables": {"word": "second"}`) {
			t.Errorf("after the update GET is answered %d %s %v", status, body, header)
		}
		answers(t, p, "GET", address+"first", 404, "Not Found")
		answers(t, p, "GET", address+"kept", 200, "")
		api, err := apigatewayv2.NewFromConfig(p.SDK()).GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: aws.String(valueOf(s, "Api"))})
		if err != nil || *api.Description != "second" || api.Tags["word"] != "second" {
			t.Errorf("the API is %+v, %v", api, err)
		}
		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
		answers(t, p, "GET", address+"second", 403, "Forbidden")
	})
}

const bodies = `
Parameters: {Title: {Type: String, Default: one}}
Resources:` + function + `
  Rest:
    Type: AWS::ApiGateway::RestApi
    Properties:
      BinaryMediaTypes: [image~1png]
      Parameters: {endpointConfigurationTypes: REGIONAL}
      Body:
        swagger: "2.0"
        info: {title: !Ref Title}
        paths: PATHS
  Named:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: named, Description: of the template, BodyS3Location: {Bucket: packages, Key: api.json}}
  Http:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Body:
        openapi: 3.0.1
        info: {title: !Ref Title}
        paths: PATHS
Outputs:
  Rest: {Value: !Ref Rest}
  Named: {Value: !Ref Named}
  Http: {Value: !Ref Http}
`

func TestAStackImportsTheDocumentsOfItsAPIs(t *testing.T) {
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t)
	at := func(path string) string {
		return strings.ReplaceAll(bodies, "PATHS", "{"+path+`: {get: {x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0",
          uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"}}}}`)
	}
	document, err := json.Marshal(map[string]any{"openapi": "3.0.1", "info": map[string]any{"title": "other", "description": "of the document", "version": "7"}, "paths": map[string]any{"/a": nil}})
	if err != nil {
		t.Fatal(err)
	}
	object(t, p, "api.json", string(document))
	s := create(t, p, "bodies", at("/first"))
	is(t, p, s, types.StackStatusCreateComplete)
	client, web := apigateway.NewFromConfig(p.SDK()), apigatewayv2.NewFromConfig(p.SDK())
	check := func(title, path string) {
		t.Helper()
		rest, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: aws.String(valueOf(s, "Rest"))})
		if err != nil || *rest.Name != title || fmt.Sprint(rest.EndpointConfiguration.Types, rest.BinaryMediaTypes) != "[REGIONAL] [image/png]" {
			t.Errorf("the REST API is %+v, %v", rest, err)
		}
		http, err := web.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: aws.String(valueOf(s, "Http"))})
		if err != nil || *http.Name != title {
			t.Errorf("the HTTP API is %+v, %v", http, err)
		}
		resources, err := client.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: rest.Id})
		if err != nil || len(resources.Items) != 2 || *resources.Items[1].Path != path {
			t.Errorf("the resources are %+v, %v", resources, err)
		}
		routes, err := web.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: http.ApiId})
		if err != nil || len(routes.Items) != 1 || *routes.Items[0].RouteKey != "GET "+path {
			t.Errorf("the routes are %+v, %v", routes, err)
		}
	}
	check("one", "/first")
	named, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: aws.String(valueOf(s, "Named"))})
	if err != nil || *named.Name != "named" || *named.Description != "of the template" || *named.Version != "7" {
		t.Errorf("the API that the template names is %+v, %v", named, err)
	}
	before := outputs(s)
	s = update(t, p, "bodies", at("/second"), "Title", "two")
	is(t, p, s, types.StackStatusUpdateComplete)
	if check("two", "/second"); outputs(s) != before {
		t.Errorf("outputs are\n%s\nand were\n%s", outputs(s), before)
	}
	in := &cloudformation.DescribeStackResourceInput{StackName: aws.String("bodies"), LogicalResourceId: aws.String("Rest")}
	if got, err := p.CloudFormation().DescribeStackResource(ctx, in); err != nil || *got.StackResourceDetail.PhysicalResourceId != valueOf(s, "Rest") {
		t.Errorf("the resource is %+v, %v", got, err)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
}
