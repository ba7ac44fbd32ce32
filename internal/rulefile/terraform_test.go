package rulefile_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"plumb/internal/rulefile"
)

const terraformed = `
variable "prefix" { default = "team" }
variable "secret" { type = string }

locals {
  types = ["AWS::S3::Bucket", "AWS::S3::AccessPoint"]
  name  = "${var.prefix}-owned"
}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/build/code.zip"
}

resource "aws_lambda_function" "owned" {
  function_name    = local.name
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  role             = aws_iam_role.owned.arn
  handler          = "index.lambda_handler"
  runtime          = "python3.9"
  timeout          = 9
  environment {
    variables = { TAG = "owner", SECRET = var.secret }
  }
}

resource "aws_config_config_rule" "owned" {
  name             = local.name
  input_parameters = jsonencode({ tag = "owner", days = 3 })
  scope {
    compliance_resource_types = local.types
  }
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.owned.arn
    source_detail {
      message_type = "ConfigurationItemChangeNotification"
    }
    source_detail {
      message_type                = "ScheduledNotification"
      maximum_execution_frequency = "Six_Hours"
    }
  }
  depends_on = [aws_lambda_permission.owned]
}

resource "aws_config_config_rule" "policy" {
  source {
    owner = "CUSTOM_POLICY"
    source_detail {
      message_type = "ConfigurationItemChangeNotification"
    }
    custom_policy_details {
      policy_runtime = "guard-2.x.x"
      policy_text    = <<-EOT
        rule owned when resourceType == "AWS::S3::Bucket" {
          tags.owner exists
        }
      EOT
    }
  }
}

resource "aws_config_config_rule" "filed" {
  name = "filed"
  source {
    owner = "CUSTOM_POLICY"
    custom_policy_details {
      policy_runtime = "guard-2.x.x"
      policy_text    = templatefile("${path.module}/rule.guard.tftpl", { tag = var.prefix })
    }
  }
}

resource "aws_config_config_rule" "managed" {
  name = "versioned"
  source {
    owner             = "AWS"
    source_identifier = "S3_BUCKET_VERSIONING_ENABLED"
  }
}
`

func TestTerraformDeclaresItsRules(t *testing.T) {
	dir := folder(t, map[string]string{"main.tf": terraformed, "src/index.py": python, "rule.guard.tftpl": "rule filed { tags.${tag} exists }\n"})
	for _, path := range []string{dir, filepath.Join(dir, "main.tf")} {
		all, err := rulefile.Find(path)
		if err != nil || len(all) != 4 {
			t.Fatalf("%+v, %v", all, err)
		}
		want := rulefile.Rule{Kind: rulefile.Function, Name: "team-owned", Path: filepath.Join(dir, "src"), Types: []string{"AWS::S3::Bucket", "AWS::S3::AccessPoint"},
			Frequency: "Six_Hours", Parameters: map[string]string{"tag": "owner", "days": "3"}, Runtime: "python3.12", Handler: "index.lambda_handler",
			Timeout: 9, Memory: 256, Variables: map[string]string{"TAG": "owner"}}
		if !reflect.DeepEqual(all[0], want) {
			t.Errorf("the function is\n%+v, want\n%+v", all[0], want)
		}
		if r := all[1]; r.Kind != rulefile.Policy || r.Name != "policy" || !strings.HasPrefix(r.Text, "rule owned when") || r.Line != 49 {
			t.Errorf("the policy is %+v", r)
		}
		if all[2].Text != "rule filed { tags.team exists }\n" {
			t.Errorf("the policy of a file is %q", all[2].Text)
		}
		if all[3].Kind != rulefile.Managed || all[3].Identifier != "S3_BUCKET_VERSIONING_ENABLED" {
			t.Errorf("the managed rule is %+v", all[3])
		}
	}
}

