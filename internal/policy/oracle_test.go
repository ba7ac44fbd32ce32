package policy_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumb/internal/policy"
)

// The oracle is a second reading of IAM's documentation ("policy evaluation logic",
// "JSON policy elements reference"): as naive as can be, on decoded JSON, with nothing
// of the package that it judges.

// An oracleCase is a request and the texts of all policies that have a say.
type oracleCase struct {
	Account, Owner, Principal, Action, Resource string
	Context                                     map[string][]string
	Identity, Boundary, Session, ResourceBased  []string
	Bounded, Limited                            bool
}

const (
	saysNothing = iota
	saysAllow
	saysDeny
)

// oracle answers "allow", "deny" (explicitly) or "nothing" (which is refused).
func oracle(c oracleCase) string {
	for _, texts := range [][]string{c.Identity, c.ResourceBased, c.Boundary, c.Session} {
		for _, text := range texts {
			if c.asks(text, func(map[string]any) bool { return true }) == saysDeny {
				return "deny"
			}
		}
	}
	anyAllows := func(texts []string, counts func(statement map[string]any) bool) bool {
		for _, text := range texts {
			if c.asks(text, counts) == saysAllow {
				return true
			}
		}
		return false
	}
	every := func(map[string]any) bool { return true }
	if c.Account == "" { // a service
		return word(anyAllows(c.ResourceBased, every))
	}
	narrow := (!c.Bounded || anyAllows(c.Boundary, every)) && (!c.Limited || anyAllows(c.Session, every))
	if c.Owner != "" && c.Owner != c.Account {
		return word(anyAllows(c.Identity, every) && narrow && anyAllows(c.ResourceBased, every))
	}
	// Within an account, what is granted to the account is for its administrators to give on.
	itself := func(s map[string]any) bool {
		for kind, id := range principalsIn(s["Principal"]) {
			if kind == "AWS" && id == c.Principal && (strings.Contains(id, ":user/") || strings.Contains(id, ":assumed-role/")) {
				return true
			}
		}
		return false
	}
	directly := func(s map[string]any) bool {
		for _, id := range principalsIn(s["Principal"]) {
			if id == "*" || c.is(id) && id != c.Account && !strings.HasSuffix(id, ":root") {
				return true
			}
		}
		return false
	}
	return word(anyAllows(c.ResourceBased, itself) || narrow && (anyAllows(c.ResourceBased, directly) || anyAllows(c.Identity, every)))
}

func word(allowed bool) string {
	if allowed {
		return "allow"
	}
	return "nothing"
}

// principalsIn walks through the principals of a statement.
func principalsIn(v any) func(func(kind, id string) bool) {
	return func(yield func(kind, id string) bool) {
		byKind, ok := v.(map[string]any)
		if !ok {
			byKind = map[string]any{"AWS": v}
		}
		for kind, ids := range byKind {
			for _, id := range many(ids) {
				if !yield(kind, id) {
					return
				}
			}
		}
	}
}

