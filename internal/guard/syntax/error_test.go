package syntax

import (
	"errors"
	"strings"
	"testing"
)

func TestErrorsSayWhereWhatWasFoundAndWhatWasExpected(t *testing.T) {
	const comparison = "a comparison (==, !=, <, in, exists, empty, is_string and the like)"
	for _, c := range []struct{ source, want string }{
		{"rule a {\n\tb = 1\n}", "x.guard:2:4: found \"=\", expected '{', " + comparison +
			", a message or the end of the line\n    2 | \tb = 1\n      | \t  ^"},
		{"rule a { b == 1", "x.guard:1:16: found the end of the file, expected "},
		{"rule a { b == }", "x.guard:1:15: found \"}\", expected "},
		{"rule 1 { b == 1 }", "x.guard:1:6: found \"1\", expected a name\n"},
		{"rule a when { b == 1 }", "x.guard:1:13: found \"{\", expected "},
		{"rule a { b == 'x }", "x.guard:1:15: the string that begins here does not end\n"},
		{"rule a { b == /x }", "x.guard:1:15: the regular expression that begins here does not end\n"},
		{"rule a { b == /[z-a]/ }", "x.guard:1:15: regular expression /[z-a]/: "},
		{"rule a { b == 1 <<x }", "x.guard:1:17: the message that begins here with << does not end with >>\n"},
		{"rule a { b[0 == 1 }", "x.guard:1:14: found \"==\", expected ']'\n"},
		{"rule a { b in r[1,'x'] }", "x.guard:1:20: found \"x']\", expected the end of a range, ')' or ']'\n"},
		{"let x = count(a, b)", "x.guard:1:9: function count takes 1 arguments, found 2\n"},
		{"let x = frobnicate(a)", "x.guard:1:9: there is no function \"frobnicate\"\n"},
		{"let x 1", "x.guard:1:7: found \"1\", expected '=' or ':='\n"},
		{"rule a { b == 99999999999999999999 }", "x.guard:1:15: this number is out of range\n"},
	} {
		_, err := Parse("x.guard", c.source)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%q: the error is %v", c.source, err)
			continue
		}
		if !strings.HasPrefix(e.Error()+"\n", c.want) {
			t.Errorf("%q: got\n%s\nwant\n%s", c.source, e, c.want)
		}
	}
}

func TestNestingWithoutEndIsRefusedQuickly(t *testing.T) {
	for _, part := range []string{"[", "{a:", "a[ ", "a { ", "when a exists { ", "f(", "a[ b[ ", "a == count("} {
		_, err := Parse("", "rule x { a == "+strings.Repeat(part, 5000))
		if err == nil {
			t.Errorf("%q is no rule", part)
		}
		if _, err = Parse("", "rule x { "+strings.Repeat(part, 5000)); err == nil {
			t.Errorf("%q is no rule", part)
		}
	}
}

func TestClausesKnowTheirPlace(t *testing.T) {
	f, err := Parse("", "rule é {\n  ü == 1\n}")
	if err == nil {
		t.Fatal("names begin with a letter of ASCII", f)
	}
	f, err = Parse("", "# ü\nrule a {\n  'ü' == 1 b == 2\n}")
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Rules[0].Body.Clauses[1][0].Place(); p.Line != 3 || p.Column != 12 {
		t.Errorf("the second clause is at %v", p)
	}
}
