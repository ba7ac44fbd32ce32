package rulefile_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"plumb/internal/rulefile"
)

// filesOf are the texts of the files in the code of a rule.
func filesOf(t *testing.T, r rulefile.Rule) map[string]string {
	t.Helper()
	archive, err := archiveOf(t, r)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(open)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

func theOnly(t *testing.T, files map[string]string) rulefile.Rule {
	t.Helper()
	all, err := rulefile.Find(folder(t, files))
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

const ruleOfFunction = `
resource "aws_lambda_function" "f" {
  filename = data.archive_file.code.output_path
  runtime  = "python3.12"
  handler  = "rule.lambda_handler"
}
resource "aws_config_config_rule" "r" {
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.f.arn
  }
}
`

func TestTerraformWhoseArchiveHasItsSourcesInline(t *testing.T) {
	got := filesOf(t, theOnly(t, map[string]string{"code.py": python, "main.tf": `
data "archive_file" "code" {
  output_path = "code.zip"
  source {
    filename = "rule.py"
    content  = file("${path.module}/code.py")
  }
  source {
    filename = "lib/tags.json"
    content  = jsonencode(["owner"])
  }
}` + ruleOfFunction}))
	if len(got) != 2 || got["rule.py"] != python || got["lib/tags.json"] != `["owner"]` {
		t.Errorf("the code is %q", got)
	}
	got = filesOf(t, theOnly(t, map[string]string{"main.tf": `
data "archive_file" "code" {
  output_path             = "code.zip"
  source_content_filename = "rule.py"
  source_content          = "x = 1"
}` + ruleOfFunction}))
	if len(got) != 1 || got["rule.py"] != "x = 1" {
		t.Errorf("the code is %q", got)
	}
}

func TestTerraformWhoseArchiveLeavesFilesOut(t *testing.T) {
	got := filesOf(t, theOnly(t, map[string]string{
		"src/rule.py": python, "src/notes.md": "x", "src/lib/a.py": "a", "src/lib/b.md": "b", "src/old/c.py": "c", "src/deep/er/old.py": "d",
		"main.tf": `
data "archive_file" "code" {
  output_path = "code.zip"
  source_dir  = "src"
  excludes    = ["*.md", "old", "**/old.py"]
}` + ruleOfFunction}))
	if len(got) != 3 || got["rule.py"] == "" || got["lib/a.py"] == "" || got["lib/b.md"] == "" {
		t.Errorf("the code is %q", got)
	}
}

func TestTerraformWhoseSourcesCannotBeKnownSaysSo(t *testing.T) {
	for says, body := range map[string]string{
		"its content is not known before it is applied": "source {\n filename = \"rule.py\"\n content = aws_s3_object.x.body\n}",
		"leads out of the archive":                      "source {\n filename = \"../rule.py\"\n content = \"\"\n}",
		"no source_dir, no source_file and no source":   "",
		"excludes are not known":                        "source_dir = \"src\"\nexcludes = [aws_s3_object.x.key]",
	} {
		_, err := rulefile.Find(folder(t, map[string]string{"main.tf": "data \"archive_file\" \"code\" {\n output_path = \"code.zip\"\n" + body + "\n}" + ruleOfFunction}))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
}

func TestTemplateHasTheCodeOfItsFunctionInline(t *testing.T) {
	for _, code := range []string{"Code: {ZipFile: 'import boto3'}", "InlineCode: import boto3"} {
		dir := folder(t, map[string]string{"template.yaml": strings.Replace(declares, "CodeUri: src/", code, 1)})
		all, err := rulefile.Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Kind == rulefile.Function {
				if got := filesOf(t, r); len(got) != 1 || got["index.py"] != "import boto3" {
					t.Errorf("the code is %q", got)
				}
			}
		}
	}
}
