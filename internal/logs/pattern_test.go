package logs

import "testing"

func TestPatternsMatchAsCloudWatchLogsDoes(t *testing.T) {
	for _, c := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "an ERROR here", true},
		{"ERROR", "an error here", false},
		{"ERROR ARGUMENTS", "ERROR without", false},
		{"ERROR ARGUMENTS", "ERROR, ARGUMENTS", true},
		{"?ERROR ?WARN", "WARN: x", true},
		{"?ERROR ?WARN", "INFO: x", false},
		{"ERROR -EXITING", "ERROR EXITING", false},
		{"ERROR -EXITING", "ERROR", true},
		{`"INTERNAL SERVER ERROR"`, "x INTERNAL SERVER ERROR", true},
		{`"INTERNAL SERVER ERROR"`, "INTERNAL ERROR SERVER", false},
		{`-"a b"`, "a b", false},
		{`"say \"yes\""`, `say "yes"`, true},
		{"%4[0-9]{2}%", "status 404", true},
		{"%4[0-9]{2}%", "status 500", false},
		{`{ $.level = "ERROR" }`, `{"level":"ERROR"}`, true},
		{`{ $.level = "ERROR" }`, `{"level":"INFO"}`, false},
		{`{ $.level = "ERROR" }`, "level ERROR", false},
		{`{ $.level = ERROR }`, `{"level":"ERROR"}`, true},
		{`{ $.code > 499 && $.code <= 504 }`, `{"code":503}`, true},
		{`{ $.code > 499 && $.code <= 504 }`, `{"code":505}`, false},
		{`{ ($.a = 1 || $.b = 1) && $.c = "x*z" }`, `{"b":1,"c":"xyz"}`, true},
		{`{ $.a[1].b != "x" }`, `{"a":[0,{"b":"y"}]}`, true},
		{`{ $.a NOT EXISTS }`, `{"b":1}`, true},
		{`{ $.a IS NULL }`, `{"a":null}`, true},
		{`{ $.a IS TRUE }`, `{"a":true}`, true},
		{`{ $.a != 1 }`, `{"b":1}`, false},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.Matches(c.message); got != c.want {
			t.Errorf("%s on %s: %t", c.pattern, c.message, got)
		}
	}
}

func TestBrokenPatternsAreRefused(t *testing.T) {
	for _, text := range []string{`"open`, "{ $.a }", "{ $.a = 1", "{ a = 1 }", "%open", "%(%", "{ $.a > x }", "[a, b]", "a & b", "-", "{ ($.a = 1 }", "{ $. = 1 }"} {
		if _, err := ParsePattern(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