func many(v any) (out []string) {
	switch v := v.(type) {
	case nil:
	case []any:
		for _, e := range v {
			out = append(out, fmt.Sprint(e))
		}
	default:
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// is reports whether an id of a policy is one of the caller's names.
func (c oracleCase) is(id string) bool {
	if c.Account == "" {
		return id == c.Principal
	}
	if id == c.Principal || id == c.Account || id == "arn:aws:iam::"+c.Account+":root" {
		return true
	}
	m := regexp.MustCompile(`^arn:aws:sts::(\d+):assumed-role/([^/]+)/`).FindStringSubmatch(c.Principal)
	return m != nil && id == "arn:aws:iam::"+m[1]+":role/"+m[2]
}

// asks asks one policy; of its Allow statements those count that counts takes.
func (c oracleCase) asks(text string, counts func(map[string]any) bool) int {
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		panic(err)
	}
	statements, ok := document["Statement"].([]any)
	if !ok {
		statements = []any{document["Statement"]}
	}
	answer := saysNothing
	for _, raw := range statements {
		s := raw.(map[string]any)
		switch {
		case !c.covered(s):
		case s["Effect"] == "Deny":
			return saysDeny
		case counts(s):
			answer = saysAllow
		}
	}
	return answer
}

func (c oracleCase) covered(s map[string]any) bool {
	if list, ok := s["Action"]; ok && !anyGlob(many(list), c.Action, true) {
		return false
	}
	if list, ok := s["NotAction"]; ok && anyGlob(many(list), c.Action, true) {
		return false
	}
	fill := func(list any) (out []string) {
		for _, r := range many(list) {
			out = append(out, c.filled(r, true))
		}
		return out
	}
	if list, ok := s["Resource"]; ok && !anyGlob(fill(list), c.Resource, false) {
		return false
	}
	if list, ok := s["NotResource"]; ok && anyGlob(fill(list), c.Resource, false) {
		return false
	}
	for name, want := range map[string]bool{"Principal": true, "NotPrincipal": false} {
		if v, ok := s[name]; ok {
			found := false
			for kind, id := range principalsIn(v) {
				mine := "AWS"
				if c.Account == "" {
					mine = "Service"
				}
				found = found || id == "*" || kind == mine && c.is(id)
			}
			if found != want {
				return false
			}
		}
	}
	conditions, _ := s["Condition"].(map[string]any)
	for operator, byKey := range conditions {
		for key, values := range byKey.(map[string]any) {
			if !c.holds(strings.ToLower(operator), strings.ToLower(key), many(values)) {
				return false
			}
		}
	}
	return true
}

const (
	// A star or question mark that stands for itself, and a variable without a value.
	literalStar, literalMark, noValue = "\ue000", "\ue001", "\ue002"
)

// filled puts the variables of a value in. Where the value is a pattern, wildcards in
// what was put in are none.
func (c oracleCase) filled(value string, pattern bool) string {
	return regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(value, func(v string) string {
		name, fallback, has := strings.Cut(strings.Trim(v, "${}"), ",")
		name = strings.ToLower(strings.TrimSpace(name))
		out := noValue
		switch have := c.Context[name]; {
		case v == "${*}":
			out = "*"
		case v == "${?}":
			out = "?"
		case v == "${$}":
			out = "$"
		case len(have) == 1:
			out = have[0]
		case has:
			out = strings.Trim(strings.TrimSpace(fallback), "'")
		}
		if pattern {
			out = strings.NewReplacer("*", literalStar, "?", literalMark).Replace(out)
		}
		return out
	})
}

func anyGlob(patterns []string, text string, fold bool) bool {
	for _, p := range patterns {
		if glob(p, text, fold) {
			return true
		}
	}
	return false
}

func glob(pattern, text string, fold bool) bool {
	p := regexp.QuoteMeta(pattern)
	p = strings.NewReplacer(`\*`, `.*`, `\?`, `.`, literalStar, `\*`, literalMark, `\?`).Replace(p)
	flags := "s"
	if fold {
		flags = "si"
	}
	return regexp.MustCompile(`(?` + flags + `)\A(?:` + p + `)\z`).MatchString(text)
}

// holds asks one condition.
func (c oracleCase) holds(operator, key string, wants []string) bool {
	have := c.Context[key]
	if operator == "null" {
		for _, w := range wants {
			if (w == "true") == (len(have) == 0) {
				return true
			}
		}
		return false
	}
	all := strings.HasPrefix(operator, "forallvalues:")
	some := strings.HasPrefix(operator, "foranyvalue:")
	if _, rest, ok := strings.Cut(operator, ":"); ok {
		operator = rest
	}
	ifExists := strings.HasSuffix(operator, "ifexists")
	operator = strings.TrimSuffix(operator, "ifexists")
	negated := strings.Contains(operator, "not")
	if len(have) == 0 {
		return all || ifExists || negated && !some
	}
	operator = strings.Replace(operator, "not", "", 1)
	one := func(h string) bool {
		for _, w := range wants {
			if c.compares(operator, w, h) {
				return !negated
			}
		}
		return negated
	}
	for _, h := range have {
		if one(h) == some {
			return some
		}
	}
	return !some
}

func (c oracleCase) compares(operator, want, have string) bool {
	plain := c.filled(want, false)
	switch operator {
	case "stringequals":
		return plain == have
	case "stringequalsignorecase":
		return strings.EqualFold(plain, have)
	case "stringlike":
		return glob(c.filled(want, true), have, false)
	case "arnlike", "arnequals":
		w, h := strings.SplitN(c.filled(want, true), ":", 6), strings.SplitN(have, ":", 6)
		if len(w) != 6 || len(h) != 6 {
			return plain == have
		}
		for i := range w {
			if !glob(w[i], h[i], false) {
				return false
			}
		}
		return true
	case "bool":
		return strings.EqualFold(plain, have)
	case "binaryequals":
		w, err1 := base64.StdEncoding.DecodeString(plain)
		h, err2 := base64.StdEncoding.DecodeString(have)
		return err1 == nil && err2 == nil && string(w) == string(h)
	case "ipaddress":
		if !strings.Contains(plain, "/") {
			return net.ParseIP(plain) != nil && net.ParseIP(plain).Equal(net.ParseIP(have))
		}
		_, network, err := net.ParseCIDR(plain)
		return err == nil && net.ParseIP(have) != nil && network.Contains(net.ParseIP(have))
	}
	if by, ok := strings.CutPrefix(operator, "numeric"); ok {
		w, err1 := strconv.ParseFloat(plain, 64)
		h, err2 := strconv.ParseFloat(have, 64)
		return err1 == nil && err2 == nil && ordered(by, h-w)
	}
	if by, ok := strings.CutPrefix(operator, "date"); ok {
		w, ok1 := oracleDate(plain)
		h, ok2 := oracleDate(have)
		return ok1 && ok2 && ordered(by, float64(h-w))
	}
	return false
}

func oracleDate(s string) (int64, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.Unix(), true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func ordered(by string, difference float64) bool {
	switch by {
	case "equals":
		return difference == 0
	case "lessthan":
		return difference < 0
	case "lessthanequals":
		return difference <= 0
	case "greaterthan":
		return difference > 0
	case "greaterthanequals":
		return difference >= 0
	}
	return false
}

// A generator makes cases whose parts are likely to meet.
type generator struct{ *rand.Rand }

func (g generator) of(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) some(list ...string) any {
	if g.IntN(3) > 0 {
		return g.of(list...)
	}
	out := []any{}
	for range 1 + g.IntN(3) {
		out = append(out, g.of(list...))
	}
	return out
}

const alice, session, roleOf = "arn:aws:iam::111111111111:user/alice", "arn:aws:sts::111111111111:assumed-role/dev/s", "arn:aws:iam::111111111111:role/dev"

func (g generator) statement(resourceBased bool) map[string]any {
	s := map[string]any{"Effect": g.of("Allow", "Allow", "Allow", "Deny")}
	s[g.of("Action", "Action", "Action", "NotAction")] = g.some("*", "s3:*", "s3:Get*", "S3:getobject", "s3:?etObject", "s3:*Object", "sqs:*", "s3:GetObject", "s*:*e*t", "s3:")
	s[g.of("Resource", "Resource", "Resource", "NotResource")] = g.some("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/alice/*", "arn:aws:s3:::b/${aws:username}/*",
		"arn:aws:s3:::?/*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/*", "arn:aws:s3:::b/a${*}", "arn:aws:s3:::b/a${?}*", "arn:aws:s3:::b/${missing}*",
		"arn:aws:s3:::b/?", "arn:*:s3:::*", "arn:aws:s3:::b/*é*", "arn:aws:s3:::*/*/*/*", "arn:aws:s3:::b/${aws:PrincipalTag/wild}")
	if resourceBased {
		ids := []string{"*", "111111111111", "arn:aws:iam::111111111111:root", alice, session, roleOf, "arn:aws:iam::222222222222:root", "222222222222"}
		var p any = "*"
		switch g.IntN(5) {
		case 0:
		case 1:
			p = map[string]any{"Service": g.some("sns.amazonaws.com", "s3.amazonaws.com")}
		default:
			p = map[string]any{"AWS": g.some(ids...)}
		}
		s[g.of("Principal", "Principal", "Principal", "Principal", "NotPrincipal")] = p
	}
	if g.IntN(2) == 0 {
		s["Condition"] = g.conditions()
	}
	return s
}

func (g generator) conditions() map[string]any {
	out := map[string]any{}
	for range 1 + g.IntN(2) {
		kinds := []func() (operator, key string, values any){
			func() (string, string, any) {
				return g.of("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
					g.of("aws:username", "AWS:UserName", "aws:PrincipalTag/team", "s3:prefix", "aws:TagKeys", "aws:PrincipalTag/wild"),
					g.some("alice", "ALICE", "a*", "*", "${aws:username}", "red", "r?d", "", "${aws:PrincipalTag/wild}", "${*}", "a")
			},
			func() (string, string, any) {
				return g.of("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"),
					g.of("s3:max-keys", "aws:username"), g.some("10", "9.5", "-1", "x", "1e1")
			},
			func() (string, string, any) {
				return g.of("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"),
					"aws:CurrentTime", g.some("2026-01-01T00:00:00Z", "2026-06-01T00:00:00+02:00", "1767225600", "soon")
			},
			func() (string, string, any) { return "Bool", "aws:SecureTransport", g.some("true", "false", "TRUE") },
			func() (string, string, any) {
				return g.of("IpAddress", "NotIpAddress"), "aws:SourceIp", g.some("10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "nowhere", "10.1.2.3/32")
			},
			func() (string, string, any) {
				return g.of("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"), "aws:SourceArn",
					g.some("arn:aws:sns:*:111111111111:*", "arn:aws:sns:eu-west-1:111111111111:t", "arn:aws:*:*:*:t", "*", "arn:aws:sns:eu*:*:t?")
			},
			func() (string, string, any) { return "BinaryEquals", "b", g.some("aGVsbG8=", "aGVsbG8", "eA==") },
		}
		operator, key, values := kinds[g.IntN(len(kinds))]()
		operator = g.of("", "", "", "ForAllValues:", "ForAnyValue:") + operator + g.of("", "", "IfExists")
		if g.IntN(8) == 0 {
			operator, values = "Null", g.some("true", "false")
		}
		out[operator] = map[string]any{key: values}
	}
	return out
}

func (g generator) documents(resourceBased bool) (out []string) {
	for range 1 + g.IntN(2) {
		var statements any = g.statement(resourceBased)
		if g.IntN(3) > 0 {
			all := []any{}
			for range 1 + g.IntN(3) {
				all = append(all, g.statement(resourceBased))
			}
			statements = all
		}
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
		if err != nil {
			panic(err)
		}
		out = append(out, string(text))
	}
	return out
}

func (g generator) next() oracleCase {
	c := oracleCase{
		Account: "111111111111", Owner: g.of("", "111111111111", "222222222222"), Principal: g.of(alice, session),
		Action:  g.of("s3:GetObject", "s3:PutObject", "S3:GETOBJECT", "sqs:SendMessage", "s3:ListBucket"),
		Context: map[string][]string{},
		Resource: g.of("arn:aws:s3:::b/alice/x", "arn:aws:s3:::b/a", "arn:aws:s3:::b/a*", "arn:aws:s3:::b/a?b", "arn:aws:s3:::b/none/x", "arn:aws:s3:::b/é", "*",
			"arn:aws:s3:::b/x/y/z\n", "arn:aws:s3:::other/alice/x", "arn:aws:s3:::b/*"),
	}
	for key, values := range map[string][]string{
		"aws:username": {"alice", "Alice", "*"}, "aws:principaltag/team": {"red", "a", "none"}, "aws:principaltag/wild": {"*", "?", "a*"}, "s3:prefix": {"", "alice", "a"},
		"s3:max-keys": {"10", "9", "x"}, "aws:currenttime": {"2026-01-01T00:00:00Z", "2026-05-31T22:00:00Z", "1767225600"}, "aws:securetransport": {"true", "false"},
		"aws:sourceip": {"10.1.2.3", "192.0.2.1", "2001:db8::1"}, "aws:sourcearn": {"arn:aws:sns:eu-west-1:111111111111:t", "arn:aws:sns:eu-west-1:111111111111:t:x", "x"},
		"b": {"aGVsbG8="},
	} {
		if g.IntN(3) > 0 {
			c.Context[key] = []string{g.of(values...)}
		}
	}
	for range g.IntN(4) {
		c.Context["aws:tagkeys"] = append(c.Context["aws:tagkeys"], g.of("red", "alice", "a"))
	}
	c.Identity = g.documents(false)
	if g.IntN(2) == 0 {
		c.ResourceBased = g.documents(true)
	}
	if c.Bounded = g.IntN(4) == 0; c.Bounded {
		c.Boundary = g.documents(false)
	}
	if c.Limited = g.IntN(4) == 0; c.Limited {
		c.Session = g.documents(false)
	}
	if g.IntN(10) == 0 { // a service
		c.Account, c.Principal, c.Identity, c.Bounded, c.Limited, c.Boundary, c.Session = "", "sns.amazonaws.com", nil, false, false, nil, nil
		c.Owner = "111111111111"
	}
	return c
}

// engine has the package answer a case.
func engine(t *testing.T, c oracleCase) string {
	t.Helper()
	sources := func(texts []string) (out []policy.Source) {
		for _, text := range texts {
			d, err := policy.Parse(text)
			if err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			out = append(out, policy.Source{Document: d})
		}
		return out
	}
	principals := policy.PrincipalsOf(c.Principal)
	if c.Account == "" {
		principals = []policy.Principal{{Type: "Service", ID: c.Principal}}
	}
	v := policy.Case{
		Request: policy.Request{Principals: principals, Action: c.Action, Resource: c.Resource, Context: c.Context},
		Account: c.Account, Owner: c.Owner, Identity: sources(c.Identity), Boundary: sources(c.Boundary), Bounded: c.Bounded,
		Session: sources(c.Session), Limited: c.Limited, Resource: sources(c.ResourceBased),
	}.Judge()
	if v.Denied {
		return "deny"
	}
	return word(v.Allowed)
}

func compare(t *testing.T, seed uint64) string {
	c := generator{rand.New(rand.NewPCG(seed, 7))}.next()
	want := oracle(c)
	if got := engine(t, c); got != want {
		text, _ := json.MarshalIndent(c, "", " ")
		t.Errorf("case %d: the engine says %s, the oracle %s:\n%s", seed, got, want, text)
	}
	return want
}

func TestTheEngineAndANaiveReadingOfTheDocumentationAgree(t *testing.T) {
	n := uint64(3000)
	if os.Getenv("PLUMB_TEST_REAL") != "" {
		n = 100_000
	}
	answers := map[string]int{}
	for seed := range n {
		answers[compare(t, seed)]++
		if t.Failed() {
			return
		}
	}
	for _, a := range []string{"allow", "deny", "nothing"} {
		if answers[a] < int(n)/50 {
			t.Errorf("of %d cases %d are answered %s: they show little", n, answers[a], a)
		}
	}
	t.Logf("%v", answers)
}

func FuzzTheEngineAgainstTheOracle(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed << 40)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { compare(t, seed) })
}

func FuzzPatterns(f *testing.F) {
	for _, s := range [][2]string{{"*", ""}, {"a*?é", "axé"}, {"??", "é"}, {"*a*a*b", "aaaa"}, {"", "x"}, {"a\x00*", "a\x00"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || strings.ToValidUTF8(pattern+text, "") != pattern+text || strings.ContainsAny(pattern, literalStar+literalMark+"\x01\x02") {
			return
		}
		if got, want := policy.Matches(pattern, text), glob(pattern, text, false); got != want {
			t.Errorf("%q on %q: %v", pattern, text, got)
		}
	})
}

func FuzzDocuments(f *testing.F) {
	g := generator{rand.New(rand.NewPCG(1, 1))}
	for range 10 {
		f.Add(g.documents(true)[0])
	}
	for _, s := range []string{`""`, `[]`, `{"Statement":[[]]}`, `%7B%7D`, `"\"\\\"{}\\\"\""`, `{"Statement":{"Effect":"Allow","Action":{"a":1},"Principal":{"AWS":{}},"Condition":{"Null":{"a":[]}}}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := policy.Parse(text)
		if err != nil {
			return
		}
		d.Variables()
		d.Public()
		r := policy.Request{Principals: policy.PrincipalsOf(alice), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: policy.Context{"a": {"b"}}}
		d.AskedFor(r)
		if v := d.Evaluate(r); v.Allowed && v.Denied {
			t.Error("it is allowed and denied")
		}
	})
}

// No pattern costs more than the product of the lengths: a second is a thousand times
// what that takes.
func TestNoPatternIsSlow(t *testing.T) {
	pattern, text := strings.Repeat("*a", 3000)+"b", strings.Repeat("a", 6000)
	begun := time.Now()
	policy.Matches(pattern, text)
	policy.Matches(strings.Repeat("*?", 3000)+"b", text)
	policy.Covers(strings.Repeat("*a", 500), strings.Repeat("*a", 500))
	policy.Overlaps(strings.Repeat("*a", 500), strings.Repeat("a*", 500))
	deep := strings.Repeat(`{"Statement":`, 5000) + "1" + strings.Repeat("}", 5000)
	if _, err := policy.Parse(deep); err == nil {
		t.Error("a statement that is none is taken")
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
