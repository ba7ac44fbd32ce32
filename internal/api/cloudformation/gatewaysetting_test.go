package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumb/internal/apptest"
)

const settingsTemplate = `
Parameters: {Step: {Type: String, Default: first}, Rate: {Type: Number, Default: 0.5}}
Conditions: {First: !Equals [!Ref Step, first]}
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: settings}}
  Pets: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: pets}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Pets
      HttpMethod: GET
      AuthorizationType: NONE
      MethodResponses: [{StatusCode: 200}]
      Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode": 200}'}, IntegrationResponses: [{StatusCode: 200}]}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    DependsOn: Get
    Properties:
      RestApiId: !Ref Api
      StageName: tried
      StageDescription:
        LoggingLevel: !If [First, ERROR, !Ref "AWS::NoValue"]
        MetricsEnabled: true
        MethodSettings: [{ResourcePath: /pets, HttpMethod: get, ThrottlingBurstLimit: !If [First, 7, 8]}]
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      StageName: live
      DeploymentId: !Ref Deployment
      MethodSettings:
        - {ResourcePath: "/*", HttpMethod: "*", LoggingLevel: INFO, DataTraceEnabled: !If [First, true, !Ref "AWS::NoValue"]}
        - {ResourcePath: "/~1pets", HttpMethod: GET, ThrottlingRateLimit: !Ref Rate, ThrottlingBurstLimit: 1}
        - !If [First, {ResourcePath: /, HttpMethod: POST, CachingEnabled: "true", CacheTtlInSeconds: 60}, !Ref "AWS::NoValue"]
Outputs:
  Address: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live/pets"}
  Api: {Value: !Ref Api}
`

func TestAStackHasSettingsOfMethods(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s := create(t, p, "settings", settingsTemplate)
		is(t, p, s, types.StackStatusCreateComplete)
		of := func(name string) map[string]apitypes.MethodSetting {
			t.Helper()
			st, err := apigateway.NewFromConfig(p.SDK()).GetStage(ctx, &apigateway.GetStageInput{RestApiId: aws.String(valueOf(s, "Api")), StageName: &name})
			if err != nil {
				t.Fatal(err)
			}
			return st.MethodSettings
		}
		live, tried := of("live"), of("tried")
		if len(live) != 3 || *live["*/*"].LoggingLevel != "INFO" || !live["*/*"].DataTraceEnabled || live["~1pets/GET"].ThrottlingRateLimit != 0.5 ||
			!live["~1/POST"].CachingEnabled || live["~1/POST"].CacheTtlInSeconds != 60 {
			t.Errorf("the settings are %+v", live)
		}
		if len(tried) != 2 || *tried["*/*"].LoggingLevel != "ERROR" || !tried["*/*"].MetricsEnabled || tried["pets/GET"].ThrottlingBurstLimit != 7 {
			t.Errorf("the settings of the deployment's stage are %+v", tried)
		}
		answers(t, p, "GET", valueOf(s, "Address"), 200, "", "Content-Type", "application/json")

		s = update(t, p, "settings", settingsTemplate, "Step", "second", "Rate", "1.5")
		is(t, p, s, types.StackStatusUpdateComplete)
		live, tried = of("live"), of("tried")
		if len(live) != 2 || *live["*/*"].LoggingLevel != "INFO" || live["*/*"].DataTraceEnabled || live["~1pets/GET"].ThrottlingRateLimit != 1.5 {
			t.Errorf("after the update the settings are %+v", live)
		}
		if len(tried) != 2 || tried["*/*"].LoggingLevel != nil || !tried["*/*"].MetricsEnabled || tried["pets/GET"].ThrottlingBurstLimit != 8 {
			t.Errorf("after the update the settings of the deployment's stage are %+v", tried)
		}

		// An update that fails leaves all as it was.
		is(t, p, update(t, p, "settings", strings.Replace(settingsTemplate, "LoggingLevel: INFO", "LoggingLevel: SHOUT", 1), "Step", "first", "Rate", "9"),
			types.StackStatusUpdateRollbackComplete)
		if live = of("live"); len(live) != 2 || *live["*/*"].LoggingLevel != "INFO" || live["~1pets/GET"].ThrottlingRateLimit != 1.5 {
			t.Errorf("after the rollback the settings are %+v", live)
		}
		if got := strings.Join(story(t, p, "settings"), "\n"); !strings.Contains(got, "Invalid logging level specified") {
			t.Errorf("events are\n%s", got)
		}
		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
	})
}

const settingsOfServerless = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", LoggingLevel: INFO, ThrottlingBurstLimit: 3}]
      DefinitionBody:
        openapi: 3.0.1
        info: {title: settings, version: "1"}
        paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}}}}}
Outputs: {Api: {Value: !Ref Api}}
`

func TestAnAPIOfSAMHasSettingsOfMethods(t *testing.T) {
	p := apptest.Start(t)
	s, _ := deploy(t, p, "sam", settingsOfServerless, types.ChangeSetTypeCreate, nil)
	is(t, p, s, types.StackStatusCreateComplete)
	for _, want := range []int32{3, 4} {
		st, err := apigateway.NewFromConfig(p.SDK()).GetStage(ctx, &apigateway.GetStageInput{RestApiId: aws.String(valueOf(s, "Api")), StageName: aws.String("live")})
		if err != nil || st.MethodSettings["*/*"].ThrottlingBurstLimit != want || *st.MethodSettings["*/*"].LoggingLevel != "INFO" {
			t.Errorf("the stage is %+v, %v", st, err)
		}
		if want == 4 {
			break
		}
		s, _ = deploy(t, p, "sam", strings.Replace(settingsOfServerless, "Limit: 3", "Limit: 4", 1), types.ChangeSetTypeUpdate, nil)
		is(t, p, s, types.StackStatusUpdateComplete)
	}
	is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
}