func TestTerraformOfWhichOneFileIsTheCode(t *testing.T) {
	dir := folder(t, map[string]string{"rule.py": python, "main.tf": `
data "archive_file" "code" {
  source_file = "rule.py"
  output_path = "code.zip"
}
resource "aws_lambda_function" "f" {
  count    = 1
  filename = data.archive_file.code.output_path
  handler  = "rule.lambda_handler"
}
resource "aws_config_config_rule" "r" {
  for_each = toset(["a"])
  name     = each.key
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.f[0].arn
  }
}
`})
	all, err := rulefile.Find(dir)
	if err != nil || len(all) != 1 || all[0].Name != "r" || !reflect.DeepEqual(all[0].Files, []string{"rule.py"}) || all[0].Runtime != "python3.12" {
		t.Errorf("%+v, %v", all, err)
	}
}

const zippedFunction = `
resource "aws_lambda_function" "f" {
  filename = "${path.module}/build/code.zip"
  runtime  = "provided.al2023"
  handler  = "bootstrap"
}
resource "aws_config_config_rule" "r" {
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.f.arn
  }
}
`

// A zip file that something else makes is the code as it is, unless an archive_file of
// the module makes it.
func TestTerraformOfWhichAZipFileIsTheCode(t *testing.T) {
	dir := folder(t, map[string]string{"build/code.zip": "as it is", "main.tf": zippedFunction})
	all, err := rulefile.Find(dir)
	if err != nil || len(all) != 1 || all[0].Handler != "bootstrap" || all[0].Path != filepath.Join(dir, "build", "code.zip") {
		t.Fatalf("%+v, %v", all, err)
	}
	if archive, err := archiveOf(t, all[0]); err != nil || string(archive) != "as it is" {
		t.Errorf("the code is %q, %v", archive, err)
	}
	dir = folder(t, map[string]string{"build/code.zip": "old", "src/index.py": python, "main.tf": zippedFunction + `
data "archive_file" "code" {
  source_dir  = "src"
  output_path = "build/code.zip"
}
`})
	if all, err := rulefile.Find(dir); err != nil || all[0].Path != filepath.Join(dir, "src") {
		t.Errorf("%+v, %v", all, err)
	}
	dir = folder(t, map[string]string{"build/code.zip": "x", "main.tf": strings.Replace(zippedFunction, `"bootstrap"`, `""`, 1)})
	if _, err := rulefile.Find(dir); err == nil || !strings.Contains(err.Error(), "code.zip needs its handler and its runtime") {
		t.Errorf("got %v", err)
	}
}

func TestTerraformThatCannotBeReadSaysWhere(t *testing.T) {
	rule := func(source string) string {
		return "resource \"aws_config_config_rule\" \"r\" {\n  source {\n" + source + "\n  }\n}\n"
	}
	for text, want := range map[string]string{
		rule(`owner = `):           "main.tf:3",
		rule(`owner = "SOMEBODY"`): "main.tf:1: r: the owner SOMEBODY is none of",
		rule("owner = \"CUSTOM_LAMBDA\"\nsource_identifier = var.arn"):                                                                                                "main.tf:1: r: source_identifier names no aws_lambda_function",
		rule("owner = \"CUSTOM_POLICY\"\ncustom_policy_details {\n policy_text = data.http.policy.body_text[0]\n}"):                                                   "main.tf:1: r: policy_text is not known",
		rule("owner = \"CUSTOM_POLICY\"\ncustom_policy_details {\n policy_text = file(\"none.guard\")\n}"):                                                            "main.tf:1: r: policy_text is not known",
		rule("owner = \"CUSTOM_POLICY\"\ncustom_policy_details {\n policy_text = local.a\n}") + "locals {\n  a = local.b\n  b = local.a\n}\n":                         "main.tf:1: r: policy_text is not known",
		rule("owner = \"CUSTOM_LAMBDA\"\nsource_identifier = aws_lambda_function.f.arn") + "resource \"aws_lambda_function\" \"f\" {\n  filename = \"code.zip\"\n}\n": "main.tf:1: r: the code of f is not there: ",
		"resource \"aws_config_config_rule\" \"r\" {\n  input_parameters = jsonencode({a = aws_x.y.z, b = each.value})\n  source {\n    owner = \"AWS\"\n  }\n}\n":    "main.tf:1: r: input_parameters is not known",
	} {
		dir := folder(t, map[string]string{"main.tf": text})
		if _, err := rulefile.Find(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}
