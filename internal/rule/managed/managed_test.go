package managed

import (
	"errors"
	"strings"
	"testing"

	"plumb/internal/config"
)

func loaded(tb testing.TB) *Catalogue {
	tb.Helper()
	c, err := Load()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestKnownRuleHasItsFacts(t *testing.T) {
	info, ok := loaded(t).Known("INCOMING_SSH_DISABLED")
	if !ok || info.DefaultName != "restricted-ssh" || info.Trigger != Both || !info.Evaluated ||
		len(info.Types) != 1 || info.Types[0] != "AWS::EC2::SecurityGroup" {
		t.Errorf("INCOMING_SSH_DISABLED is %+v", info)
	}
	if _, ok := loaded(t).Known("NO_SUCH_RULE"); ok {
		t.Error("NO_SUCH_RULE is known")
	}
}

func TestParametersAreCheckedWithAWSsTexts(t *testing.T) {
	c := loaded(t)
	for _, test := range []struct{ name, identifier, input, want string }{
		{"none are needed", "INCOMING_SSH_DISABLED", "", ""},
		{"an empty object", "INCOMING_SSH_DISABLED", "{}", ""},
		{"all is well", "LAMBDA_FUNCTION_SETTINGS_CHECK", `{"runtime":"python3.12","timeout":"3"}`, ""},
		{"a rule without an evaluator", "FMS_WEBACL_RESOURCE_POLICY_CHECK", `{"webACLId":"a"}`, ""},
		{"not JSON", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{x`, "Invalid json {x passed in the InputParameters field"},
		{"not an object", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `["a"]`, `Invalid json ["a"] passed in the InputParameters field`},
		{"unknown", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{"a":"1"}`, `Unknown parameters provided in the inputParameters: {"a":"1"}`},
		{"missing", "CLOUDWATCH_ALARM_RESOURCE_CHECK", `{}`,
			"The required parameter [metricName, resourceType] is not present in the inputParameters"},
		{"a number", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{"minDataRetentionInHours":90}`,
			`Blank spaces are not acceptable for input parameter: minDataRetentionInHours. InputParameters': '{"minDataRetentionInHours":90}'`},
		{"blank", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{"minDataRetentionInHours":" "}`,
			`Blank spaces are not acceptable for input parameter: minDataRetentionInHours. InputParameters': '{"minDataRetentionInHours":" "}'`},
		{"null", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{"minDataRetentionInHours":null}`,
			`Blank spaces are not acceptable for input parameter: minDataRetentionInHours. InputParameters': '{"minDataRetentionInHours":null}'`},
		{"not a number", "KINESIS_VIDEO_STREAM_MINIMUM_DATA_RETENTION", `{"minDataRetentionInHours":"old"}`,
			"The value old of the input parameter minDataRetentionInHours is not of type int"},
		{"not a truth", "VPC_SG_PORT_RESTRICTION_CHECK", `{"excludeExternalSecurityGroups":"maybe"}`,
			"The value maybe of the input parameter excludeExternalSecurityGroups is not of type boolean"},
		{"no such rule", "NO_SUCH_RULE", `{}`, "The sourceIdentifier NO_SUCH_RULE is invalid.  Please refer to the " +
			"documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner"},
	} {
		err := c.CheckParameters(test.identifier, test.input)
		var refusal Refusal
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%s: %v, where %q is expected", test.name, err, test.want)
		} else if err != nil && !errors.As(err, &refusal) {
			t.Errorf("%s: %T is no Refusal", test.name, err)
		}
	}
}

func TestRuleWithoutFileHasNoEvaluator(t *testing.T) {
	_, err := loaded(t).Evaluator("FMS_WEBACL_RESOURCE_POLICY_CHECK", `{}`)
	if !errors.Is(err, ErrNoEvaluator) || !strings.Contains(err.Error(), "FMS_WEBACL_RESOURCE_POLICY_CHECK") {
		t.Errorf("the error is %v", err)
	}
}

func TestEvaluatorIsMadeOnce(t *testing.T) {
	c := loaded(t)
	first, err := c.Evaluator("ENCRYPTED_VOLUMES", `{}`)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.Evaluator("ENCRYPTED_VOLUMES", `{}`); again != first {
		t.Error("a second evaluator was made for the same rule and parameters")
	}
	if other, _ := c.Evaluator("ENCRYPTED_VOLUMES", `{"kmsId":"1"}`); other == first {
		t.Error("other parameters gave the same evaluator")
	}
}

func TestGoneAndUnrecordedResourcesAreNotApplicable(t *testing.T) {
	e, err := loaded(t).Evaluator("INCOMING_SSH_DISABLED", "")
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]any{"ipPermissions": []any{map[string]any{
		"ipProtocol": "-1", "ipRanges": []any{"0.0.0.0/0"}}}}
	for status, want := range map[config.ItemStatus]config.Compliance{
		config.StatusOK: config.NonCompliant, config.StatusDiscovered: config.NonCompliant,
		config.StatusDeleted: config.NotApplicable, config.StatusNotRecorded: config.NotApplicable,
		config.StatusDeletedNotRecorded: config.NotApplicable,
	} {
		item := config.Item{Status: status, Configuration: open}
		item.Type = "AWS::EC2::SecurityGroup"
		if got, _, err := e.Evaluate(item, Beside()); got != want || err != nil {
			t.Errorf("%s: %s, %v, where %s is expected", status, got, err, want)
		}
	}
}
