package realtest

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
)

// TestAPublicRulesVerdictFollowsTheResource changes a resource, and then removes it.
func TestAPublicRulesVerdictFollowsTheResource(t *testing.T) {
	needCheckout(t, rulesVariable)
	needBoto3(t)
	p := apptest.Start(t)
	record(t, p)
	c := ruleCase{Rule: "python/ec2_desired_instance_type.py", Types: []string{"AWS::EC2::Instance"},
		Parameters: map[string]string{"desiredInstanceType": "t3.micro"}}
	putRule(t, p, c, putFunction(t, p, c))
	of := func(kind string) []fixture {
		return []fixture{{Type: "AWS::EC2::Instance", ID: "i-1", Configuration: map[string]any{"instanceType": kind}}}
	}
	says := func(want map[string]string) {
		t.Helper()
		p.Drain(t)
		if got := verdicts(t, p, c.name()); !maps.Equal(got, want) {
			t.Errorf("verdicts %v, want %v", got, want)
		}
	}
	push(t, p, of("m5.large"))
	says(map[string]string{"AWS::EC2::Instance i-1": "NON_COMPLIANT"})
	push(t, p, of("t3.micro"))
	says(map[string]string{"AWS::EC2::Instance i-1": "COMPLIANT"})
	_, err := p.Config().DeleteResourceConfig(t.Context(), &configservice.DeleteResourceConfigInput{
		ResourceType: new("AWS::EC2::Instance"), ResourceId: new("i-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	says(map[string]string{})
}
