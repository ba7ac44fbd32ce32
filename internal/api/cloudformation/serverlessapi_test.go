package cloudformation_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// hello is a template of SAM whose functions are behind APIs: those that it implies, and
// its own.
const hello = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters: {Word: {Type: String, Default: first}}
Conditions: {Never: !Equals [a, b]}
Globals:
  Function:
    Runtime: python3.12
    Handler: index.handler
    Environment: {Variables: {WORD: !Ref Word}}
  Api: {BinaryMediaTypes: [image~1png]}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        import json, os
        def handler(event, context):
            token = event.get("authorizationToken") or event.get("type") == "REQUEST" and event["identitySource"][0]
            if token:
                if "routeArn" in event:
                    return {"isAuthorized": token == "yes"}
                return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow" if token == "yes" else "Deny", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]}}
            return {"statusCode": 200, "body": os.environ["WORD"] + " " + (event.get("routeKey") or event["httpMethod"] + " " + event["resource"])}
      Events:
        Hello: {Type: Api, Properties: {Path: /hello, Method: get}}
        Item: {Type: Api, Properties: {Path: "/items/{id}", Method: any}}
        Web: {Type: HttpApi, Properties: {Path: "/web/{id}", Method: post}}
        Rest: {Type: HttpApi}
        Kept: {Type: Api, Properties: {Path: /kept, Method: get, RestApiId: !Ref Shop}}
        Open: {Type: Api, Properties: {Path: /open, Method: get, RestApiId: !Ref Shop, Auth: {Authorizer: NONE}}}
        Signed: {Type: Api, Properties: {Path: /signed, Method: get, RestApiId: !Ref Shop, Auth: {Authorizer: AWS_IAM}}}
        Guarded: {Type: HttpApi, Properties: {Path: /guarded, Method: get, ApiId: !Ref Web}}
        Free: {Type: HttpApi, Properties: {Path: /free, Method: get, ApiId: !Ref Web, Auth: {Authorizer: NONE}}}
  Absent:
    Type: AWS::Serverless::Function
    Condition: Never
    Properties:
      InlineCode: x
      Events:
        Absent: {Type: Api, Properties: {Path: /absent, Method: get}}
        Also: {Type: Api, Properties: {Path: /hello, Method: put}}
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: "'*'"
      Variables: {word: !Ref Word}
      DefinitionBody:
        swagger: "2.0"
        info: {title: shop}
        paths:
          /mock:
            get:
              security: []
              responses: {200: {description: ok}}
              x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: 200, responseTemplates: {application/json: '{"mock":true}'}}}}
      Auth:
        DefaultAuthorizer: Guard
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers: {Guard: {FunctionArn: !GetAtt Hello.Arn, Identity: {ReauthorizeEvery: 0}}}
  Web:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: live
      CorsConfiguration: {AllowOrigins: ["https://example.com"]}
      Auth:
        DefaultAuthorizer: Guard
        Authorizers: {Guard: {FunctionArn: !GetAtt Hello.Arn, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, EnableFunctionDefaultPermissions: true, Identity: {Headers: [Authorization]}}}
Outputs:
  Hello: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello/"}
  Items: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/${ServerlessRestApi.Stage}/items/"}
  Web: {Value: !Sub "https://${ServerlessHttpApi}.execute-api.${AWS::Region}.amazonaws.com/"}
  Shop: {Value: !Sub "https://${Shop}.execute-api.${AWS::Region}.amazonaws.com/v1/"}
  Guarded: {Value: !Sub "https://${Web}.execute-api.${AWS::Region}.amazonaws.com/live/"}
