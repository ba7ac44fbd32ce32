package topic

import (
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
