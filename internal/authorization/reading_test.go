package authorization

import (
	"reflect"
	"slices"
	"testing"

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
