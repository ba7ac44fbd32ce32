package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made gives resources names and attributes, as if each had been made.
func made(id, attribute string) (any, error) {
	switch attribute {
	case "":
		return "name-of-" + id, nil
	case "Missing":
		return nil, errors.New("there is no attribute Missing")
	default:
		return "arn:" + id + ":" + attribute, nil
	}
}

func input(given map[string]string) Input {
	return Input{Parameters: given, Pseudo: map[string]any{
		"AWS::AccountId": "012345678901", "AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}}
}

// build returns the plan's resources and their properties, one a line.
func build(text string, given map[string]string) (string, error) {
	t, err := Parse([]byte(text), Options{ParameterTypes: map[string]Kind{"int": Number, "StringMap": Map, "boolean": Boolean}, Attributes: []string{"Controls"}})
	if err != nil {
		return "", err
	}
	plan, err := t.Plan(input(given))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range plan.Resources() {
		properties, err := plan.Properties(r.ID, made)
		if err != nil {
			return "", err
		}
		out, err := json.Marshal(properties)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s %v %s\n", r.ID, r.Type, r.DependsOn, out)
		if controls, ok, err := plan.Attribute(r.ID, "Controls", made); ok || err != nil {
			fmt.Fprintf(&b, "  Controls %v %v\n", controls, err)
		}
	}
	outputs, err := plan.Outputs(made)
	for _, o := range outputs {
		fmt.Fprintf(&b, "output %+v\n", o)
	}
	return b.String(), err
}

// The files of testdata hold a template, a line of dashes with parameters, and
// what comes of it.
func TestTemplatesBecomePlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(content), "\n-----")
			for _, part := range parts[1:] {
				head, want, _ := strings.Cut(part, "\n")
				given := map[string]string{}
				for _, kv := range strings.Fields(head) {
					k, v, _ := strings.Cut(kv, "=")
					given[k] = v
				}
				got, err := build(parts[0], given)
				if err != nil {
					got = err.Error()
				}
				if strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("with %v:\n%s\nwant\n%s", given, got, want)
				}
			}
		})
	}
}

