package realtest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestASecurityGroupThatMotoHoldsIsPutRight has an automatic remediation close a
// group of moto's server that is open to the world, and reads every state through
// the AWS CLI. A document that asks for what is not there fails as it does on AWS.
func TestASecurityGroupThatMotoHoldsIsPutRight(t *testing.T) {
	t.Parallel()
	needTool(t, "aws")
	moto := startMoto(t)
	group := boto3(t, "cloud.py", moto)["sg_ssh"]
	s := serve(t, "--target", moto)
	s.aws(t, "configservice", "subscribe", "--s3-bucket", "delivered", "--sns-topic", "published", "--iam-role", configRole)
	s.aws(t, "configservice", "put-config-rule", "--config-rule", `{"ConfigRuleName": "ssh", "Source": {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}}`)
	s.drain(t)
	if got := verdictOf(t, s, group); got != "NON_COMPLIANT" {
		t.Fatalf("the group is %s at first", got)
	}

	remediate(t, s, "AWS-ReleaseElasticIP", "AllocationId", false)
	s.aws(t, "configservice", "start-remediation-execution", "--config-rule-name", "ssh", "--resource-keys", "resourceType=AWS::EC2::SecurityGroup,resourceId="+group)
	s.drain(t)
	if state, steps := executed(t, s, group); state != "FAILED" || !strings.Contains(steps, "FAILED") || !strings.Contains(steps, "InvalidAllocationID") {
		t.Errorf("a document for something else: %s %s", state, steps)
	}
	if got := verdictOf(t, s, group); got != "NON_COMPLIANT" {
		t.Errorf("the group is %s after it", got)
	}

	remediate(t, s, "AWS-DisablePublicAccessForSecurityGroup", "GroupId", true)
	s.drain(t)
	s.later(t, "61s")
	state, steps := executed(t, s, group)
	if state != "SUCCEEDED" || !strings.Contains(steps, "DisableSSHFromIpV4 SUCCEEDED") {
		t.Errorf("the document: %s %s", state, steps)
	}
	if items := history(t, s, "AWS::EC2::SecurityGroup", group); len(items) != 2 || slices.ContainsFunc(items[0].ingress(t), isOpenSSH) || !slices.ContainsFunc(items[1].ingress(t), isOpenSSH) {
		t.Errorf("the items of the group: %+v", items)
	}
	if got := verdictOf(t, s, group); got != "COMPLIANT" {
		t.Errorf("the group is %s in the end", got)
	}
}

const configRole = "arn:aws:iam::123456789012:role/config"

// remediate has resources of the rule put right by a document.
func remediate(t *testing.T, s served, document, parameter string, automatic bool) {
	t.Helper()
	text, err := json.Marshal([]any{map[string]any{
		"ConfigRuleName": "ssh", "TargetType": "SSM_DOCUMENT", "TargetId": document, "Automatic": automatic, "MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60,
		"Parameters": map[string]any{
			parameter:              map[string]any{"ResourceValue": map[string]any{"Value": "RESOURCE_ID"}},
			"AutomationAssumeRole": map[string]any{"StaticValue": map[string]any{"Values": []string{configRole}}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ FailedBatches []any }
	s.query(t, &out, "configservice", "put-remediation-configurations", "--remediation-configurations", string(text))
	if len(out.FailedBatches) > 0 {
		t.Fatal(out)
	}
}

// executed returns how the last execution for a group ended, and its steps.
func executed(t *testing.T, s served, group string) (state, steps string) {
	t.Helper()
	var out []struct {
		ResourceKey struct{ ResourceID string }
		State       string
		StepDetails []struct{ Name, State, ErrorMessage string }
	}
	s.query(t, &out, "configservice", "describe-remediation-execution-status", "--config-rule-name", "ssh", "--query", "RemediationExecutionStatuses")
	for _, e := range out {
		if e.ResourceKey.ResourceID != group {
			continue
		}
		for _, d := range e.StepDetails {
			steps += d.Name + " " + d.State + " " + d.ErrorMessage + "\n"
		}
		return e.State, steps
	}
	return "none", ""
}

func verdictOf(t *testing.T, s served, group string) string {
	t.Helper()
	var out string
	s.query(t, &out, "configservice", "describe-compliance-by-resource", "--resource-type", "AWS::EC2::SecurityGroup", "--resource-id", group,
		"--query", "ComplianceByResources[0].Compliance.ComplianceType")
	return out
}

func (it item) ingress(t *testing.T) []map[string]any {
	t.Helper()
	var group struct{ IPPermissions []map[string]any }
	if err := json.Unmarshal([]byte(it.Configuration), &group); err != nil {
		t.Fatal(err)
	}
	return group.IPPermissions
}

func isOpenSSH(p map[string]any) bool {
	ranges, _ := p["ipRanges"].([]any)
	return p["fromPort"] == 22.0 && slices.Contains(ranges, any("0.0.0.0/0"))
}
