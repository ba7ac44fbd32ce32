package realtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"plumb/internal/apptest"
)

// boto3Rule is a rule as its author writes it first: a client for each event, and
// AWS's defaults for everything.
const boto3Rule = `
import json
import boto3

def lambda_handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    boto3.client("config").put_evaluations(
        Evaluations=[{
            "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
            "ComplianceType": "COMPLIANT", "OrderingTimestamp": item["configurationItemCaptureTime"],
        }],
        ResultToken=event["resultToken"])
`

// TestABurstOfChangesLosesNoVerdict has many changes judged at once by a function
// with the time-out and the memory that AWS gives by default.
func TestABurstOfChangesLosesNoVerdict(t *testing.T) {
	needBoto3(t)
	const resources = 153
	p := apptest.Start(t)
	record(t, p)
	c := ruleCase{Rule: "burst.py", Types: []string{"AWS::EC2::Instance"}}
	function := "arn:aws:lambda:us-east-1:" + p.Account() + ":function:burst"
	_, err := p.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("burst"), Runtime: types.RuntimePython312, Handler: aws.String("rule.lambda_handler"),
		Role: aws.String("arn:aws:iam::" + p.Account() + ":role/rule"),
		Code: &types.FunctionCode{ZipFile: zipped(t, map[string][]byte{"rule.py": []byte(boto3Rule)})},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("burst"), StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var items []fixture
	for i := range resources {
		items = append(items, fixture{Type: "AWS::EC2::Instance", ID: fmt.Sprintf("i-%03d", i), Configuration: map[string]any{"n": i}})
	}
	push(t, p, items)
	p.Drain(t)
	began := time.Now()
	putRule(t, p, c, function)
	p.Drain(t)
	t.Logf("%d verdicts %s after the rule was put", resources, time.Since(began).Round(time.Millisecond))
	if n := len(verdicts(t, p, c.name())); n != resources {
		t.Errorf("%d verdicts, want %d; last error %q", n, resources, lastError(t, p, c.name()))
	}
	if text := lastError(t, p, c.name()); text != "" {
		t.Errorf("the last error is %q", text)
	}
}