func TestWhatIsWrongIsNamedWithItsLine(t *testing.T) {
	const ok = "\nResources:\n  A:\n    Type: X"
	in := func(value string) string { return "Resources:\n  A:\n    Type: X\n    Properties:\n      P: " + value }
	for text, want := range map[string]string{
		"":                                   "The template is empty.",
		"# nothing":                          "The template is empty.",
		"- a":                                "line 1: The template must be a mapping with the key Resources, found a list.",
		"a: [":                               "YAML not well-formed",
		"A: 1" + ok:                          "line 1: A: Invalid template property 'A'.",
		"Resources: {}":                      "At least one Resources member must be defined.",
		"Resources:\n  A: 1":                 "line 2: Resources.A: A resource is a mapping with a Type, found \"1\".",
		"Resources:\n  A: {Properties: {}}":  "line 2: Resources.A: [A] Every Resources object must contain a Type member.",
		"Resources:\n  A-b: {Type: X}":       "line 2: Resources.A-b: The name \"A-b\" is not valid",
		"Resources:\n  A: {Type: X, Foo: 1}": "line 2: Resources.A.Foo: Invalid template resource property 'Foo'.",
		"Resources:\n  A: {Type: X, DependsOn: B}":       "line 2: Resources.A.DependsOn: Unresolved resource dependencies [B]",
		"Resources:\n  A: {Type: X, Condition: B}":       "line 2: Resources.A: Unresolved condition dependency B",
		"Resources:\n  A: {Type: X}\n  A: {Type: X}":     "line 3: Resources: The key \"A\" is given more than once.",
		"Resources:\n  A: {Type: X, Properties: !Ref B}": "line 2: Resources.A.Properties: The Properties must be a mapping",
		"a: &x 1\nb: *x":                        "line 2: b: YAML aliases are not supported",
		"a: 1\n---\nb: 2":                       "The template must be a single YAML document.",
		"Transform: X" + ok:                     "line 1: Transform: The section Transform is not supported.",
		"AWSTemplateFormatVersion: '2011'" + ok: "line 1: AWSTemplateFormatVersion: The value of AWSTemplateFormatVersion must be 2010-09-09.",
		in("!Ref B"):                            "line 5: Resources.A.Properties.P: Unresolved resource dependencies [B]",
		in("{Ref: [B]}"):                        "Every Ref object must have a single String value.",
		in("{Ref: A, x: 1}"):                    "Ref must be the only key of its mapping.",
		in("!Ref A"):                            "Circular dependency between resources: [A, A].",
		in("!GetAtt B.Arn"):                     "Instance of Fn::GetAtt references undefined resource B.",
		in("!GetAtt A"):                         "Fn::GetAtt requires the name of a resource and that of an attribute.",
		in("!Sub '${B}'"):                       "Unresolved resource dependencies [B]",
		in("!Sub '${B.Arn}'"):                   "Instance of Fn::GetAtt references undefined resource B.",
		in("!Sub '${a b}'"):                     `Variable names in Fn::Sub must contain only letters, digits, underscores, periods and colons, found "a b".`,
		in("!Sub [a, b]"):                       "Fn::Sub requires a string, or a list",
		in("!Join [a, b]"):                      `Fn::Join requires a list of values, found "b".`,
		in("!Join [a]"):                         "Fn::Join requires a list argument with 2 elements.",
		in("!Split [a, [b]]"):                   "Fn::Split requires a string, found a list.",
		in("!Select [3, [a, b]]"):               "line 5: Resources.A.Properties.P: Fn::Select cannot select nonexistent value at index 3 of 2.",
		in("!If [c, a, b]"):                     "Unresolved condition dependency c",
		in("!If [c, a]"):                        "Fn::If requires a list argument with 3 elements.",
		in("!Equals [a, b]"):                    "Fn::Equals is for conditions only",
		in("!ImportValue x"):                    "Fn::ImportValue is not supported: there are no exports to import.",
		in("!GetAZs x"):                         "Fn::GetAZs is not a function that is supported.",
		in("!FindInMap [M, a, b]"):              "Mapping named 'M' is not present",
		in("null"):                              "Null values are not allowed in templates.",
		in("!Ref AWS::StackName"):               "AWS::StackName has no value here.",
		in("!Base64 {Ref: AWS::NoValue}"):       "The value of Fn::Base64 must be a string.",
		"Mappings: {M: {a: {b: {c: d}}}}" + ok:  "line 1: Mappings.M.a.b: Every Mappings value must be a string or a list of strings.",
		"Mappings: {M: {a: {b: c}}}\n" + in("!FindInMap [M, a, x]"):                         "Unable to get mapping for M::a::x.",
		"Conditions: {a: !Ref b}" + ok:                                                      "line 1: Conditions.a: A condition must be one of Fn::And",
		"Conditions: {a: !Not [{Condition: b}]}" + ok:                                       "Unresolved condition dependency b",
		"Conditions: {a: !Not [{Condition: b}], b: !Not [{Condition: a}]}" + ok:             "Circular dependency between conditions: a -> b -> a.",
		"Conditions: {a: !Equals [!Ref A, b]}" + ok:                                         "Conditions can only reference parameters, not the resource A.",
		"Conditions: {a: !And [{Condition: a}]}" + ok:                                       "Fn::And requires a list argument with 2 to 10 elements.",
		"Resources:\n  A: {Type: X, DependsOn: B}\n  B: {Type: X, Properties: {P: !Ref A}}": "Circular dependency between resources: [A, B, A].",
		"Parameters: {P: {Default: a}}" + ok:                                                "line 1: Parameters.P: Every parameter must have a Type",
		"Parameters: {P: {Type: Strong}}" + ok:                                              "line 1: Parameters.P.Type: Strong is not a type that parameters can have here.",
		"Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}" + ok:                "is not a type that parameters can have here.",
		"Parameters: {P: {Type: String, Foo: 1}}" + ok:                                      "Invalid template parameter property 'Foo'.",
		"Parameters: {P: {Type: String, Default: [a]}}" + ok:                                "Every Default member must be a string, found a list.",
		"Parameters: {P: {Type: Number, Default: a}}" + ok:                                  "The default is not valid: must be a number, found \"a\"",
		"Parameters: {P: {Type: String, AllowedValues: a}}" + ok:                            "The AllowedValues must be a list that is not empty.",
		"Parameters: {P: {Type: String, AllowedPattern: '['}}" + ok:                         "The AllowedPattern is not a regular expression",
		"Parameters: {P: {Type: String, MinLength: -1}}" + ok:                               "The MinLength must be a whole number",
		"Parameters: {P: {Type: String}}" + ok:                                              "Parameters: [P] must have values",
		"Outputs: {O: {Description: x}}" + ok:                                               "Every Outputs member must contain a Value.",
		"Outputs: {O: {Value: !Ref B}}" + ok:                                                "Unresolved resource dependencies [B]",
		"Outputs: {O: {Value: [a]}}" + ok:                                                   "The Value of an output must be a string.",
		`{"Resources": {"A": {"Type": "X"}, "A": {"Type": "X"}}}`:                           `line 1: Resources: The key "A" is given more than once.`,
		"{\"Resources\": {\n\"A\": {\"Type\": 1,\n\"X\": {}}}}":                             "line 3: Resources.A.X: Invalid template resource property 'X'.",
		"a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200):                         "The template is nested more than 100 levels deep.",
		`{"a": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}":                "The template is nested more than 100 levels deep.",
	} {
		_, err := build(text, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives  %v\nwant   %s", text, err, want)
		}
	}
}

func TestAStackImportsWhatOthersExport(t *testing.T) {
	stack := func(value string) (any, error) {
		tpl, err := Parse([]byte("Resources:\n  B: {Type: X}\n  A: {Type: X, Properties: {P: "+value+"}}"), Options{Stack: true})
		if err != nil {
			return nil, err
		}
		in := input(nil)
		in.Import = func(name string) (string, error) {
			if name == "net-eu-west-1" {
				return "vpc-1", nil
			}
			return "", fmt.Errorf("No export named %s found.", name)
		}
		plan, err := tpl.Plan(in)
		if err != nil {
			return nil, err
		}
		p, err := plan.Properties("A", made)
		return p["P"], err
	}
	for value, want := range map[string]string{
		"!ImportValue net-eu-west-1":                     "vpc-1",
		"{'Fn::ImportValue': !Sub 'net-${AWS::Region}'}": "vpc-1",
		"!ImportValue other":                             "No export named other found.",
		"{'Fn::ImportValue': !Ref B}":                    "the attribute in Fn::ImportValue must not depend on any resources",
		"{'Fn::ImportValue': [a]}":                       "The name of Fn::ImportValue must be a string.",
		"!Select [1, !GetAZs '']":                        "eu-west-1b",
		"!Select [0, !GetAZs {Ref: AWS::Region}]":        "eu-west-1a",
	} {
		got, err := stack(value)
		if text := fmt.Sprint(got, err); !strings.Contains(text, want) {
			t.Errorf("%s gives %s, want %s", value, text, want)
		}
	}
}

func TestATemplateSaysWhatItDeclares(t *testing.T) {
	tpl, err := Parse([]byte("AWSTemplateFormatVersion: 2010-09-09\nDescription: d\nMetadata: {a: [1, {b: true}]}\nConditions: {c: !Equals [a, b]}\n"+
		"Resources: {A: {Type: X, Condition: c, Properties: {N: !Ref B}}, B: {Type: Y}}"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(tpl.Declared(), tpl.Metadata(), tpl.Declarations())
	if want := `{2010-09-09 d} {"a":[1,{"b":true}]} [{A X [N]} {B Y []}]` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParametersAreChecked(t *testing.T) {
	declare := func(d string) string {
		return "Parameters:\n  P: {" + d + "}\nResources: {A: {Type: X, Properties: {V: !Ref P}}}"
	}
	for _, test := range []struct{ declaration, given, want string }{
		{"Type: String, AllowedValues: [a, 1, true]", "1", `{"V":"1"}`},
		{"Type: String, AllowedValues: [a, b]", "c", `Parameter 'P' must be one of AllowedValues [a, b], found "c"`},
		{"Type: String, AllowedPattern: '[a-z]+'", "abc", `{"V":"abc"}`},
		{"Type: String, AllowedPattern: '[a-z]+'", "abc1", `must match pattern [a-z]+, found "abc1"`},
		{"Type: String, AllowedPattern: '(?=.*[0-9])[a-z0-9]+'", "abc1", `{"V":"abc1"}`},
		{"Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: small letters", "A", `Parameter 'P' failed to satisfy constraint: small letters`},
		{"Type: String, MinLength: 2, MaxLength: 3", "é", "must contain at least 2 characters"},
		{"Type: String, MinLength: 2, MaxLength: 3", "éééé", "must contain at most 3 characters"},
		{"Type: Number, MinValue: 1.5, MaxValue: 9", "1.4", "must be a number not less than 3/2"},
		{"Type: Number, MaxValue: 9", "10", "must be a number not greater than 9"},
		{"Type: Number", "0x10", `must be a number, found "0x10"`},
		{"Type: Number", "1e999999999", "must be a number"},
		{"Type: Number", "007", `{"V":"007"}`},
		{"Type: int", "seven", "must be a number"},
		{"Type: boolean", "maybe", "must be true or false"},
		{"Type: boolean", "True", `{"V":"True"}`},
		{"Type: StringMap", `{"a":"b"}`, `{"V":"{\"a\":\"b\"}"}`},
		{"Type: StringMap", `[]`, "must be a JSON object of strings"},
		{"Type: CommaDelimitedList", "a, b ,c", `{"V":["a","b","c"]}`},
		{"Type: CommaDelimitedList", "", `{"V":[]}`},
		{"Type: CommaDelimitedList, AllowedValues: [a, b]", "a,c", "must be one of AllowedValues"},
		{"Type: List<Number>", "1,x", "must be a number"},
		{"Type: 'List<AWS::EC2::Subnet::Id>'", "s-1,s-2", `{"V":["s-1","s-2"]}`},
		{"Type: 'AWS::EC2::VPC::Id'", "vpc-1", `{"V":"vpc-1"}`},
		{"Type: String, Default: ", "", `{"V":""}`},
	} {
		got, err := build(declare(test.declaration), map[string]string{"P": test.given})
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s with %q: %s, want %s", test.declaration, test.given, got, test.want)
		}
	}
	_, err := build(declare("Type: String"), map[string]string{"Q": "1", "R": "2"})
	if want := "Parameters: [Q, R] do not exist in the template; Parameters: [P] must have values"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Functions in functions could make a gigabyte of a template of one kilobyte.
func TestValuesHaveABound(t *testing.T) {
	value := "x"
	for range 30 {
		value = `{"Fn::Sub": ["${a}${a}", {"a": ` + value + `}]}`
		if value[0] != '{' {
			t.Fatal(value)
		}
		value = strings.Replace(value, ": x}", `: "0123456789abcdef"}`, 1)
	}
	_, err := build(`{"Resources": {"A": {"Type": "X", "Properties": {"P": `+value+`}}}}`, nil)
	if err == nil || !strings.Contains(err.Error(), "The values become larger than") {
		t.Errorf("the error is %v", err)
	}
}

func TestProblemsPointToThePropertyThatIsThere(t *testing.T) {
	parsed, err := Parse([]byte("Resources:\n  A:\n    Type: X\n    Properties:\n      Source:\n        Owner: AWS\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := parsed.Plan(Input{})
	if err != nil {
		t.Fatal(err)
	}
	got := plan.Problem("A", []string{"Properties", "Source", "Identifier"}, "is missing").String()
	if want := "line 5: Resources.A.Properties.Source: is missing"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.Split(string(content), "\n-----")[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse([]byte(text), Options{})
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || len(e.Problems) == 0 || e.Problems[0].Message == "" {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		given := map[string]string{}
		for _, p := range parsed.Parameters() {
			if p.Default == nil {
				given[p.Name] = "1"
			}
		}
		plan, err := parsed.Plan(input(given))
		if err != nil {
			return
		}
		for _, r := range plan.Resources() {
			if v, err := plan.Properties(r.ID, made); err == nil {
				if _, err := json.Marshal(v); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
