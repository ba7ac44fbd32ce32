package rules_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/rule/managed"
)

var update = flag.Bool("update", false, "write the tables of verdicts anew; then read them")

// A case of a shared table, and which rules say NON_COMPLIANT of it.
type tableCase struct {
	name, text string
}

// Every rule that reads policies has a verdict on each policy of the table, and
// every rule that reads security groups on each group. The tables are read by
// people: a verdict that changes shows in them.
func TestRulesAgreeWithTheSharedTableOfPolicies(t *testing.T) {
	checkTable(t, "testdata/policies.txt", policyCases, []tableRule{
		{"S3_BUCKET_PUBLIC_READ_PROHIBITED", "", bucketItem}, {"S3_BUCKET_PUBLIC_WRITE_PROHIBITED", "", bucketItem},
		{"S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED", `{"blacklistedActionPattern":"s3:DeleteObject"}`, bucketItem},
		{"S3_BUCKET_SSL_REQUESTS_ONLY", "", bucketItem}, {"S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", "", bucketItem},
		{"S3_BUCKET_POLICY_GRANTEE_CHECK", `{"awsPrincipals":"123456789012"}`, bucketItem},
		{"SNS_TOPIC_NO_PUBLIC_ACCESS", "", attributeItem("AWS::SNS::Topic")}, {"SQS_QUEUE_NO_PUBLIC_ACCESS", "", attributeItem("AWS::SQS::Queue")},
		{"SQS_QUEUE_POLICY_FULL_ACCESS_CHECK", "", attributeItem("AWS::SQS::Queue")}, {"LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", "", functionItem},
		{"IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", "", policyItem}, {"IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS", "", policyItem},
		{"IAM_CUSTOMER_POLICY_BLOCKED_KMS_ACTIONS", `{"blockedActionsPatterns":"kms:Decrypt"}`, policyItem},
	})
}

func TestRulesAgreeWithTheSharedTableOfSecurityGroups(t *testing.T) {
	checkTable(t, "testdata/security-groups.txt", groupCases, []tableRule{
		{"INCOMING_SSH_DISABLED", "", groupItem}, {"RESTRICTED_INCOMING_TRAFFIC", "", groupItem},
		{"VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", `{"authorizedTcpPorts":"443"}`, groupItem},
		{"VPC_SG_PORT_RESTRICTION_CHECK", "", groupItem}, {"VPC_DEFAULT_SECURITY_GROUP_CLOSED", "", groupItem},
	})
}

type tableRule struct {
	identifier, parameters string
	item                   func(text string) (config.Item, error)
}

