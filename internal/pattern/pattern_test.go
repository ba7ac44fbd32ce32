package pattern_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/internal/pattern"
)

// event is what the patterns below are compared with, unless they name their own.
const event = `{
	"version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": "Object Removed",
	"source": "shop.files", "account": "123456789012", "time": "2026-03-01T10:00:00Z", "region": "eu-west-1",
	"resources": ["arn:aws:s3:::plans", "arn:aws:s3:::maps"],
	"detail": {
		"state": "removed", "size": 300, "share": 0.25, "kept": false, "reason": null, "note": "", "address": "10.0.0.77",
		"address6": "2001:0DB8::0001", "serial": 12345678901234567890, "path": "/home/anna/plans/house*.pdf",
		"tags": [], "free": {},
		"copies": [{"name": "a", "size": 1}, {"name": "b", "size": 2}, {"name": "c", "size": 3, "old": true}],
		"grid": [[1, 2], [3]], "user.name": "Anna"
	}
}`

var matching = []struct{ pattern, event string }{
	{pattern: `{"source": ["shop.files"]}`},
	{pattern: `{"source": ["x", "shop.files"], "account": ["123456789012"]}`},
	{pattern: `{"resources": ["arn:aws:s3:::maps"]}`},
	{pattern: `{"detail": {"kept": [false], "reason": [null], "note": [""]}}`},
	{pattern: `{"detail": {"size": [300]}}`},
	{pattern: `{"detail": {"size": [3.0e2]}}`},
	{pattern: `{"detail": {"serial": [12345678901234567890]}}`},
	{pattern: `{"detail": {"state": [{"exactly": "removed"}]}}`},
	{pattern: `{"detail": {"state": [{"prefix": "rem"}]}}`},
	{pattern: `{"detail": {"state": [{"prefix": ""}]}}`},
	{pattern: `{"detail": {"state": [{"prefix": {"equals-ignore-case": "REM"}}]}}`},
	{pattern: `{"detail": {"state": [{"suffix": "ved"}]}}`},
	{pattern: `{"detail": {"state": [{"suffix": {"equals-ignore-case": "VED"}}]}}`},
	{pattern: `{"detail-type": [{"equals-ignore-case": "object REMOVED"}]}`},
	{pattern: `{"detail": {"path": [{"wildcard": "/home/*/house\\*.pdf"}]}}`},
	{pattern: `{"detail": {"path": [{"wildcard": "*"}]}}`},
	{pattern: `{"detail": {"state": [{"wildcard": "removed"}]}}`},
	{pattern: `{"detail": {"size": [{"numeric": ["=", 300]}]}}`},
	{pattern: `{"detail": {"size": [{"numeric": [">", 0, "<=", 300]}]}}`},
	{pattern: `{"detail": {"size": [{"numeric": ["<", 300.5]}], "share": [{"numeric": [">=", 0.25, "<", 1]}]}}`},
	{pattern: `{"detail": {"grid": [{"numeric": [">", 2]}]}}`},
	{pattern: `{"detail": {"address": [{"cidr": "10.0.0.0/24"}], "address6": [{"cidr": "2001:db8::/32"}]}}`},
	{pattern: `{"detail": {"address6": ["2001:db8::1"]}}`},
	{pattern: `{"detail": {"size": [{"exists": true}], "reason": [{"exists": true}]}}`},
	{pattern: `{"detail": {"nothing": [{"exists": false}]}, "other": {"nothing": [{"exists": false}]}}`},
	{pattern: `{"detail": {"tags": [{"exists": false}], "free": [{"exists": false}], "copies": [{"exists": false}]}}`},
	{pattern: `{"detail": {"nothing": ["x", {"exists": false}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": "kept"}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": ["kept", "made"]}]}}`},
	{pattern: `{"detail": {"size": [{"anything-but": [1, 2]}], "reason": [{"anything-but": "x"}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": {"prefix": ["ma", "ke"]}}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": {"suffix": "ed!"}}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": {"equals-ignore-case": ["KEPT"]}}]}}`},
	{pattern: `{"detail": {"path": [{"anything-but": {"wildcard": ["/tmp/*", "*.txt"]}}]}}`},
	{pattern: `{"resources": [{"anything-but": "arn:aws:s3:::plans"}]}`},
	{pattern: `{"detail": {"copies": {"name": ["b"], "size": [2]}}}`},
	{pattern: `{"detail": {"user.name": ["Anna"]}}`},
	{pattern: `{"detail": {"user": {"name": ["Anna"]}}}`},
	{pattern: `{"detail.state": ["removed"]}`},
	{pattern: `{"$or": [{"source": ["x"]}, {"detail": {"size": [300]}}]}`},
	{pattern: `{"detail": {"$or": [{"size": [1]}, {"state": ["removed"], "kept": [false]}], "note": [""]}}`},
	{pattern: `{"$or": [{"account": ["1"]}, {"region": ["eu-west-1"]}], "detail": {"$or": [{"size": [1]}, {"size": [300]}]}}`},
	{pattern: `{"source": ["x"], "source": ["shop.files"]}`},
	{pattern: `{"a": {"b": [1], "c": [2]}}`, event: `{"a.b": 1, "a": {"c": 2}}`},
	{pattern: `{"a": {"b": [{"exists": false}]}}`, event: `{"a": 5}`},
	{pattern: `{"a": ["É"]}`, event: `{"a": "\u00c9"}`},
	{pattern: `{"a": [{"equals-ignore-case": "é"}]}`, event: `{"a": "É"}`},
	{pattern: `{"body": ["plain"]}`, event: `{"body": "plain"}`},
}

