package model_test

import (
	"strings"
	"testing"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
)

// failure checks an input the way the wire does.
func failure(t *testing.T, r *model.Registry, operation string, in any) string {
	t.Helper()
	route, ok := r.Route(operation)
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	c := r.NewChecker()
	route.Check(in, c)
	err := c.Err()
	if err == nil {
		return ""
	}
	return err.Error()
}

func expectFailure(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func bound() (config, lambda *model.Registry) {
	c, l := configapi.NewService(), lambdaapi.NewService()
	c.PutEvaluations(nil)
	c.PutConfigurationRecorder(nil)
	c.ListDiscoveredResources(nil)
	c.TagResource(nil)
	l.CreateFunction(nil)
	l.UntagResource(nil)
	return c.Registry(), l.Registry()
}

func TestListElementsAreCountedFromOne(t *testing.T) {
	config, _ := bound()
	e := configapi.Evaluation{
		ComplianceResourceType: new("AWS::EC2::VPC"), ComplianceResourceId: new("vpc-1"),
		ComplianceType: configapi.ComplianceTypeCompliant,
	}
	bad := e
	bad.Annotation = new(strings.Repeat("x", 257))
	got := failure(t, config, "PutEvaluations", &configapi.PutEvaluationsInput{
		Evaluations: []configapi.Evaluation{e, bad}, ResultToken: new("t"),
	})
	expectFailure(t, got, "ValidationException: 3 validation errors detected: Value null at "+
		"'evaluations.1.member.orderingTimestamp' failed to satisfy constraint: Member must not be null; "+
		"Value '"+*bad.Annotation+"' at 'evaluations.2.member.annotation' failed to satisfy constraint: "+
		"Member must have length less than or equal to 256; Value null at 'evaluations.2.member.orderingTimestamp' "+
		"failed to satisfy constraint: Member must not be null")
}

func TestALongListPrintsItsStructuresAsAWSDoes(t *testing.T) {
	config, _ := bound()
	got := failure(t, config, "PutEvaluations", &configapi.PutEvaluationsInput{
		Evaluations: make([]configapi.Evaluation, 101), ResultToken: new("t"),
	})
	if !strings.Contains(got, ", com.amazonaws.starling.dove.Evaluation@") ||
		!strings.Contains(got, "]' at 'evaluations' failed to satisfy constraint: Member must have length less than or equal to 100;") {
		t.Errorf("got %.300s", got)
	}
}

func TestAListIsBlamedForItsElements(t *testing.T) {
	config, lambda := bound()
	got := failure(t, config, "PutConfigurationRecorder", &configapi.PutConfigurationRecorderInput{
		ConfigurationRecorder: &configapi.ConfigurationRecorder{RecordingGroup: &configapi.RecordingGroup{
			ResourceTypes: []configapi.ResourceType{"AWS::EC2::VPC", "AWS::EC2::Cloud"},
		}},
	})
	want := "ValidationException: 1 validation error detected: Value '[AWS::EC2::VPC, AWS::EC2::Cloud]' at " +
		"'configurationRecorder.recordingGroup.resourceTypes' failed to satisfy constraint: Member must satisfy constraint: " +
		"[Member must satisfy enum value set: [AWS::EC2::CustomerGateway, "
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "]]") {
		t.Errorf("got %.400s", got)
	}
	in := &lambdaapi.CreateFunctionInput{
		FunctionName: new("f"), Role: new("arn:aws:iam::123456789012:role/r"), Code: &lambdaapi.FunctionCode{},
		Architectures: []lambdaapi.Architecture{"sparc"}, Runtime: "cobol",
	}
	expectFailure(t, failure(t, lambda, "CreateFunction", in), "ValidationException: 1 validation error detected: "+
		"Value '[sparc]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "+
		"[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
}

func TestCustomResourceTypesAreTaken(t *testing.T) {
	config, _ := bound()
	for typ, ok := range map[configapi.ResourceType]bool{
		"AWS::EC2::VPC": true, "Org::Team::Thing": true, "Thing": false, "A::B::C": false,
	} {
		got := failure(t, config, "ListDiscoveredResources", &configapi.ListDiscoveredResourcesInput{ResourceType: typ})
		if (got == "") != ok {
			t.Errorf("%s: %.200s", typ, got)
		}
	}
}

func TestRequiredMembersAreNamedInLowerCamel(t *testing.T) {
	_, lambda := bound()
	got := failure(t, lambda, "UntagResource", &lambdaapi.UntagResourceInput{
		Resource: new("arn:aws:lambda:eu-west-1:123456789012:function:f"),
	})
	expectFailure(t, got, "ValidationException: 1 validation error detected: Value null at 'tagKeys' failed to satisfy "+
		"constraint: Member must not be null")
}

func TestMapsAreBlamedForKeysAndValues(t *testing.T) {
	_, lambda := bound()
	in := &lambdaapi.CreateFunctionInput{
		FunctionName: new("f"), Role: new("arn:aws:iam::123456789012:role/r"), Code: &lambdaapi.FunctionCode{},
		Environment: &lambdaapi.Environment{Variables: map[string]string{"9": "secret"}},
	}
	got := failure(t, lambda, "CreateFunction", in)
	if !strings.Contains(got, "'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "+
		"[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+") || strings.Contains(got, "secret") {
		t.Errorf("got %s", got)
	}
}

func TestAValidInputCostsNoAllocation(t *testing.T) {
	config, _ := bound()
	route, _ := config.Route("TagResource")
	in := &configapi.TagResourceInput{
		ResourceArn: new("arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-abcdef"),
		Tags:        []configapi.Tag{{Key: new("k"), Value: new("v")}},
	}
	c := config.NewChecker()
	route.Check(in, c)
	if n := testing.AllocsPerRun(100, func() { route.Check(in, c) }); n > 0 || c.Err() != nil {
		t.Errorf("%v allocations, %v", n, c.Err())
	}
}
