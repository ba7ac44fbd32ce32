package policy

import (
	"strings"
	"testing"
)

func TestOnePatternCoversAnotherWhenItMatchesAllThatTheOtherMatches(t *testing.T) {
	for _, test := range []struct {
		outer, inner string
		want         bool
	}{
		{"*", "", true}, {"*", "s3:*", true}, {"s3:*", "s3:Get*", true}, {"s3:Get*", "s3:*", false}, {"s3:*", "*", false},
		{"a?c", "abc", true}, {"a?c", "a*c", false}, {"a*c", "a?c", true}, {"*?", "?*", true}, {"?", "*", false}, {"**", "*", true},
		{"a*b*c", "a*c", false}, {"a*c", "a*b*c", true}, {"arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*", true}, {"x", "X", false}, {"", "*", false},
	} {
		if got := Covers(test.outer, test.inner); got != test.want {
			t.Errorf("%q covers %q: %v", test.outer, test.inner, got)
		}
	}
}

// Covers and Overlaps against all short texts of a small alphabet.
func FuzzCoversAndOverlapsAgreeWithMatching(f *testing.F) {
	f.Add("a*", "*a")
	f.Add("?*b", "a?")
	var texts []string
	for n, last := 0, []string{""}; n <= 5; n++ {
		texts = append(texts, last...)
		var next []string
		for _, s := range last {
			next = append(next, s+"a", s+"b")
		}
		last = next
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 4 || len(b) > 4 || strings.Trim(a+b, "ab*?") != "" {
			return
		}
		overlaps := false
		for _, s := range texts {
			inA, inB := Matches(a, s), Matches(b, s)
			overlaps = overlaps || inA && inB
			if Covers(a, b) && inB && !inA {
				t.Fatalf("%q covers %q but for %q", a, b, s)
			}
		}
		if overlaps != Overlaps(a, b) && !(Overlaps(a, b) && len(a)+len(b) > 5) {
			t.Fatalf("%q overlaps %q: %v", a, b, Overlaps(a, b))
		}
	})
}

func TestAllOfAServiceIsMeantHoweverItIsWritten(t *testing.T) {
	for pattern, want := range map[string]bool{
		"*": true, "arn:*": true, "arn:aws:*": true, "arn:aws:kms:*": true, "arn:aws:kms*": true, "arn:aws:kms:*:*:*": true,
		"arn:aws:kms:us-east-1:123456789012:key/*": true, "arn:aws-cn:kms:*:*:key/*": true, "arn:*:kms:*:*:key/*": true,
		"arn:aws:kms:*:key/*":                      true,
		"arn:aws:kms:us-east-1:123456789012:key/1": false, "arn:aws:kms:*:*:key/a*": false, "arn:aws:s3:::*": false,
		"arn:aws:kms:*:*:alias/*": false, "arn:aws:iam::*:*": false, "kms": false, "": false,
	} {
		if got := CoversAllOf(pattern, "kms", "key/*"); got != want {
			t.Errorf("%q covers all keys: %v", pattern, got)
		}
	}
}

