package managed

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValuesOutsideOfAParametersDomainAreRefused(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		identifier string
		parameters map[string]string
		bad        string // the parameter that is refused; empty if all are taken
	}{
		{"EC2_TOKEN_HOP_LIMIT_CHECK", map[string]string{"tokenHopLimit": "0"}, "tokenHopLimit"},
		{"EC2_TOKEN_HOP_LIMIT_CHECK", map[string]string{"tokenHopLimit": "65"}, "tokenHopLimit"},
		{"EC2_TOKEN_HOP_LIMIT_CHECK", map[string]string{"tokenHopLimit": "64"}, ""},
		{"VPC_SG_PORT_RESTRICTION_CHECK", map[string]string{"protocolType": "ICMP"}, "protocolType"},
		{"VPC_SG_PORT_RESTRICTION_CHECK", map[string]string{"protocolType": "tcp"}, ""},
		{"VPC_SG_PORT_RESTRICTION_CHECK", map[string]string{"ipType": "v4"}, "ipType"},
		{"VPC_SG_PORT_RESTRICTION_CHECK", map[string]string{"restrictPorts": "22, 70000"}, "restrictPorts"},
		{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", map[string]string{"authorizedTcpPorts": "https"}, "authorizedTcpPorts"},
		{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", map[string]string{"authorizedTcpPorts": "90-80"}, "authorizedTcpPorts"},
		{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", map[string]string{"authorizedTcpPorts": "443, 1020-1025"}, ""},
		{"DESIRED_INSTANCE_TENANCY", map[string]string{"tenancy": "*"}, "tenancy"},
		{"DESIRED_INSTANCE_TENANCY", map[string]string{"tenancy": "dedicated"}, ""},
		{"S3_BUCKET_DEFAULT_LOCK_ENABLED", map[string]string{"mode": "strict"}, "mode"},
		{"LAMBDA_FUNCTION_APPLICATION_LOG_LEVEL_CHECK", map[string]string{"logLevel": "LOUD"}, "logLevel"},
		{"LAMBDA_FUNCTION_APPLICATION_LOG_LEVEL_CHECK", map[string]string{"logLevel": "INFO, DEBUG"}, ""},
		{"S3_BUCKET_REPLICATION_ENABLED", map[string]string{"ReplicationType": "none"}, "ReplicationType"},
		{"LAMBDA_CONCURRENCY_CHECK", map[string]string{"ConcurrencyLimitLow": "x"}, "ConcurrencyLimitLow"},
		{"LAMBDA_CONCURRENCY_CHECK", map[string]string{"ConcurrencyLimitLow": "0"}, "ConcurrencyLimitLow"},
		{"RESTRICTED_INCOMING_TRAFFIC", map[string]string{"blockedPort1": "70000"}, "blockedPort1"},
		{"RESTRICTED_INCOMING_TRAFFIC", map[string]string{"blockedPorts": "20-25"}, "blockedPorts"},
		{"S3_LIFECYCLE_POLICY_CHECK", map[string]string{"targetExpirationDays": "-1"}, "targetExpirationDays"},
		{"IAM_POLICY_BLACKLISTED_CHECK", map[string]string{"policyArns": "arn:x", "exceptionList": "nonsense"}, "exceptionList"},
		{"IAM_POLICY_BLACKLISTED_CHECK", map[string]string{"policyArns": "arn:x", "exceptionList": "users:[a; b]"}, "exceptionList"},
		{"IAM_POLICY_BLACKLISTED_CHECK", map[string]string{"policyArns": "arn:x", "exceptionList": "users:[a;b], groups:[c]"}, ""},
		{"EC2_VOLUME_INUSE_CHECK", map[string]string{"deleteOnTermination": "maybe"}, ""},
	} {
		text, err := json.Marshal(test.parameters)
		if err != nil {
			t.Fatal(err)
		}
		err = c.CheckParameters(test.identifier, string(text))
		if (err != nil) != (test.bad != "") || err != nil && !strings.Contains(err.Error(), "input parameter "+test.bad) {
			t.Errorf("%s %s: %v", test.identifier, text, err)
		}
	}
}

func TestOnlyTrueAndFalseAreBooleans(t *testing.T) {
	p := Parameter{Name: "p", Kind: "boolean"}
	for text, ok := range map[string]bool{"true": true, "False": true, " TRUE ": true, "1": false, "t": false, "0": false, "yes": false} {
		if _, err := p.value(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestADomainThatCannotBeReadIsNamedWithItsLine(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	const file = "identifier: X\ndescription: d\nresources: [AWS::S3::Bucket]\ntrigger: change\ncheck: \"true\"\nparameters:\n" +
		"  a: {type: String, pattern: \"(\"}\n  b: {type: int, min: low}\n  c: {type: String, values: [x], default: y}\n"
	_, err = c.ParseFile("x.yaml", []byte(file))
	for _, want := range []string{"x.yaml:7: pattern", "x.yaml:8: min", "x.yaml:9: the default"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
