package policy_test

import (
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/rule/policy"
	"plumb/internal/rule/view"
)

const text = `
let status = ['ACTIVE']

rule tableisactive when resourceType == "AWS::DynamoDB::Table" {
    configuration.tableStatus == %status
}

rule checkcompliance when resourceType == "AWS::DynamoDB::Table" tableisactive {
    let pitr = supplementaryConfiguration.ContinuousBackupsDescription.pointInTimeRecoveryDescription.pointInTimeRecoveryStatus
    %pitr == "ENABLED"
}
`

func table(resourceType, status, pitr string) config.Item {
	return config.Item{
		ResourceKey:   config.ResourceKey{Place: config.Place{Account: "123456789012", Region: "eu-west-1"}, Type: resourceType, ID: "t"},
		Status:        config.StatusOK,
		Configuration: map[string]any{"tableStatus": status},
		Supplementary: map[string]any{"ContinuousBackupsDescription": map[string]any{
			"pointInTimeRecoveryDescription": map[string]any{"pointInTimeRecoveryStatus": pitr}}},
	}
}

func compile(t *testing.T, text, parameters string) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(config.Rule{Name: "r", InputParameters: parameters, Source: config.Source{Policy: &config.Policy{Text: text}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPassFailAndSkipAreTheThreeVerdicts(t *testing.T) {
	p := compile(t, text, "")
	for _, c := range []struct {
		item config.Item
		want config.Compliance
	}{
		{table("AWS::DynamoDB::Table", "ACTIVE", "ENABLED"), config.Compliant},
		{table("AWS::DynamoDB::Table", "ACTIVE", "DISABLED"), config.NonCompliant},
		{table("AWS::S3::Bucket", "ACTIVE", "ENABLED"), config.NotApplicable},
	} {
		got, annotation, err := p.Evaluate(c.item, view.Fixed{At: time.Now()})
		if err != nil || got != c.want {
			t.Errorf("%s %v: got %s (%s), %v, want %s", c.item.Type, c.item.Supplementary, got, annotation, err, c.want)
		}
		if got == config.NonCompliant && annotation != "Failed rules: checkcompliance" {
			t.Errorf("annotation is %q", annotation)
		}
	}
}

func TestParametersStandBesideTheItem(t *testing.T) {
	p := compile(t, `rule r { configuration.tableStatus == CONFIG_RULE_PARAMETERS.status }`, `{"status":"ACTIVE"}`)
	got, _, err := p.Evaluate(table("AWS::DynamoDB::Table", "ACTIVE", ""), view.Fixed{})
	if err != nil || got != config.Compliant {
		t.Fatalf("got %s, %v", got, err)
	}
}

func TestRuleWrittenForATemplateDoesNotApplyToAnItem(t *testing.T) {
	p := compile(t, `AWS::DynamoDB::Table { Properties.BillingMode == "PROVISIONED" }`, "")
	got, annotation, err := p.Evaluate(table("AWS::DynamoDB::Table", "ACTIVE", ""), view.Fixed{})
	if err != nil || got != config.NotApplicable {
		t.Errorf("got %s %s, %v", got, annotation, err)
	}
}
