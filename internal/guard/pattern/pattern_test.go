package pattern

import (
	"strings"
	"testing"
)

func TestPatternsMatchAnywhere(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"b", "abc", true},
		{"^b", "abc", false},
		{`^\d{12}$`, "123456789012", true},
		{`^\d$`, "١", true}, // digits are Unicode's
		{`^[\w.-]+$`, "für.a-b", true},
		{`^\W$`, "é", false},
		{`a$`, "a\n", false},
		{`(?i)ABC`, "abc", true},
		{`(?<!a)b`, "ab", false},
		{`a(?=b)`, "ab", true},
		{`^(.)\1$`, "xx", true},
		{`^(?P<x>a)$`, "a", true},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := p.Match(c.text); got != c.want || err != nil {
			t.Errorf("/%s/ on %q: %v, %v", c.pattern, c.text, got, err)
		}
	}
}

func TestPatternsThatAreWrongAreRefused(t *testing.T) {
	for _, p := range []string{"(", "[a", "a**b(", "(?<!a", `[a-z&&[^x]]`} {
		if _, err := Compile(p); err == nil {
			t.Errorf("/%s/ was taken", p)
		}
	}
}

func TestMatchesThatTakeTooLongAreErrors(t *testing.T) {
	p, err := Compile(`(?=a)(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Match(strings.Repeat("a", 40) + "b"); err == nil {
		t.Error("the match came to an end")
	}
}

func TestExtractFillsATemplateForEachMatch(t *testing.T) {
	for _, c := range []struct{ pattern, text, template, want string }{
		{`(\w)-(\w)`, "a-b c-d", "$2$1;", "ba;dc;"},
		{`(?<x>\w)-(?<y>\w)`, "a-b", "${y}_${x} $$ $", "b_a $ $"},
		{`(?<x>\w)(?=-)`, "a-b-c", "[$x]", "[a][b]"},
		{`x`, "abc", "y", ""},
		{`(a)`, "a", "$1x $9 ${1}x ${", "  ax ${"},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Extract(c.text, c.template); got != c.want || err != nil {
			t.Errorf("/%s/ on %q: %q, %v", c.pattern, c.text, got, err)
		}
	}
}

func TestExtractDoesNotGrowWithoutEnd(t *testing.T) {
	for _, source := range []string{`(.*)`, `(?=(.*))`} {
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Extract(strings.Repeat("x", 10000), strings.Repeat("$1", 1000)); err == nil {
			t.Errorf("/%s/ made ten million bytes", source)
		}
	}
}
