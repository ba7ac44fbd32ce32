package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumb/internal/apptest"
)

const planTemplate = `
Parameters: {Word: {Type: String, Default: first}}
Conditions: {First: !Equals [!Ref Word, first]}
Resources:
  Account: {Type: AWS::ApiGateway::Account, Properties: {CloudWatchRoleArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/${Word}"}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: keyed}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      ApiKeyRequired: true
      MethodResponses: [{StatusCode: 200}]
      Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode": 200}'}, IntegrationResponses: [{StatusCode: 200}]}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Live: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: live, DeploymentId: !Ref Deployment}}
  Next: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: next, DeploymentId: !Ref Deployment}}
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: "true", Description: !Ref Word, Value: a-value-of-more-than-twenty, Tags: [{Key: word, Value: !Ref Word}]}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      Description: !Ref Word
      ApiStages:
        - {ApiId: !Ref Api, Stage: !If [First, !Ref Live, !Ref Next], Throttle: !If [First, !Ref "AWS::NoValue", {"//GET": {RateLimit: 0, BurstLimit: 0}}]}
      Quota: !If [First, {Limit: 1, Period: DAY}, !Ref "AWS::NoValue"]
      Throttle: {RateLimit: 100, BurstLimit: !If [First, 50, 60]}
      Tags: [{Key: word, Value: !Ref Word}]
  Member: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}}
Outputs:
  Address: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/"}
  Key: {Value: !GetAtt Key.APIKeyId}
  Plan: {Value: !GetAtt Plan.Id}
  Member: {Value: !Ref Member}
  Account: {Value: !GetAtt Account.Id}
`

func TestAStackHasKeysAndUsagePlans(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		s := create(t, p, "plans", planTemplate)
		is(t, p, s, types.StackStatusCreateComplete)
		client := apigateway.NewFromConfig(p.SDK())
		plan, key := valueOf(s, "Plan"), valueOf(s, "Key")
		get := func(stage string, status int, text string) {
			t.Helper()
			answers(t, p, "GET", valueOf(s, "Address")+stage+"/", status, text, "Content-Type", "application/json", "X-Api-Key", "a-value-of-more-than-twenty")
		}
		look := func(word string, burst int32) {
			t.Helper()
			k, err := client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: &key})
			if err != nil || !k.Enabled || *k.Description != word || k.Tags["word"] != word || !strings.HasPrefix(*k.Name, "plans-Key-") {
				t.Errorf("the key is %+v, %v", k, err)
			}
			u, err := client.GetUsagePlan(ctx, &apigateway.GetUsagePlanInput{UsagePlanId: &plan})
			if err != nil || *u.Description != word || u.Tags["word"] != word || u.Throttle.BurstLimit != burst || u.Throttle.RateLimit != 100 || (u.Quota != nil) != (word == "first") ||
				!strings.HasPrefix(*u.Name, "plans-Plan-") || len(u.ApiStages) != 1 {
				t.Errorf("the plan is %+v, %v", u, err)
			}
		}
		look("first", 50)
		if valueOf(s, "Member") != key+":"+plan || valueOf(s, "Account") == "" {
			t.Errorf("the outputs are %v", outputs(s))
		}
		get("live", 200, "")
		get("live", 429, "Limit Exceeded")
		get("next", 403, "Forbidden")

		s = update(t, p, "plans", planTemplate, "Word", "second")
		is(t, p, s, types.StackStatusUpdateComplete)
		look("second", 60)
		get("live", 403, "Forbidden")
		get("next", 429, "Too Many Requests")

		// An update that fails leaves all as it was.
		broken := strings.Replace(planTemplate, "RateLimit: 100", "RateLimit: -1", 1)
		is(t, p, update(t, p, "plans", broken, "Word", "first"), types.StackStatusUpdateRollbackComplete)
		look("second", 60)
		get("next", 429, "Too Many Requests")

		is(t, p, remove(t, p, s), types.StackStatusDeleteComplete)
		plans, err := client.GetUsagePlans(ctx, &apigateway.GetUsagePlansInput{})
		if err != nil || len(plans.Items) != 0 {
			t.Errorf("the plans are %+v, %v", plans, err)
		}
		if _, err := client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: aws.String(key)}); err == nil {
			t.Error("the key is still there")
		}
	})
}
