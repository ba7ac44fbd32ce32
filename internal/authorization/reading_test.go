package authorization

import (
	"reflect"
	"slices"
	"testing"

	"plumb/internal/caller"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/model/iotapi"
)

func TestAPathLeadsThroughListsToTheirMembers(t *testing.T) {
	in := iotapi.CreateTopicRuleInput{TopicRulePayload: &iotapi.TopicRulePayload{Actions: []iotapi.Action{
		{Sns: &iotapi.SnsAction{RoleArn: new("a")}}, {Lambda: &iotapi.LambdaAction{}}, {Sns: &iotapi.SnsAction{RoleArn: new("b")}},
	}}}
	got := reading{in: reflect.ValueOf(in)}.texts("TopicRulePayload.Actions.Sns.RoleArn")
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the roles are %v", got)
	}
}

// A role that is given in a patch is handed over as one that is given at first.
func TestTheRoleOfAPatchIsHandedOver(t *testing.T) {
	in := apigatewayapi.UpdateAuthorizerInput{PatchOperations: []apigatewayapi.PatchOperation{
		{Op: apigatewayapi.OpReplace, Path: new("/name"), Value: new("n")}, {Op: apigatewayapi.OpReplace, Path: new("/authorizerCredentials"), Value: new("arn:aws:iam::111111111111:role/a")},
		{Op: apigatewayapi.OpAdd, Path: new("authorizerCredentials"), Value: new("arn:aws:iam::222222222222:role/b")}, {Op: apigatewayapi.OpRemove, Path: new("/authorizerCredentials")},
	}}
	r := reading{in: reflect.ValueOf(in), c: caller.Caller{Account: "111111111111"}}
	var got []string
	for _, q := range services["apigateway"].asks(r, "apigateway", "UpdateAuthorizer", false) {
		if q.Action == "iam:PassRole" {
			got = append(got, q.Resource)
		}
	}
	if !slices.Equal(got, []string{"arn:aws:iam::111111111111:role/a", "arn:aws:iam::222222222222:role/b"}) {
		t.Errorf("the roles are %v", got)
	}
	if !services["apigateway"].passesForeign(r, "UpdateAuthorizer") {
		t.Error("the role of another account may be handed over")
	}
	if other := (reading{in: reflect.ValueOf(apigatewayv2api.UpdateAuthorizerInput{})}); len(other.patched("authorizerCredentials")) > 0 {
		t.Error("an HTTP API has roles in patches")
	}
}
