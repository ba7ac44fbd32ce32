package serverless_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"plumb/internal/template"
	"plumb/internal/template/serverless"
)

var update = flag.Bool("update", false, "write the golden files")

// given are what the parameters of the templates below are.
func given() map[string]string {
	return map[string]string{"AWS::Region": "us-east-1", "AWS::Partition": "aws"}
}

// processed reads a template as a stack does, and returns what its transform makes.
func processed(t *testing.T, text string) string {
	t.Helper()
	read, err := template.Parse([]byte(text), template.Options{Stack: true, Values: given()})
	if err != nil {
		t.Fatal(err)
	}
	return read.Processed()
}

func TestTemplatesBecomePlainOnes(t *testing.T) {
	for _, file := range templates(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var out bytes.Buffer
			if err := json.Indent(&out, []byte(processed(t, read(t, file))), "", " "); err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, append(out.Bytes(), '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, golden); strings.TrimSpace(out.String()) != strings.TrimSpace(want) {
				t.Errorf("%s is not what %s says; see what -update changes", file, golden)
			}
		})
	}
}

func templates(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAWSsOwnCodeMakesTheSame compares with the library that AWS runs, where it is
// installed.
func TestAWSsOwnCodeMakesTheSame(t *testing.T) {
	if exec.Command("python3", "-c", "import samtranslator").Run() != nil {
		t.Skip("python3 with aws-sam-translator is not there")
	}
	var bodies []any
	for _, file := range templates(t) {
		bodies = append(bodies, plain(t, read(t, file)))
	}
	in, err := json.Marshal(bodies)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("python3", "testdata/translate.py")
	c.Env = append(os.Environ(), "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b")
	c.Stdin = bytes.NewReader(in)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaint.String())
	}
	var made []json.RawMessage
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatal(err)
	}
	for i, file := range templates(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			same(t, "", normal(decode(t, undated(processed(t, read(t, file))))), normal(decode(t, undated(string(made[i])))))
		})
	}
}

var deployed = regexp.MustCompile(`(Deployment|deployment id: )[0-9a-f]{10,40}`)

// undated takes the sums off deployments: AWS's are over the text of a document in Python.
func undated(text string) string { return deployed.ReplaceAllString(text, "$1") }