func parse(t *testing.T, statements string) Document {
	t.Helper()
	d, err := Parse(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGrantsOnAllKeysKnowDenyNotActionAndNotResource(t *testing.T) {
	const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, test := range []struct {
		name, statements string
		want             bool
	}{
		{"everything", everything, true},
		{"one key", `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:123456789012:key/1"}`, false},
		{"another action", `{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}`, false},
		{"all but KMS", `{"Effect":"Allow","NotAction":"kms:*","Resource":"*"}`, false},
		{"all but S3", `{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}`, true},
		{"all resources but keys", `{"Effect":"Allow","Action":"*","NotResource":"arn:aws:kms:*:*:*"}`, false},
		{"all resources but one key", `{"Effect":"Allow","Action":"*","NotResource":"arn:aws:kms:us-east-1:123456789012:key/1"}`, true},
		{"denied", everything + `,{"Effect":"Deny","Action":"kms:*","Resource":"*"}`, false},
		{"denied by action", everything + `,{"Effect":"Deny","Action":"KMS:decrypt","Resource":"arn:aws:kms:*"}`, false},
		{"denied all but S3", everything + `,{"Effect":"Deny","NotAction":"s3:*","Resource":"*"}`, false},
		{"denied on one key", everything + `,{"Effect":"Deny","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:123456789012:key/1"}`, true},
		{"denied on a condition", everything + `,{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, true},
		{"denied for resources but S3's", everything + `,{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::*"}`, false},
	} {
		if got := parse(t, test.statements).GrantsAllOf([]string{"kms:Decrypt"}, "kms", "key/*"); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestConditionsHoldAsIAMSays(t *testing.T) {
	ctx := Context{
		"aws:sourceip": {"203.0.113.7"}, "aws:username": {"alice"}, "aws:tagkeys": {"a", "b"}, "n": {"10"}, "aws:securetransport": {"true"},
		"aws:sourcearn": {"arn:aws:s3:::b"}, "aws:currenttime": {"2026-05-01T00:00:00Z"}, "gone": nil,
	}
	for _, test := range []struct {
		operator, key string
		values        []string
		want          bool
	}{
		{"StringEquals", "aws:username", []string{"bob", "alice"}, true}, {"StringEquals", "aws:username", []string{"Alice"}, false},
		{"stringequalsignorecase", "aws:username", []string{"Alice"}, true}, {"StringNotEquals", "aws:username", []string{"bob"}, true},
		{"StringNotEquals", "aws:username", []string{"bob", "alice"}, false}, {"StringNotEquals", "absent", []string{"x"}, true},
		{"StringEquals", "absent", []string{"x"}, false}, {"StringEqualsIfExists", "absent", []string{"x"}, true}, {"StringLike", "aws:username", []string{"a*"}, true},
		{"StringLike", "aws:username", []string{"${aws:username}"}, true}, {"StringEquals", "aws:username", []string{"${absent}"}, false},
		{"StringEquals", "aws:username", []string{"${absent, 'alice'}"}, true}, {"StringNotLike", "aws:username", []string{"A*"}, true},
		{"ForAllValues:StringEquals", "aws:tagkeys", []string{"a", "b", "c"}, true}, {"ForAllValues:StringEquals", "aws:tagkeys", []string{"a"}, false},
		{"ForAllValues:StringEquals", "absent", []string{"a"}, true}, {"ForAnyValue:StringEquals", "aws:tagkeys", []string{"b"}, true},
		{"ForAnyValue:StringEquals", "absent", []string{"b"}, false}, {"ForAnyValue:StringNotEquals", "aws:tagkeys", []string{"a"}, true},
		{"ForAnyValue:StringNotEquals", "absent", []string{"a"}, false},
		{"Null", "absent", []string{"true"}, true}, {"Null", "gone", []string{"true"}, true}, {"Null", "n", []string{"true"}, false}, {"Null", "n", []string{"FALSE"}, true},
		{"NumericLessThan", "n", []string{"11"}, true}, {"NumericGreaterThanEquals", "n", []string{"10"}, true}, {"NumericNotEquals", "n", []string{"10.0"}, false},
		{"NumericEquals", "n", []string{"x"}, false}, {"IpAddress", "aws:sourceip", []string{"203.0.113.0/24"}, true}, {"IpAddress", "aws:sourceip", []string{"203.0.113.7"}, true},
		{"NotIpAddress", "aws:sourceip", []string{"10.0.0.0/8"}, true}, {"Bool", "aws:securetransport", []string{"True"}, true},
		{"ArnLike", "aws:sourcearn", []string{"arn:aws:s3:::*"}, true}, {"ArnEquals", "aws:sourcearn", []string{"arn:*"}, false},
		{"DateLessThan", "aws:currenttime", []string{"2026-06-01"}, true}, {"DateGreaterThan", "aws:currenttime", []string{"1777593600"}, false},
		{"BinaryEquals", "n", []string{"MTA="}, false}, {"Nonsense", "n", []string{"10"}, false}, {"StringEquals", "aws:username", nil, false},
	} {
		c := Condition{test.operator, test.key, test.values}
		if got := c.Holds(ctx); got != test.want {
			t.Errorf("%s %s %q: %v", test.operator, test.key, test.values, got)
		}
	}
}

func TestDenyWinsAndTheDecisionNamesItsStatement(t *testing.T) {
	d := parse(t, `{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"},
		{"Sid":"d","Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":"*"},
		{"Sid":"s","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/${aws:username}"}`)
	root, other := Principal{"AWS", "arn:aws:iam::111122223333:root"}, Principal{"AWS", "arn:aws:iam::444455556666:root"}
	for _, test := range []struct {
		who      Principal
		resource string
		want     string
		allowed  bool
	}{
		{root, "arn:aws:s3:::b/k", "a", true}, {other, "arn:aws:s3:::b/k", "d", false}, {root, "arn:aws:s3:::b/secret/alice", "s", false},
		{root, "arn:aws:s3:::b/secret/bob", "a", true}, {root, "arn:aws:s3:::B/k", "", false},
	} {
		got := d.Evaluate(Request{Principals: []Principal{test.who}, Action: "S3:getobject", Resource: test.resource, Context: Context{"aws:username": {"alice"}}})
		sid := ""
		if got.Statement != nil {
			sid = got.Statement.Sid
		}
		if got.Allowed != test.allowed || sid != test.want {
			t.Errorf("%v on %s: allowed %v by %q", test.who, test.resource, got.Allowed, sid)
		}
	}
}

func TestEveryoneIsDeniedOnlyWhenNothingElseDecides(t *testing.T) {
	const deny = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":`
	tls := Context{"aws:securetransport": {"false"}}
	for _, test := range []struct {
		name, statement string
		want            bool
	}{
		{"without TLS", deny + `{"Bool":{"aws:SecureTransport":"false"}}}`, true},
		{"unless with TLS", deny + `{"BoolIfExists":{"aws:SecureTransport":"False"}}}`, true},
		{"not with TLS, as text", deny + `{"StringNotEquals":{"aws:SecureTransport":"true"}}}`, true},
		{"with TLS", deny + `{"Bool":{"aws:SecureTransport":"true"}}}`, false},
		{"without TLS, from some addresses", deny + `{"Bool":{"aws:SecureTransport":"false"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, false},
		{"always", `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}`, true},
		{"some actions", `{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}`, false},
		{"some objects", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b/x/*"}`, false},
		{"one account", `{"Effect":"Deny","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*"}`, false},
		{"allowed", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`, false},
	} {
		if got := parse(t, test.statement).DeniesEveryone("s3:*", "arn:aws:s3:::b/*", tls); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestPoliciesAreReadInEveryFormThatAWSWrites(t *testing.T) {
	object := map[string]any{"Statement": map[string]any{"Effect": "Allow", "Action": "a:b", "Resource": []any{"r"}, "Condition": map[string]any{"Bool": map[string]any{"K": true}}}}
	for name, v := range map[string]any{
		"text": `{"Statement":{"Effect":"Allow","Action":["a:b"],"Resource":"r","Condition":{"Bool":{"K":"true"}}}}`, "object": object, "a list of one": []any{object},
		"percent-encoded": `%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab%22%2C%22Resource%22%3A%22r%22%2C%22Condition%22%3A%7B%22Bool%22%3A%7B%22k%22%3Atrue%7D%7D%7D%5D%7D`,
	} {
		d, err := Parse(v)
		if err != nil || len(d.Statements) != 1 || d.Statements[0].Actions[0] != "a:b" || d.Statements[0].Resources[0] != "r" ||
			d.Statements[0].Conditions[0].Key != "k" || d.Statements[0].Conditions[0].Values[0] != "true" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	for _, v := range []any{nil, "", "  ", "null"} {
		if d, err := Parse(v); err != nil || len(d.Statements) != 0 {
			t.Errorf("%q: %+v, %v", v, d, err)
		}
	}
	for _, bad := range []any{"{", "[1,2]", 7.0, `{"Statement":["x"]}`, `{"Statement":{"Effect":"allow"}}`, `{"Statement":{"Effect":"Allow","Condition":"x"}}`, "%zz"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%v was read", bad)
		}
	}
}
