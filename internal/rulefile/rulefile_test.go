package rulefile_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumb/internal/rulefile"
)

// folder makes a folder of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my rule")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	python    = "import boto3\ndef lambda_handler(event, context):\n    pass\n"
	node      = "export const handler = async (event) => {}\n"
	rdk       = `{"Version": "1.0", "Parameters": {"RuleName": "MY_RULE", "SourceRuntime": "python3.6-lib", "SourceEvents": "AWS::S3::Bucket, AWS::EC2::VPC", "InputParameters": "{\"port\": 22}", "SourcePeriodic": "One_Hour"}}`
	catalogue = "identifier: MINE\ndescription: x\ncheck: \"true\"\n"
)

func TestFolderSaysWhatItHolds(t *testing.T) {
	for _, c := range []struct {
		files                  map[string]string
		kind                   rulefile.Kind
		name, runtime, handler string
	}{
		{map[string]string{"index.py": python, "helper.py": "x = 1\n", "index_test.py": python}, rulefile.Function, "my-rule", "python3.12", "index.lambda_handler"},
		{map[string]string{"index.mjs": node, "package.json": "{}"}, rulefile.Function, "my-rule", "nodejs20.x", "index.handler"},
		{map[string]string{"a.js": "exports.lambda_handler = (e) => 1\n"}, rulefile.Function, "my-rule", "nodejs20.x", "a.lambda_handler"},
		{map[string]string{"a.py": "deff lambda_handler(event, context):\n"}, rulefile.Function, "my-rule", "python3.12", "a.lambda_handler"},
		{map[string]string{"a.py": "def handler event, context):\n"}, rulefile.Function, "my-rule", "python3.12", "a.handler"},
		{map[string]string{"a.py": "def lambda_handler(event):\n  pass\n", "b.py": "del main(1)\nif main():\n  pass\n"}, rulefile.Function, "my-rule", "python3.12", "a.lambda_handler"},
		{map[string]string{"a.js": "module.export.handler = (e) => 1\n"}, rulefile.Function, "my-rule", "nodejs20.x", "a.handler"},
		{map[string]string{"main.go": "package main\n", "go.mod": "module x\n"}, rulefile.Function, "my-rule", "provided.al2023", "bootstrap"},
		{map[string]string{"parameters.json": rdk, "MY_RULE.py": python, "MY_RULE_test.py": python}, rulefile.Function, "MY_RULE", "python3.12", "MY_RULE.lambda_handler"},
		{map[string]string{"parameters.json": rdk, "OLD.py": python}, rulefile.Function, "MY_RULE", "python3.12", "OLD.lambda_handler"},
		{map[string]string{"p.guard": "rule a { b exists }"}, rulefile.Policy, "p", "", ""},
		{map[string]string{"mine.yaml": catalogue, "other.yaml": "a: b\n"}, rulefile.Catalogue, "mine", "", ""},
	} {
		all, err := rulefile.Find(folder(t, c.files))
		if err != nil || len(all) != 1 {
			t.Errorf("%v: %v, %v", c.files, all, err)
			continue
		}
		if r := all[0]; r.Kind != c.kind || r.Name != c.name || r.Runtime != c.runtime || r.Handler != c.handler {
			t.Errorf("%v: %+v", c.files, r)
		}
	}
}

func TestFolderOfTheRuleDevelopmentKitHasItsParameters(t *testing.T) {
	all, err := rulefile.Find(folder(t, map[string]string{"parameters.json": rdk, "MY_RULE.py": "from rdklib import Evaluator\n" + python}))
	if err != nil {
		t.Fatal(err)
	}
	r := all[0]
	if !slices.Equal(r.Types, []string{"AWS::S3::Bucket", "AWS::EC2::VPC"}) || r.Parameters["port"] != "22" || r.Frequency != "One_Hour" || !r.Library || !r.OnChange() {
		t.Errorf("%+v", r)
	}
}

