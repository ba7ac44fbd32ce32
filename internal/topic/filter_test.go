package topic

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestFilterPolicies(t *testing.T) {
	attributes := Attributes{
		"kind":  {DataType: new("String"), StringValue: new("apple.pie")},
		"price": {DataType: new("Number"), StringValue: new("12.50")},
		"tags":  {DataType: new("String.Array"), StringValue: new(`["red", 3, null, true]`)},
		"ip":    {DataType: new("String"), StringValue: new("10.0.0.7")},
		"blob":  {DataType: new("Binary"), BinaryValue: []byte("apple")},
	}
	for policy, want := range map[string]bool{
		`{"kind": ["apple.pie"]}`:                                    true,
		`{"kind": ["pear", {"suffix": ".pie"}]}`:                     true,
		`{"kind": [{"equals-ignore-case": "Apple.PIE"}]}`:            true,
		`{"kind": [{"wildcard": "a*.p*e"}]}`:                         true,
		`{"kind": [{"wildcard": "a*.p*x"}]}`:                         false,
		`{"kind": [{"anything-but": "pear"}]}`:                       true,
		`{"kind": [{"anything-but": ["pear", "apple.pie"]}]}`:        false,
		`{"kind": [{"anything-but": {"prefix": "apple"}}]}`:          false,
		`{"none": [{"anything-but": "pear"}]}`:                       false,
		`{"price": [12.5]}`:                                          true,
		`{"price": [{"numeric": [">", 10, "<=", 12.5]}]}`:            true,
		`{"price": [{"numeric": ["<", 10]}]}`:                        false,
		`{"price": ["12.50"]}`:                                       false,
		`{"tags": ["red"]}`:                                          true,
		`{"tags": [3]}`:                                              true,
		`{"tags": [null]}`:                                           true,
		`{"tags": ["blue"]}`:                                         false,
		`{"ip": [{"cidr": "10.0.0.0/24"}]}`:                          true,
		`{"ip": [{"cidr": "10.0.1.0/24"}]}`:                          false,
		`{"none": [{"exists": false}]}`:                              true,
		`{"kind": [{"exists": true}], "price": [1]}`:                 false,
		`{"blob": ["apple"]}`:                                        false,
		`{"$or": [{"kind": ["pear"]}, {"price": [12.5]}]}`:           true,
		`{"$or": [{"kind": ["pear"]}, {"price": [1]}], "tags": [3]}`: false,
	} {
		set := map[string]string{"FilterPolicy": policy}
		if err := checkFilter(set); err != nil {
			t.Errorf("%s is refused: %v", policy, err)
			continue
		}
		f, err := filterOf(set)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.matches(message{Body: "x", Attributes: attributes}); got != want {
			t.Errorf("%s: %v, want %v", policy, got, want)
		}
	}
}

func TestFiltersOfBodies(t *testing.T) {
	body := `{"item": {"type": "A", "tags": [{"k": "x"}, {"k": "y"}]}, "n": 3}`
	for policy, want := range map[string]bool{
		`{"item": {"type": ["A"]}}`:                        true,
		`{"item": {"tags": {"k": ["y"]}}}`:                 true,
		`{"item": {"tags": {"k": ["z"]}}}`:                 false,
		`{"item": {"gone": [{"exists": false}]}, "n":[3]}`: true,
	} {
		f, err := filterOf(map[string]string{"FilterPolicy": policy, "FilterPolicyScope": scopeBody})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.matches(message{Body: body}); got != want {
			t.Errorf("%s: %v, want %v", policy, got, want)
		}
	}
}

func TestFiltersThatCannotWorkAreRefused(t *testing.T) {
	for _, policy := range []string{
		`{`, `[]`, `{"a": "b"}`, `{"a": []}`, `{"a": {"b": ["c"]}}`, `{"a": [["b"]]}`, `{"a": [{"odd": 1}]}`, `{"a": [{"prefix": 1}]}`,
		`{"a": [{"numeric": ["<"]}]}`, `{"a": [{"cidr": "x"}]}`, `{"a": [{"prefix": "b", "suffix": "c"}]}`,
	} {
		if checkFilter(map[string]string{"FilterPolicy": policy}) == nil {
			t.Errorf("%s is accepted", policy)
		}
	}
}

