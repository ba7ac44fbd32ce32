package app_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"plumb/internal/apptest"
)

// A stack is made with the rights of who asks for it, and a role is used by nobody
// who may not pass it on.
func TestAStackDoesNoMoreThanWhoAsksForIt(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx := t.Context()
	user := signing(t, p, "AKIAALICE", "maker", allowing("cloudformation:*", "arn:aws:cloudformation:us-east-1:111111111111:stack/mine/*"))
	body := func(queue string) *string {
		return new("Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: " + queue + "}}}")
	}

	_, err := user.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{StackName: new("other"), TemplateBody: body("q")})
	if !refusedFor(err) || !strings.Contains(err.Error(), "stack/other/*") {
		t.Errorf("another stack: %v", err)
	}
	_, err = user.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{StackName: new("mine"), TemplateBody: body("q"),
		RoleARN: new("arn:aws:iam::111111111111:role/admin")})
	if !refusedFor(err) || !strings.Contains(err.Error(), "iam:PassRole") {
		t.Errorf("a role: %v", err)
	}
	if _, err = user.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{StackName: new("mine"), TemplateBody: body("q")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Signing("AKIAALICE", "any").CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{StackName: new("roots"), TemplateBody: body("r")}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	for name, want := range map[string]string{"mine": "ROLLBACK_COMPLETE", "roots": "CREATE_COMPLETE"} {
		out, err := p.Signing("AKIAALICE", "any").CloudFormation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil || string(out.Stacks[0].StackStatus) != want {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}
