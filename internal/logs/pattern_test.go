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
		{`{ $.a = %^x[0-9]+$% && $.b = 1 }`, `{"a":"x12","b":1}`, true},
		{`{ $.a = %^x[0-9]+$% }`, `{"a":"y12"}`, false},
		{"[ip, user, status]", "1 2 3", true},
		{"[ip, user, status]", "1 2", false},
		{"[ip, user, status]", "1 2 3 4", false},
		{`[ip, ..., status = 4*, size]`, `1 - [10/Oct/2000:13:25:15 -0700] "GET /a b" 404 5`, true},
		{`[ip, ..., status = 4*, size]`, `1 - [10/Oct/2000:13:25:15 -0700] "GET /a b" 200 5`, false},
		{`[..., size > 1000]`, "a b 1777", true},
		{`[..., size > 1000]`, "a b many", false},
		{`[status = 404 || status = 410, ...]`, "410 x", true},
		{`[status >= 400 && status != 404, ...]`, "404 x", false},
		{`[request = "GET /a, b*", ...]`, `"GET /a, b/c" x`, true},
		{`[w = %^[0-9,]+$%, x]`, "1,2 x", true},
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
	for _, text := range []string{`"open`, "{ $.a }", "{ $.a = 1", "{ a = 1 }", "%open", "%(%", "{ $.a > x }", "[a, b", "[a, ..., b, ...]", "[a = %open]", "[a > x]", "[a = 1 || b = 2]", "[]", "a & b", "-", "{ ($.a = 1 }", "{ $. = 1 }"} {
		if _, err := ParsePattern(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