// plain is a template as JSON, short forms in long, with its transforms undone.
func plain(t *testing.T, text string) any {
	t.Helper()
	v, err := template.Plain([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func decode(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// normal makes equal what means the same: a list of one action or resource and the
// action or resource.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			if list, ok := item.([]any); ok && len(list) == 1 && (k == "Action" || k == "Resource") {
				item = list[0]
			}
			if list, ok := item.([]any); ok && k == "DependsOn" { // a set
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			v[k] = normal(item)
			if k == "DestinationConfig" && reflect.DeepEqual(item, map[string]any{}) {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}

func same(t *testing.T, path string, ours, aws any) {
	t.Helper()
	if a, ok := ours.(map[string]any); ok {
		b, ok := aws.(map[string]any)
		if ok {
			for k := range a {
				if _, ok := b[k]; !ok {
					t.Errorf("%s.%s is ours alone: %v", path, k, a[k])
				}
			}
			for k := range b {
				if _, ok := a[k]; !ok {
					t.Errorf("%s.%s is AWS's alone: %v", path, k, b[k])
				} else {
					same(t, path+"."+k, a[k], b[k])
				}
			}
			return
		}
	}
	if !reflect.DeepEqual(ours, aws) {
		t.Errorf("%s is\n%v\nand AWS's is\n%v", path, ours, aws)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	function := func(more string) string {
		return "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n" +
			"      Handler: a.b\n      Runtime: python3.12\n      InlineCode: x\n" + more
	}
	for name, c := range map[string]struct{ text, want string }{
		"another transform":            {"Transform: AWS::Include\nResources: {A: {Type: B}}", `line 1: Transform: The transform "AWS::Include" is not supported.`},
		"no transform":                 {"Transform: []\nResources: {A: {Type: B}}", "The Transform must be the name of a transform"},
		"no resources":                 {"Transform: AWS::Serverless-2016-10-31", "'Resources' section is required"},
		"resources of another kind":    {"Transform: AWS::Serverless-2016-10-31\nResources: 3", "'Resources' section is required"},
		"a table":                      {"Transform: AWS::Serverless-2016-10-31\nResources:\n  T:\n    Type: AWS::Serverless::SimpleTable\n", "line 3: Resources.T: Resource with id [T] is invalid. The type AWS::Serverless::SimpleTable is not supported"},
		"unknown property":             {function("      Nothing: 1\n"), "property Nothing not defined for resource of type AWS::Serverless::Function"},
		"local code":                   {strings.Replace(function("      CodeUri: ./src\n"), "      InlineCode: x\n", "", 1), "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key'"},
		"an alias of numbers":          {function("      AutoPublishAlias: \"12\"\n"), "AutoPublishAlias name ('12')"},
		"an alias of a resource":       {function("      AutoPublishAlias: !GetAtt F.Arn\n"), "'AutoPublishAlias' must be a string or a Ref"},
		"no such policy template":      {function("      Policies: [{NoPolicy: {}}]\n"), "Policy template 'NoPolicy' is not one of those that are there"},
		"policy without its parameter": {function("      Policies: [{S3ReadPolicy: {}}]\n"), "Following required parameters of policy template 'S3ReadPolicy' don't have values: BucketName"},
		"a policy that is a number":    {function("      Policies: [3]\n"), "Policy at index 0 in the 'Policies' property is not valid"},
		"event without its queue":      {function("      Events: {E: {Type: SQS, Properties: {}}}\n"), "Event with id [E] is invalid. Missing required property 'Queue'."},
		"event of no type":             {function("      Events: {E: {}}\n"), "Event dictionary is missing the key 'Type'"},
		"event that is not made":       {function("      Events: {E: {Type: Cognito, Properties: {}}}\n"), "Events of the type Cognito are not supported."},
		"an API of nothing":            {function("      Events: {E: {Type: Api, Properties: {Path: /a}}}\n"), "Event with id [E] is invalid. Missing required property 'Method'."},
		"an API that is not SAM's":     {function("      Events: {E: {Type: Api, Properties: {Path: /a, Method: get, RestApiId: abc}}}\n"), "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource in same template."},
		"an API of another kind":       {function("      Events: {E: {Type: HttpApi, Properties: {Path: /a, Method: get, ApiId: abc}}}\n"), "ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template."},
		"an authorizer of no API":      {function("      Events: {E: {Type: Api, Properties: {Path: /a, Method: get, Auth: {Authorizer: X}}}}\n"), "Unable to set Authorizer [X] on API method [get] for path [/a] because the related API does not define any Authorizers."},
		"a method that is there twice": {function("      Events: {D: {Type: Api, Properties: {Path: /a, Method: get}}, E: {Type: Api, Properties: {Path: /a, Method: GET}}}\n"), `API method "get" defined multiple times for path "/a".`},
		"keys of an API":               {function("  A: {Type: AWS::Serverless::Api, Properties: {StageName: a, Auth: {ApiKeyRequired: true}}}\n"), "'Auth.ApiKeyRequired' is not supported"},
		"a domain of an API":           {function("  A: {Type: AWS::Serverless::HttpApi, Properties: {Domain: {}}}\n"), "'Domain' is not supported"},
		"an API without a stage":       {function("  A: {Type: AWS::Serverless::Api}\n"), "Missing required property 'StageName'."},
		"models of one name":           {function("  A: {Type: AWS::Serverless::Api, Properties: {StageName: a, Models: {User: {type: object}, user: {type: string}}}}\n"), "The models User and user have the same name: names of models are in lower case."},
		"a document that is no map":    {function("  A: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionBody: 3}}\n"), "'DefinitionBody' must be a map."},
		"a pool of users":              {function("  A: {Type: AWS::Serverless::Api, Properties: {StageName: a, Auth: {Authorizers: {P: {UserPoolArn: a}}}}}\n"), "Cognito user pools are not supported here."},
		"JSON web tokens":              {function("  A: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {Authorizers: {P: {JwtConfiguration: {}}}}}}\n"), "JWT authorizers are not supported here."},
		"an API's id that is taken":    {function("      Events: {E: {Type: Api, Properties: {Path: /a, Method: get}}}\n  ServerlessRestApi: {Type: AWS::SQS::Queue}\n"), "The logical id ServerlessRestApi is that of the API of functions that name none."},
		"event that is a text":         {function("      Events: {E: hourly}\n"), "Event must be a map."},
		"a bucket of another template": {function("      Events: {E: {Type: S3, Properties: {Bucket: b, Events: x}}}\n"), "S3 events must reference an S3 bucket in the same template."},
		"traffic that shifts":          {function("      AutoPublishAlias: a\n      DeploymentPreference: {Type: AllAtOnce}\n"), "'DeploymentPreference' is not supported"},
		"globals of nothing":           {"Globals: {Nothing: {}}\n" + function(""), "line 1: Globals: 'Globals' section is invalid. 'Nothing' is not supported."},
		"globals that are not global":  {"Globals: {Function: {Events: {}}}\n" + function(""), "'Events' is not a supported property of 'Function'"},
		"tags that are a list":         {function("      Tags: [{Key: a, Value: b}]\n"), "Type of property 'Tags' is invalid."},
		"what was made is checked":     {function("      Role: !GetAtt Nobody.Arn\n"), "Nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template.Parse([]byte(c.text), template.Options{Stack: true, Values: given()})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAPIsOfATemplateAsItsAuthorHasItAreLeftAlone(t *testing.T) {
	const text = "Transform: AWS::Serverless-2016-10-31\nResources:\n  A: {Type: AWS::Serverless::Api, Properties: {Domain: {}}}\n  F:\n    Type: AWS::Serverless::Function\n" +
		"    Properties: {Handler: a.b, Runtime: python3.12, CodeUri: src, Events: {E: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref A, Auth: {ApiKeyRequired: true}}}}}\n"
	read, err := template.Parse([]byte(text), template.Options{Stack: true, Authored: true, Values: given()})
	if err != nil {
		t.Fatal(err)
	}
	if out := read.Processed(); !strings.Contains(out, `"AWS::Serverless::Api"`) || strings.Contains(out, "execute-api") {
		t.Errorf("the template becomes\n%s", out)
	}
}

// Paths that differ in characters that names of conditions cannot have have conditions of
// their own.
func TestPathsDoNotShareAConditionThatIsNotTheirs(t *testing.T) {
	text := "Transform: AWS::Serverless-2016-10-31\nConditions: {A: !Equals [a, a], B: !Equals [a, b], C: !Equals [a, c]}\nResources:\n"
	for id, f := range map[string]string{
		"F": "A, /users/{id}", "G": "B, /users/{id}", "H": "A, /users/id", "I": "C, /users/id", "J": "B, /users/i-d", "K": "C, /users/i-d",
	} {
		condition, path, _ := strings.Cut(f, ", ")
		text += fmt.Sprintf("  %s:\n    Type: AWS::Serverless::Function\n    Condition: %s\n    Properties: {Handler: a.b, Runtime: python3.12, InlineCode: x, "+
			"Events: {E: {Type: Api, Properties: {Path: %q, Method: %s}}}}\n", id, condition, path, map[bool]string{true: "get", false: "post"}[strings.Contains("FHJ", id)])
	}
	out := processed(t, text)
	for _, want := range []string{
		`"ServerlessRestApiSLASHusersSLASHOBidCBPathCondition":{"Fn::Or":[{"Condition":"A"},{"Condition":"B"}]}`,
		`PathCondition":{"Fn::Or":[{"Condition":"A"},{"Condition":"C"}]}`, `PathCondition":{"Fn::Or":[{"Condition":"B"},{"Condition":"C"}]}`,
	} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, out)
		}
	}
}

func TestGlobalsCanBeLeftAlone(t *testing.T) {
	text := "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: 7, MemorySize: 512, Layers: [a]}}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n" +
		"    IgnoreGlobals: [Timeout]\n    Properties: {Handler: a.b, Runtime: python3.12, InlineCode: x, Layers: [b]}\n" +
		"  G:\n    Type: AWS::Serverless::Function\n    IgnoreGlobals: '*'\n    Properties: {Handler: a.b, Runtime: python3.12, InlineCode: x}\n"
	out := processed(t, text)
	for _, want := range []string{`"MemorySize":512`, `"Layers":["a","b"]`} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, out)
		}
	}
	if strings.Contains(out, "Timeout") {
		t.Errorf("the time-out is there:\n%s", out)
	}
}

func TestAVersionChangesWithItsCodeAndItsParameters(t *testing.T) {
	version := func(key, parameter string) string {
		text := "Transform: AWS::Serverless-2016-10-31\nParameters: {Key: {Type: String, Default: k}}\nResources:\n  F:\n    Type: AWS::Serverless::Function\n" +
			"    Properties: {Handler: a.b, Runtime: python3.12, CodeUri: {Bucket: b, Key: " + key + "}, AutoPublishAlias: a}\n"
		values := given()
		if parameter != "" {
			values["Key"] = parameter
		}
		read, err := template.Parse([]byte(text), template.Options{Stack: true, Values: values})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range read.Declarations() {
			if d.Type == "AWS::Lambda::Version" {
				return d.ID
			}
		}
		t.Fatal("no version was made")
		return ""
	}
	if a, b := version("!Ref Key", ""), version("k", ""); a != b {
		t.Errorf("the same code has two versions, %s and %s", a, b)
	}
	if a, b := version("!Ref Key", ""), version("!Ref Key", "other"); a == b {
		t.Errorf("other code has the same version %s", a)
	}
}

func TestALittleTextDoesNotBecomeALot(t *testing.T) {
	const head = "Transform: AWS::Serverless-2016-10-31\n"
	one := func(id, more string) string {
		return "  " + id + ":\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n      Runtime: python3.12\n" + more
	}
	many := func(n int, f func(n int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	long := strings.Repeat("x", 200_000)
	for name, text := range map[string]string{
		"globals of many functions": head + "Globals: {Function: {Description: " + long + "}}\nResources:\n" +
			many(300, func(n int) string { return one(fmt.Sprintf("F%d", n), "      InlineCode: x\n") }),
		"a long name": head + "Resources:\n" + one(strings.Repeat("x", 900), "      InlineCode: x\n"),
		"many events": head + "Resources:\n" + one("F", "      InlineCode: x\n      Events:\n"+
			many(3000, func(n int) string { return fmt.Sprintf("        E%d: {Type: AlexaSkill}\n", n) })),
		"a long condition": head + "Resources:\n" + strings.Replace(one("F", "      InlineCode: x\n"), "    Properties", "    Condition: "+long+"\n    Properties", 1),
		"a long parameter that is used often": head + "Parameters: {P: {Type: String, Default: " + long + "}}\nResources:\n" + one("F",
			"      AutoPublishAlias: a\n      CodeUri: {Bucket: b, Key: {Fn::Join: ['', ["+strings.Repeat("!Ref P, ", 3000)+"x]]}}\n"),
		"a filter of many kinds": head + "Resources:\n  B: {Type: AWS::S3::Bucket}\n" + one("F", "      InlineCode: x\n      Events: {E: {Type: S3, Properties: {Bucket: !Ref B, "+
			"Filter: {a: "+long+"}, Events: ["+strings.Repeat("x, ", 3000)+"x]}}}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := template.Parse([]byte(text), template.Options{Stack: true, Values: given()})
			if err == nil || !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "at most 255 characters") {
				t.Errorf("the error is %.200v", err)
			}
		})
	}
}

// FuzzTransform looks for templates that end the program.
func FuzzTransform(f *testing.F) {
	for _, file := range []string{"testdata/rule.yaml", "testdata/events.yaml", "testdata/apis.yaml", "testdata/implied.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = template.Parse([]byte(text), template.Options{Stack: true, Values: map[string]string{}})
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if m, ok := v.(map[string]any); ok {
				_, _ = serverless.Transform(m, nil)
			}
		}
	})
}