func TestEventsMatchWhatTheirPatternSays(t *testing.T) {
	for _, c := range matching {
		if !matches(t, c.pattern, c.event) {
			t.Errorf("does not match, but should: %s", c.pattern)
		}
	}
}

var notMatching = []struct{ pattern, event string }{
	{pattern: `{"source": ["Shop.files"]}`},
	{pattern: `{"Source": ["shop.files"]}`},
	{pattern: `{"source": ["shop.files"], "account": ["1"]}`},
	{pattern: `{"detail": {"size": ["300"]}}`},
	{pattern: `{"detail": {"serial": [12345678901234567891]}}`},
	{pattern: `{"account": [123456789012]}`},
	{pattern: `{"account": [{"numeric": [">", 0]}]}`},
	{pattern: `{"detail": {"serial": [{"numeric": [">", 0]}]}}`},
	{pattern: `{"detail": {"kept": [true, "false"]}}`},
	{pattern: `{"detail": {"reason": [""], "note": [""]}}`},
	{pattern: `{"detail": {"size": [{"prefix": "3"}]}}`},
	{pattern: `{"detail": {"state": [{"suffix": "rem"}]}}`},
	{pattern: `{"detail": {"state": [{"prefix": {"equals-ignore-case": "removed!"}}]}}`},
	{pattern: `{"detail": {"path": [{"wildcard": "/home/*.txt"}]}}`},
	{pattern: `{"detail": {"state": [{"wildcard": "re*em*d"}]}}`},
	{pattern: `{"detail": {"state": [{"wildcard": ""}]}}`},
	{pattern: `{"detail": {"size": [{"numeric": [">", 300]}]}}`},
	{pattern: `{"detail": {"size": [{"numeric": [">=", 0, "<", 300]}]}}`},
	{pattern: `{"detail": {"address": [{"cidr": "10.0.1.0/24"}]}}`},
	{pattern: `{"detail": {"address": [{"cidr": "10.0.0.78/24"}]}}`}, // from the address that is named
	{pattern: `{"detail": {"address6": [{"cidr": "10.0.0.0/8"}]}}`},
	{pattern: `{"detail": {"copies": [{"exists": true}]}}`},
	{pattern: `{"detail": {"tags": [{"exists": true}]}}`},
	{pattern: `{"detail": {"tags": [null]}}`},
	{pattern: `{"detail": {"copies": {"old": [{"exists": false}]}}}`}, // one of them has it
	{pattern: `{"detail": {"state": [{"anything-but": ["removed"]}]}}`},
	{pattern: `{"detail": {"size": [{"anything-but": 300.0}]}}`},
	{pattern: `{"detail": {"nothing": [{"anything-but": "x"}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": {"prefix": "re"}}]}}`},
	{pattern: `{"detail": {"state": [{"anything-but": {"equals-ignore-case": "REMOVED"}}]}}`},
	{pattern: `{"detail": {"path": [{"anything-but": {"wildcard": "/home/*"}}]}}`},
	{pattern: `{"detail": {"copies": {"name": ["a"], "size": [2]}}}`}, // of two elements
	{pattern: `{"detail": {"copies": {"$or": [{"name": ["a"]}, {"name": ["b"]}], "size": [3]}}}`},
	{pattern: `{"$or": [{"detail": {"copies": {"name": ["a"]}}}, {"source": ["x"]}], "detail": {"copies": {"size": [2]}}}`},
	{pattern: `{"detail": {"state": {"status": ["removed"]}}}`},
	{pattern: `{"$or": [{"source": ["x"]}, {"source": ["y"]}]}`},
	{pattern: `{"source": ["shop.files"], "source": ["x"]}`},
	{pattern: `{"body": {"a": [1]}}`, event: `{"body": "{\"a\": 1}"}`},
	{pattern: `{"dynamodb": {"NewImage": {"size": {"N": [{"numeric": ["=", 5]}]}}}}`,
		event: `{"dynamodb": {"NewImage": {"size": {"N": "5"}}}}`},
}