`

// greets checks what is behind the addresses of the stack.
func greets(t *testing.T, p *apptest.Plumb, s types.Stack, word string) {
	t.Helper()
	answers(t, p, "GET", valueOf(s, "Hello"), 200, word+" GET /hello")
	answers(t, p, "PATCH", valueOf(s, "Items")+"1", 200, word+" PATCH /items/{id}")
	answers(t, p, "PUT", valueOf(s, "Hello"), 403, "Missing Authentication Token")
	answers(t, p, "POST", valueOf(s, "Web")+"web/1", 200, word+" POST /web/{id}")
	answers(t, p, "GET", valueOf(s, "Web")+"elsewhere", 200, word+" $default")
	shop := valueOf(s, "Shop")
	answers(t, p, "GET", shop+"kept", 401, "Unauthorized")
	answers(t, p, "GET", shop+"kept", 403, "", "Authorization", "no")
	answers(t, p, "GET", shop+"kept", 200, word+" GET /kept", "Authorization", "yes")
	answers(t, p, "GET", shop+"open", 200, word+" GET /open")
	answers(t, p, "GET", shop+"signed", 403, "Missing Authentication Token")
	answers(t, p, "GET", shop+"mock", 200, `{"mock":true}`, "Content-Type", "application/json")
	if status, _, header := dial(t, p, "OPTIONS", shop+"kept", "", "Content-Type", "application/json"); status != http.StatusOK || header.Get("Access-Control-Allow-Methods") != "GET,OPTIONS" {
		t.Errorf("OPTIONS is answered %d %v", status, header)
	}
	guarded := valueOf(s, "Guarded")
	answers(t, p, "GET", guarded+"guarded", 401, "")
	answers(t, p, "GET", guarded+"guarded", 200, word+" GET /guarded", "Authorization", "yes")
	answers(t, p, "GET", guarded+"free", 200, word+" GET /free")
}

func TestFunctionsOfAServerlessTemplateAreBehindAPIs(t *testing.T) {
	lambdatest.NeedBoto3(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s, _ := deploy(t, p, "hello", hello, types.ChangeSetTypeCreate, nil)
		is(t, p, s, types.StackStatusCreateComplete)
		greets(t, p, s, "first")
		s, _ = deploy(t, p, "hello", hello, types.ChangeSetTypeUpdate, []string{"Word", "second"})
		is(t, p, s, types.StackStatusUpdateComplete)
		greets(t, p, s, "second")
		// Another path is another deployment, which the stages show.
		moved := strings.Replace(hello, "Path: /kept", "Path: /moved", 1)
		in := &cloudformation.UpdateStackInput{StackName: s.StackName, TemplateBody: &moved, Parameters: pairs([]string{"Word", "second"}),
			Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}}
		if _, err := p.CloudFormation().UpdateStack(ctx, in); err != nil {
			t.Fatal(err)
		}
		s = settle(t, p, "hello")
		is(t, p, s, types.StackStatusUpdateComplete)
		answers(t, p, "GET", valueOf(s, "Shop")+"moved", 200, "second GET /moved", "Authorization", "yes")
		answers(t, p, "GET", valueOf(s, "Shop")+"kept", 403, "Missing Authentication Token", "Authorization", "yes")
		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
	})
}

// TestTheCommandLineDeploysAPIs runs `aws cloudformation deploy`. Its waiters ask every half
// a minute.
func TestTheCommandLineDeploysAPIs(t *testing.T) {
	if os.Getenv("PLUMB_TEST_REAL") == "" {
		t.Skip("PLUMB_TEST_REAL is not set: the waiters of the AWS CLI take minutes")
	}
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not there")
	}
	lambdatest.NeedBoto3(t)
	p := apptest.Start(t)
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte(hello), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"first", "second"} {
		got := commandLine(t, p, "deploy", "--stack-name", "hello", "--template-file", file, "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", "Word="+word)
		if !strings.Contains(got, "Successfully created/updated stack - hello") {
			t.Fatalf("aws cloudformation deploy: %s", got)
		}
		greets(t, p, settle(t, p, "hello"), word)
	}
	commandLine(t, p, "delete-stack", "--stack-name", "hello")
	commandLine(t, p, "wait", "stack-delete-complete", "--stack-name", "hello")
}
