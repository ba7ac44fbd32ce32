package policy

import "testing"

// public reads a policy of one Allow statement and more statements, and reports
// whether the first makes it public.
func public(t *testing.T, statement string, more ...string) bool {
	t.Helper()
	for _, m := range more {
		statement += "," + m
	}
	d := parse(t, statement)
	return d.PublicStatement(d.Statements[0])
}

func TestPublicIsWhomNoFixedValueTies(t *testing.T) {
	const allow = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"r","Principal":`
	for _, test := range []struct {
		name, rest string
		want       bool
	}{
		{"everybody", `"*"}`, true},
		{"everybody as AWS", `{"AWS":"*"}}`, true},
		{"everybody in a list", `{"AWS":["123456789012","*"]}}`, true},
		{"part of a wildcard", `{"AWS":"arn:aws:iam::*:root"}}`, true},
		{"one account", `{"AWS":"123456789012"}}`, false},
		{"a service", `{"Service":"sns.amazonaws.com"}}`, false},
		{"an account's condition", `"*","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"}}}`, false},
		{"if it exists", `"*","Condition":{"StringEqualsIfExists":{"aws:SourceAccount":"123456789012"}}}`, true},
		{"for all values, also of none", `"*","Condition":{"ForAllValues:StringEquals":{"aws:SourceAccount":"123456789012"}}}`, true},
		{"for any value", `"*","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}}}`, false},
		{"any organization", `"*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`, true},
		{"a variable", `"*","Condition":{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}}`, true},
		{"one value is open", `"*","Condition":{"StringLike":{"aws:SourceVpc":["vpc-1","*"]}}}`, true},
		{"not one account", `"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"123456789012"}}}`, true},
		{"a key that the caller chooses", `"*","Condition":{"StringEquals":{"aws:UserAgent":"secret"}}}`, true},
		{"addresses", `"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`, false},
		{"one address", `"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.7","2001:db8::1"]}}}`, false},
		{"half of all addresses", `"*","Condition":{"IpAddress":{"aws:SourceIp":"128.0.0.0/1"}}}`, true},
		{"no address", `"*","Condition":{"IpAddress":{"aws:SourceIp":"here"}}}`, true},
		{"an access point of an account", `"*","Condition":{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:123456789012:accesspoint/*"}}}`, false},
		{"an access point of any account", `"*","Condition":{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:*:accesspoint/x"}}}`, true},
	} {
		if got := public(t, allow+test.rest); got != test.want {
			t.Errorf("%s: public is %v", test.name, got)
		}
	}
	if public(t, `{"Effect":"Allow","Principal":"*","NotAction":"*","Resource":"*"}`) {
		t.Error("nothing for everybody is public")
	}
	if !public(t, `{"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},"Action":"s3:*","Resource":"*"}`) {
		t.Error("everybody but one account is not public")
	}
}

func TestDenyKeepsStrangersOut(t *testing.T) {
	const allow = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	for _, test := range []struct {
		name, deny string
		want       bool // public
	}{
		{"unless from a VPC", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, false},
		{"unless from addresses", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, false},
		{"unless of an organization, if it exists", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}}`, false},
		{"always", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, false},
		{"another action", `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, true},
		{"another resource", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/x/*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, true},
		{"one account only", `{"Effect":"Deny","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, true},
		{"unless one of two holds", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"},"Bool":{"aws:SecureTransport":"false"}}}`, true},
		{"those from a VPC", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`, true},
		{"all but one account", `{"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"*","Resource":"*"}`, false},
		{"all but some actions that are not allowed", `{"Effect":"Deny","Principal":"*","NotAction":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, false},
		{"another folder by its letters", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::B/*"}`, true},
		{"all but the actions that are allowed", `{"Effect":"Deny","Principal":"*","NotAction":"s3:Get*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}`, true},
	} {
		if got := public(t, allow, test.deny); got != test.want {
			t.Errorf("%s: public is %v", test.name, got)
		}
	}
}

func TestAllowsLooksAtActionsBothWays(t *testing.T) {
	for _, test := range []struct {
		statement, pattern string
		want               bool
	}{
		{`{"Effect":"Allow","Action":"s3:*"}`, "s3:GetObject", true},
		{`{"Effect":"Allow","Action":"s3:GetObject"}`, "s3:Get*", true},
		{`{"Effect":"Allow","Action":"s3:PutObject"}`, "s3:Get*", false},
		{`{"Effect":"Allow","NotAction":"s3:Put*"}`, "s3:Get*", true},
		{`{"Effect":"Allow","NotAction":"s3:*"}`, "s3:Get*", false},
		{`{"Effect":"Allow","NotAction":"s3:GetObject"}`, "s3:Get*", true},
		{`{"Effect":"Deny","Action":"s3:*"}`, "s3:GetObject", false},
	} {
		if got := parse(t, test.statement).Statements[0].Grants([]string{test.pattern}); got != test.want {
			t.Errorf("%s allows %s: %v", test.statement, test.pattern, got)
		}
	}
}

func TestGlobs(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"s3:*", "s3:GetObject", true}, {"s3:get*", "S3:GetObject", true}, {"s3:Get?bject", "s3:GetObject", true},
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*b*c", "aXbXbYc", true}, {"a*b", "a", false}, {"?", "", false},
	} {
		if got := MatchesFold(test.pattern, test.s); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.s, got)
		}
	}
}

func TestPatternsOverlapWhenSomeTextMatchesBoth(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"s3:*", "s3:Get*", true}, {"s3:Get*", "s3:*", true}, {"s3:G*", "s3:*Object", true}, {"*", "s3:GetObject", true},
		{"s3:Put*", "s3:Get*", false}, {"s3:GetObject", "s3:GetObject", true}, {"s3:Get?bject", "s3:GetO*", true},
		{"", "*", true}, {"", "a", false}, {"a*", "b*", false}, {"*a", "*b", false},
	} {
		if got := Overlaps(test.a, test.b); got != test.want {
			t.Errorf("%q overlaps %q is %v", test.a, test.b, got)
		}
	}
}