func TestEventsDoNotMatchAnythingElse(t *testing.T) {
	for _, c := range notMatching {
		if matches(t, c.pattern, c.event) {
			t.Errorf("matches, but should not: %s", c.pattern)
		}
	}
}

func matches(t *testing.T, text, of string) bool {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if of == "" {
		of = event
	}
	e, err := pattern.ParseEvent([]byte(of))
	if err != nil {
		t.Fatal(err)
	}
	return p.Matches(e)
}

// place is what follows a reason: where in the text it became clear.
func place(text string, column int) string {
	return fmt.Sprintf("\n at [Source: (String)\"%s\"; line: 1, column: %d]", text, column)
}

func TestReasonsAreThoseOfEventBridge(t *testing.T) {
	for _, c := range []struct {
		pattern, reason string
		column          int // 0: without a place
	}{
		{``, "Filter is not an object", 1},
		{`["a"]`, "Filter is not an object", 2},
		{`{}`, "Empty objects are not allowed", 3},
		{`{"a": {}}`, "Empty objects are not allowed", 9},
		{`{"a": []}`, "Empty arrays are not allowed", 9},
		{`{"a": 42}`, `"a" must be an object or an array`, 9},
		{`{"a": "text"}`, `"a" must be an object or an array`, 8},
		{`{"a": [[1]]}`, "Match value must be String, number, true, false, or null", 9},
		{`{"a": [{}]}`, "Match expression name not found", 10},
		{`{"a": [{"near": 5}]}`, "Unrecognized match type near", 18},
		{`{"a": [{"prefix": 5}]}`, "prefix match pattern must be a string", 20},
		{`{"a": [{"suffix": ["x"]}]}`, "suffix match pattern must be a string", 20},
		{`{"a": [{"prefix": {"suffix": "x"}}]}`, "Unsupported prefix pattern: suffix", 31},
		{`{"a": [{"prefix": "x", "suffix": "y"}]}`, "Only one key allowed in match expression", 35},
		{`{"a": [{"exactly": 5}]}`, "exact match pattern must be a string", 21},
		{`{"a": [{"equals-ignore-case": 5}]}`, "equals-ignore-case match pattern must be a string", 32},
		{`{"a": [{"wildcard": 5}]}`, "wildcard match pattern must be a string", 22},
		{`{"a": [{"wildcard": "x**"}]}`, "Consecutive wildcard characters at pos 2", 26},
		{`{"a": [{"wildcard": "x\\y"}]}`, "Invalid escape character at pos 2", 27},
		{`{"a": [{"cidr": 5}]}`, "prefix match pattern must be a string", 18},
		{`{"a": [{"cidr": "10.0.0.0"}]}`, "Malformed CIDR, one '/' required", 0},
		{`{"a": [{"cidr": "10.0.0.0/x"}]}`, "Malformed CIDR, mask bits must be an integer", 0},
		{`{"a": [{"cidr": "10.0.0.0/-1"}]}`, "Malformed CIDR, mask bits must not be negative", 0},
		{`{"a": [{"cidr": "10.0.0.0/32"}]}`, "IPv4 mask bits must be < 32", 0},
		{`{"a": [{"cidr": "::/128"}]}`, "IPv6 mask bits must be < 128", 0},
		{`{"a": [{"cidr": "10.x/8"}]}`, "Nonstandard IP address: 10.x", 0},
		{`{"a": [{"exists": "true"}]}`, "exists match pattern must be either true or false.", 20},
		{`{"a": [{"numeric": 5}]}`, "Value of numeric must be an array.", 21},
		{`{"a": [{"numeric": []}]}`, "Invalid member in numeric match: ]", 22},
		{`{"a": [{"numeric": [">"]}]}`, "Value of > must be numeric", 25},
		{`{"a": [{"numeric": ["=", "5"]}]}`, "Value of equals must be numeric", 27},
		{`{"a": [{"numeric": ["=", 5, 6]}]}`, "Too many elements in numeric expression", 30},
		{`{"a": [{"numeric": ["~", 5]}]}`, "Unrecognized numeric range operator: ~", 27},
		{`{"a": [{"numeric": [">", 5, 6]}]}`, "Bad value in numeric range: 6", 30},
		{`{"a": [{"numeric": [">", 5, ">", 6]}]}`, "Bad numeric range operator: >", 32},
		{`{"a": [{"numeric": [">", 5, "<", 4]}]}`, "Bottom must be less than top", 36},
		{`{"a": [{"numeric": [">", 5e10]}]}`, "Value must be between -5.0E9 and 5.0E9, inclusive", 30},
		{`{"a": [{"numeric": [">", 5, "<", 6, 7]}]}`, "Too many terms in numeric range expression", 38},
		{`{"a": [{"anything-but": null}]}`, "Value of anything-but must be an array or single string/number value.", 29},
		{`{"a": [{"anything-but": {"exists": true}}]}`, "Unsupported anything-but pattern: exists", 40},
		{`{"a": [{"anything-but": {"prefix": ""}}]}`, "Null prefix/suffix not allowed", 38},
		{`{"a": [{"anything-but": ["x", 5]}]}`,
			"Inside anything but list, either all values are number or string, mixed type is not supported", 33},
		{`{"$or": {"a": [1]}}`, "It must be an Array followed with $or.", 10},
		{`{"$or": [1, 2]}`, "Only JSON object is allowed in array of $or relationship.", 11},
		{`{"$or": [{"a": [1]}]}`, "There must have at least 2 Objects in $or relationship.", 21},
		{`{"$or": [{"prefix": [1]}, {"a": [1]}]}`,
			"prefix is Ruler reserved fieldName which cannot be used inside $or.", 22},
		{`{'a': [1]}`, "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2},
		{`{"a" [1]}`, "Unexpected character ('[' (code 91)): was expecting a colon to separate field name and value", 6},
		{`{"a": [1 2]}`, "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 10},
		{`{"a": yes}`,
			"Unrecognized token 'yes': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 10},
	} {
		want := c.reason
		if c.column > 0 {
			want += place(c.pattern, c.column)
		}
		if p, err := pattern.Parse(c.pattern); err == nil || err.Error() != want || p != nil {
			t.Errorf("%s:\n got %v\nwant %s", c.pattern, err, want)
		}
	}
}

func TestReasonInsideAnythingButNamesThePlaceTwice(t *testing.T) {
	const text = `{"a": [{"anything-but": {"suffix": [5]}}]}`
	want := "prefix/suffix match pattern must be a string" + place(text, 38) + place(text, 38)
	if _, err := pattern.Parse(text); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestReasonRepeatsTheBeginningOfLongPatterns(t *testing.T) {
	text := "{\n" + strings.Repeat(" ", 600) + `"a": 5}`
	_, err := pattern.Parse(text)
	want := `"a" must be an object or an array` + "\n" + ` at [Source: (String)"` + text[:500] +
		`"[truncated 109 chars]; line: 2, column: 607]`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPatternsOfTooManyCombinationsAreRefused(t *testing.T) {
	or := func(name string, n int) string {
		return `"` + name + `": {"$or": [` + strings.Repeat(`{"x": [1]},`, n-1) + `{"y": [1]}]}`
	}
	if _, err := pattern.Parse("{" + or("a", 10) + "," + or("b", 10) + "," + or("c", 10) + "}"); err != nil {
		t.Error("1000 combinations:", err)
	}
	if _, err := pattern.Parse("{" + or("a", 10) + "," + or("b", 10) + "," + or("c", 11) + "}"); err == nil {
		t.Error("1100 combinations were accepted")
	}
	deep := strings.Repeat(`{"a":`, 2000)
	if _, err := pattern.Parse(deep); err == nil || !strings.Contains(err.Error(), "nesting depth") {
		t.Error("2000 levels:", err)
	}
}

func TestHostileWildcardsTakeTimeThatIsLinear(t *testing.T) {
	stars := strings.Repeat("a*", 500) + "b"
	p, err := pattern.Parse(`{"$or": [{"a": [{"wildcard": "` + stars + `"}]}, {"a": [{"anything-but": {"wildcard": "*a*"}}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	e, err := pattern.ParseEvent([]byte(`{"a": "` + strings.Repeat("a", 250_000) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for range 20 {
		if p.Matches(e) {
			t.Fatal("matches")
		}
	}
	if d := time.Since(begin); d > 2*time.Second { // a backtracking matcher never ends
		t.Errorf("took %s", d)
	}
}

func TestWhatIsKnownOfAnEventRulesPatternsOut(t *testing.T) {
	known := pattern.Fields{"source": "aws.config", "detail-type": "Config Rules Compliance Change"}
	for text, want := range map[string]bool{
		`{"source": ["aws.config"]}`:                                                        true,
		`{"source": ["aws.config"], "detail": {"configRuleName": ["x"]}}`:                   true,
		`{"source": [{"prefix": "aws."}], "account": ["1"]}`:                                true,
		`{"detail": {"a": [1]}}`:                                                            true,
		`{"$or": [{"source": ["aws.s3"]}, {"detail-type": [{"prefix": "Config"}]}]}`:        true,
		`{"source": ["aws.s3"]}`:                                                            false,
		`{"source": ["aws.config"], "detail-type": ["Config Configuration Item Change"]}`:   false,
		`{"source": {"x": ["aws.config"]}}`:                                                 false,
		`{"source": [{"exists": false}]}`:                                                   false,
		`{"$or": [{"source": ["aws.s3"]}, {"detail-type": ["x"]}], "detail": {"a": ["b"]}}`: false,
	} {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.MayMatch(known) != want {
			t.Errorf("%s: want %t", text, want)
		}
	}
}

func TestEventIsOneObject(t *testing.T) {
	for _, text := range []string{"", "5", "[]", `"a"`, "{", "{} {}", `{"a": 1}]`} {
		if _, err := pattern.ParseEvent([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// FuzzPattern wants an answer to any text, and the same answer for an event
// whichever way it is written.
func FuzzPattern(f *testing.F) {
	for _, c := range matching {
		f.Add(c.pattern, event)
	}
	for _, c := range notMatching {
		f.Add(c.pattern, event)
	}
	f.Add(`{"a.b": [{"exists": false}]}`, `{"a": [{"b": []}], "a.b": {"": 1}, "..": 2}`)
	f.Fuzz(func(t *testing.T, text, of string) {
		p, err := pattern.Parse(text)
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Error("an error without a reason")
			}
			return
		}
		e, err := pattern.ParseEvent([]byte(of))
		if err != nil {
			return
		}
		wrapped, err := pattern.Parse(`{"w": ` + text + `}`)
		if err != nil {
			return // deeper than is allowed
		}
		inner, err := pattern.ParseEvent([]byte(`{"w": ` + of + `}`))
		if err != nil {
			return
		}
		if p.Matches(e) != wrapped.Matches(inner) {
			t.Errorf("%s and %s: one level deeper the answer differs", text, of)
		}
	})
}