func checkTable(t *testing.T, path string, cases []tableCase, list []tableRule) {
	t.Helper()
	c := catalogue(t)
	var b strings.Builder
	for _, tc := range cases {
		fmt.Fprintf(&b, "%s\n  %s\n", tc.name, tc.text)
		for _, compliance := range []config.Compliance{config.NonCompliant, config.NotApplicable, config.InsufficientData} {
			if names := saying(t, c, list, tc, compliance); len(names) > 0 {
				fmt.Fprintf(&b, "  %s: %s\n", compliance, strings.Join(names, " "))
			}
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != b.String() {
		t.Errorf("%s says otherwise; go test ./rules -run Table -update, and read the difference:\n%s", path, firstDifference(string(kept), b.String()))
	}
}

// saying returns the rules whose verdict on a case is that one.
func saying(t *testing.T, c *managed.Catalogue, list []tableRule, tc tableCase, compliance config.Compliance) []string {
	t.Helper()
	var names []string
	for _, r := range list {
		evaluator, err := c.Evaluator(r.identifier, r.parameters)
		if err != nil {
			t.Fatal(err)
		}
		item, err := r.item(tc.text)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if got, _, _ := evaluator.Evaluate(item, managed.Beside()); got == compliance {
			names = append(names, r.identifier)
		}
	}
	return names
}

func firstDifference(a, b string) string {
	before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range after {
		if i >= len(before) || before[i] != after[i] {
			return fmt.Sprintf("line %d: %s", i+1, after[i])
		}
	}
	return "the end"
}

func itemOf(kind string) config.Item {
	return config.Item{
		ResourceKey: config.ResourceKey{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Type: kind, ID: "b"},
		Name:        "b", Status: config.StatusOK, Configuration: map[string]any{}, Supplementary: map[string]any{},
	}
}

func bucketItem(text string) (config.Item, error) {
	it := itemOf("AWS::S3::Bucket")
	it.Supplementary["BucketPolicy"] = map[string]any{"policyText": text}
	return it, nil
}

func attributeItem(kind string) func(string) (config.Item, error) {
	return func(text string) (config.Item, error) {
		it := itemOf(kind)
		it.Configuration = map[string]any{"Policy": text}
		return it, nil
	}
}

func functionItem(text string) (config.Item, error) {
	it := itemOf("AWS::Lambda::Function")
	it.Supplementary["Policy"] = text
	return it, nil
}

func policyItem(text string) (config.Item, error) {
	it := itemOf("AWS::IAM::Policy")
	it.Configuration = map[string]any{"policyVersionList": []any{map[string]any{"isDefaultVersion": true, "document": text}}}
	return it, nil
}

func groupItem(text string) (config.Item, error) {
	var permissions any
	if err := yaml.Unmarshal([]byte(text), &permissions); err != nil {
		return config.Item{}, err
	}
	body, err := json.Marshal(map[string]any{"groupName": "default", "ipPermissions": permissions, "ipPermissionsEgress": []any{}})
	if err != nil {
		return config.Item{}, err
	}
	it := itemOf("AWS::EC2::SecurityGroup")
	it.Configuration, err = config.Decode(body)
	return it, err
}

func statement(effect, who, actions, resources, condition string) string {
	text := `{"Effect":"` + effect + `"`
	for _, part := range []string{who, actions, resources} {
		if part != "" {
			text += "," + part
		}
	}
	if condition != "" {
		text += `,"Condition":` + condition
	}
	return text + "}"
}

func document(statements ...string) string {
	return `{"Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	everybody = `"Principal":"*"`
	anything  = `"Action":"*"`
	anywhere  = `"Resource":"*"`
)

// one returns a case of one Allow statement to everybody for everything, with
// some elements of it replaced.
func one(name, who, actions, resources, condition string) tableCase {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	return tableCase{name, document(statement("Allow", or(who, everybody), or(actions, anything), or(resources, anywhere), condition))}
}

var policyCases = slices.Concat(principalCases, actionCases, conditionCases, denyCases)

var principalCases = []tableCase{
	{"no statement", document()},
	one("everybody", "", "", "", ""),
	one("everybody as an AWS principal", `"Principal":{"AWS":"*"}`, "", "", ""),
	one("everybody in a list", `"Principal":{"AWS":["123456789012","*"]}`, "", "", ""),
	one("the own account", `"Principal":{"AWS":"arn:aws:iam::123456789012:root"}`, "", "", ""),
	one("another account", `"Principal":{"AWS":"210987654321"}`, "", "", ""),
	one("a part of an ARN", `"Principal":{"AWS":"arn:aws:iam::*:root"}`, "", "", ""),
	one("nobody's name", `"Principal":{"AWS":""}`, "", "", ""),
	one("all but one account", `"NotPrincipal":{"AWS":"210987654321"}`, "", "", ""),
	one("a canonical user", `"Principal":{"CanonicalUser":"79a59df900b949e5"}`, "", "", ""),
	one("a federated user", `"Principal":{"Federated":"arn:aws:iam::210987654321:saml-provider/p"}`, "", "", ""),
	one("a service", `"Principal":{"Service":"s3.amazonaws.com"}`, "", "", ""),
}

var actionCases = []tableCase{
	one("reading", "", `"Action":["s3:GetObject","sqs:ReceiveMessage","kms:DescribeKey"]`, "", ""),
	one("writing, whatever the case", "", `"Action":["S3:putobject","s3:DELETEobject"]`, "", ""),
	one("one service by its star", "", `"Action":["s3:*","sqs:*"]`, "", ""),
	one("one letter of actions", "", `"Action":["s3:?","sqs:?"]`, "", ""),
	one("all actions by two stars", "", `"Action":"*:*"`, "", ""),
	one("all actions but those of one service", "", `"NotAction":"iam:*"`, "", ""),
	one("all actions but all", "", `"NotAction":"*"`, "", ""),
	one("all resources but one", "", "", `"NotResource":"arn:aws:s3:::b/secret"`, ""),
	one("all resources but all of a partition", "", "", `"NotResource":"arn:aws:*"`, ""),
	one("one object", "", `"Action":"s3:GetObject"`, `"Resource":"arn:aws:s3:::b/k"`, ""),
	one("all resources of a partition", "", "", `"Resource":"arn:aws:*"`, ""),
	one("the keys of one region", "", `"Action":"kms:*"`, `"Resource":"arn:aws:kms:us-east-1:123456789012:key/*"`, ""),
}

var conditionCases = []tableCase{
	one("of one account", "", "", "", `{"StringEquals":{"aws:SourceAccount":"123456789012"}}`),
	one("of one account, whatever the case of the operator", "", "", "", `{"stringequals":{"AWS:SOURCEACCOUNT":"123456789012"}}`),
	one("of an organization", "", "", "", `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`),
	one("of any organization", "", "", "", `{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`),
	one("not of one account", "", "", "", `{"StringNotEquals":{"aws:SourceAccount":"123456789012"}}`),
	one("of one account, if it says one", "", "", "", `{"StringEqualsIfExists":{"aws:SourceAccount":"123456789012"}}`),
	one("of one account, for all values", "", "", "", `{"ForAllValues:StringEquals":{"aws:SourceAccount":"123456789012"}}`),
	one("of the caller's own account", "", "", "", `{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}`),
	one("with a source account", "", "", "", `{"Null":{"aws:SourceAccount":"false"}}`),
	one("by a key that the caller chooses", "", "", "", `{"StringEquals":{"aws:UserAgent":"secret"}}`),
	one("from some addresses", "", "", "", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`),
	one("from half of all addresses", "", "", "", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`),
	one("from all but some addresses", "", "", "", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`),
	one("over TLS", "", "", "", `{"Bool":{"aws:SecureTransport":"true"}}`),
}

var denyCases = []tableCase{
	{"denied to everybody", document(statement("Allow", everybody, anything, anywhere, ""), statement("Deny", everybody, anything, anywhere, ""))},
	{"denied to all but one account", document(statement("Allow", everybody, anything, anywhere, ""), statement("Deny", `"NotPrincipal":{"AWS":"123456789012"}`, anything, anywhere, ""))},
	{"denied unless from a VPC", document(statement("Allow", everybody, anything, anywhere, ""), statement("Deny", everybody, anything, anywhere, `{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`))},
	{"denied from a VPC", document(statement("Allow", everybody, anything, anywhere, ""), statement("Deny", everybody, anything, anywhere, `{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`))},
	{"denied all actions but reading", document(statement("Allow", everybody, `"Action":["s3:DeleteObject","kms:Decrypt"]`, anywhere, ""), statement("Deny", everybody, `"NotAction":"s3:Get*"`, anywhere, ""))},
	{"denied on a folder of other letters", document(statement("Allow", everybody, `"Action":"s3:GetObject"`, `"Resource":"arn:aws:s3:::b/A/*"`, ""), statement("Deny", everybody, anything, `"Resource":"arn:aws:s3:::b/a/*"`, ""))},
	{"denied without TLS", document(statement("Deny", everybody, anything, anywhere, `{"Bool":{"aws:SecureTransport":"false"}}`))},
	{"denied without encryption", document(statement("Deny", everybody, `"Action":"s3:PutObject"`, anywhere, `{"Null":{"s3:x-amz-server-side-encryption":"true"}}`))},
}

var groupCases = []tableCase{
	{"closed", `[]`},
	{"SSH to private addresses", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: [10.0.0.0/8]}]`},
	{"SSH to everybody", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: [0.0.0.0/0]}]`},
	{"SSH to everybody, in the newer form", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, ipv4Ranges: [{cidrIp: 0.0.0.0/0}]}]`},
	{"SSH to all of IPv6", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, ipv6Ranges: [{cidrIpv6: "::/0"}]}]`},
	{"SSH to both halves of IPv4", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: [0.0.0.0/1, 128.0.0.0/1]}]`},
	{"SSH to another group", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, userIdGroupPairs: [{groupId: sg-1}]}]`},
	{"SSH to a prefix list", `[{ipProtocol: tcp, fromPort: 22, toPort: 22, prefixListIds: [{prefixListId: pl-1}]}]`},
	{"SSH within a range", `[{ipProtocol: tcp, fromPort: 20, toPort: 25, ipRanges: [0.0.0.0/0]}]`},
	{"all ports of TCP", `[{ipProtocol: tcp, fromPort: 0, toPort: 65535, ipRanges: [0.0.0.0/0]}]`},
	{"TCP without ports", `[{ipProtocol: tcp, ipRanges: [0.0.0.0/0]}]`},
	{"TCP by its number", `[{ipProtocol: "6", fromPort: 22, toPort: 22, ipRanges: [0.0.0.0/0]}]`},
	{"TCP in capitals", `[{ipProtocol: TCP, fromPort: 3389, toPort: 3389, ipRanges: [0.0.0.0/0]}]`},
	{"all traffic", `[{ipProtocol: "-1", ipRanges: [0.0.0.0/0]}]`},
	{"all traffic within the group", `[{ipProtocol: "-1", userIdGroupPairs: [{groupId: sg-1}]}]`},
	{"ping", `[{ipProtocol: icmp, fromPort: 8, toPort: -1, ipRanges: [0.0.0.0/0]}]`},
	{"UDP on the port of SSH", `[{ipProtocol: udp, fromPort: 22, toPort: 22, ipRanges: [0.0.0.0/0]}]`},
	{"HTTPS to everybody", `[{ipProtocol: tcp, fromPort: 443, toPort: 443, ipRanges: [0.0.0.0/0]}]`},
	{"HTTPS to everybody, SSH to few", `[{ipProtocol: tcp, fromPort: 443, toPort: 443, ipRanges: [0.0.0.0/0]}, {ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: [10.0.0.0/8]}]`},
	{"FTP to everybody", `[{ipProtocol: tcp, fromPort: 20, toPort: 21, ipRanges: [0.0.0.0/0]}]`},
	{"a permission alone, not in a list", `{ipProtocol: tcp, fromPort: 22, toPort: 22, ipRanges: 0.0.0.0/0}`},
}