func TestFolderWithoutARuleSaysWhatWouldBeOne(t *testing.T) {
	for says, files := range map[string]map[string]string{
		"holds no rule":                    {"README.md": "x"},
		"handler: check.FUNCTION":          {"check.py": "def my_handler(event, context):\n    pass\n"},
		"several handlers (a.py, b.py)":    {"a.py": python, "b.py": python},
		"the managed rule ENCRYPTED":       {"parameters.json": `{"Parameters": {"RuleName": "x", "SourceIdentifier": "ENCRYPTED"}}`},
		`schedule "Daily" is none of`:      {"parameters.json": `{"Parameters": {"RuleName": "x", "SourcePeriodic": "Daily"}}`, "x.py": python},
		"parameters.json: InputParameters": {"parameters.json": `{"Parameters": {"RuleName": "x", "InputParameters": "{"}}`, "x.py": python},
	} {
		if _, err := rulefile.Find(folder(t, files)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}

func TestCodeHasWhatTheFunctionNeedsAndNothingOfTheTests(t *testing.T) {
	dir := folder(t, map[string]string{
		"index.py": python, "lib/a.py": "x = 1\n", "plumb-test.yaml": "x", ".git/HEAD": "x", "__pycache__/index.pyc": "x", "fixtures/a.json": "{}",
	})
	names := func(r rulefile.Rule) (names []string) {
		t.Helper()
		code, err := archiveOf(t, r)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		return names
	}
	all, err := rulefile.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(all[0]); !slices.Equal(got, []string{"index.py", "lib/a.py"}) {
		t.Errorf("the folder's code is %q", got)
	}
	if all, err = rulefile.Find(filepath.Join(dir, "index.py")); err != nil {
		t.Fatal(err)
	}
	if got := names(all[0]); !slices.Equal(got, []string{"index.py"}) {
		t.Errorf("the file's code is %q", got)
	}
}

func TestHandlerThatIsNamedIsTaken(t *testing.T) {
	dir := folder(t, map[string]string{"a.py": python, "b.mjs": node})
	r, err := rulefile.WithHandler(dir, "b.other")
	if err != nil || r.Handler != "b.other" || r.Runtime != "nodejs20.x" || r.Timeout == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := rulefile.WithHandler(dir, "c.handler"); err == nil || !strings.Contains(err.Error(), "has no file c.py") {
		t.Errorf("a handler without a file: %v", err)
	}
}

func TestFileThatIsCalledRuleIsNamedAfterItsFolder(t *testing.T) {
	const policy = "rule owned { tags.owner exists }\n"
	base := folder(t, map[string]string{
		"owned/rule.guard": policy, "checked/rule.yaml": "identifier: X\ncheck: true\n", "mine/encrypted.guard": policy, "both/policy.guard": policy, "both/rule.guard": policy,
	})
	for dir, want := range map[string][]string{"owned": {"owned"}, "checked": {"checked"}, "mine": {"encrypted"}, "both": {"both", "rule"}} {
		all, err := rulefile.Find(filepath.Join(base, dir))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range all {
			names = append(names, r.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: rules are called %q, want %q", dir, names, want)
		}
		for _, r := range all {
			if one, err := rulefile.Find(r.Path); err != nil || one[0].Name != r.Name || one[0].Path != r.Path {
				t.Errorf("%s alone is %+v, %v; in its folder it is called %s", r.Path, one, err, r.Name)
			}
		}
	}
}

func TestPolicyThatComparesWithATypeThatIsNotThereIsRefusedAtItsLine(t *testing.T) {
	dir := folder(t, map[string]string{"p.guard": "# resourceType == \"AWS::S3::Buckett\"\nrule a when resourceType == \"AWS::S3::Bucket\" { tags exists }\n" +
		"rule b when resourceType in [\"AWS::EC2::VPC\",\n  \"AWS::EC2::Subnett\"] { tags exists }\nrule c when resourceType == 'Mine::Own::Thing' { tags exists }\nAWS::IAM::ManagedPolicy { Properties exists }\n"})
	all, err := rulefile.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = all[0].CheckTypes()
	if want := filepath.Join(dir, "p.guard") + ":4: AWS Config has no resource type AWS::EC2::Subnett; is AWS::EC2::Subnet meant?"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func archiveOf(t *testing.T, r rulefile.Rule) ([]byte, error) {
	c, err := r.Code(t.Context())
	if err != nil {
		return nil, err
	}
	return c.Archive()
}

func TestProgramIsUploadedAsOneFileThatCanBeExecuted(t *testing.T) {
	archive, err := rulefile.Code{Program: []byte("x")}.Archive()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Errorf("the archive has %v", z.File)
	}
}