func TestFiltersHaveSNSsLimits(t *testing.T) {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`"x",`, n), ",") + "]" }
	const body = scopeBody
	for _, c := range []struct {
		policy, scope, want string
	}{
		{`{"a": ` + list(150) + `}`, "", ""},
		{`{"a": ` + list(151) + `}`, "", "too complex"},
		{`{"a": ` + list(12) + `, "b": ` + list(13) + `}`, "", "too complex"},
		{`{"a": [1], "b": [1], "c": [1], "d": [1], "e": [1]}`, "", ""},
		{`{"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]}`, "", "more than 5 keys"},
		{`{"a": {"b": {"c": ` + list(4) + `}}, "d": {"e": ` + list(3) + `}}`, body, ""}, // 4 x 3 x 3 x 2
		{`{"a": {"b": {"c": ` + list(5) + `}}, "d": {"e": ` + list(6) + `}}`, body, "too complex"},
		{`{"$or": [{"a": ` + list(75) + `}, {"b": ` + list(75) + `}]}`, "", ""},
		{`{"$or": [{"a": ` + list(75) + `}, {"b": ` + list(76) + `}]}`, "", "too complex"},
		{`{"a": [{"anything-but": ` + list(151) + `}]}`, "", "too complex"},
		{`{"a": [{"anything-but": {"wildcard": ` + list(151) + `}}]}`, "", "too complex"},
		{`{"a": ["` + strings.Repeat("x", 256<<10) + `"]}`, "", "too large"},
	} {
		err := checkFilter(map[string]string{"FilterPolicy": c.policy, "FilterPolicyScope": c.scope})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.100s: %v, want %q", c.policy, err, c.want)
		}
	}
}

func TestWildcardsTakeTheTimeOfReading(t *testing.T) {
	text, pattern := strings.Repeat("a", 1<<20), strings.Repeat("a", 1<<18)
	if wildcard("*"+pattern+"b", text) || wildcard("*"+pattern+"b*", text) || wildcard(strings.Repeat("*a", 1<<18)+"*b*", text) {
		t.Error("there is no b")
	}
	if !wildcard("*"+pattern+"*", text) {
		t.Error("there is an a")
	}
}

func TestWildcardsMatchWhatTheyMean(t *testing.T) {
	random := func(letters string) string {
		b := make([]byte, rand.IntN(8))
		for i := range b {
			b[i] = letters[rand.IntN(len(letters))]
		}
		return string(b)
	}
	for range 20000 {
		pattern, text := random("ab*"), random("ab")
		want := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(text)
		if got := wildcard(pattern, text); got != want {
			t.Fatalf("%q matches %q: %v", pattern, text, got)
		}
	}
}

func TestAFilterThatChangedMeanwhileIsComparedAnew(t *testing.T) {
	s := &Store{}
	sub := Subscription{ID: "1", Attributes: map[string]string{"FilterPolicy": `{"a": ["b"]}`}}
	m := message{Body: "x", Attributes: Attributes{"a": {DataType: new("String"), StringValue: new("b")}}}
	before := s.compare(t.Context(), []Subscription{sub}, []message{m})
	all, err := before.deliveries(Topic{}, []Subscription{sub}, deliver{Messages: []message{m}})
	if err != nil || len(all) != 1 {
		t.Errorf("%d deliveries, %v", len(all), err)
	}
	sub.Attributes = map[string]string{"FilterPolicy": `{"a": ["c"]}`}
	if _, err := before.deliveries(Topic{}, []Subscription{sub}, deliver{Messages: []message{m}}); err != errChanged {
		t.Errorf("after the change: %v", err)
	}
}
