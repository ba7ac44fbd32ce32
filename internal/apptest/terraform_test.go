package apptest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"plumb/internal/apptest"
)

// terraformPlugins names a folder laid out as Terraform's plugin cache, with the
// provider hashicorp/aws in it.
const terraformPlugins = "TF_PLUGIN_CACHE_DIR"

const terraformMain = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "123456789012"
  secret_key                  = "any"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    configservice = var.endpoint
    s3            = var.endpoint
    sts           = var.endpoint
  }
}

resource "aws_s3_bucket" "delivered" {
  bucket = "delivered"
}

resource "aws_config_configuration_recorder" "default" {
  role_arn = "arn:aws:iam::123456789012:role/config"
}

resource "aws_config_delivery_channel" "default" {
  s3_bucket_name = aws_s3_bucket.delivered.bucket
  depends_on     = [aws_config_configuration_recorder.default]
}

resource "aws_config_configuration_recorder_status" "default" {
  name       = aws_config_configuration_recorder.default.name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.default]
}

resource "aws_config_config_rule" "versioned" {
  name = "versioned"
  source {
    owner             = "AWS"
    source_identifier = "S3_BUCKET_VERSIONING_ENABLED"
  }
  depends_on = [aws_config_configuration_recorder.default]
}
`

func TestTerraformAppliesAndDestroysWithoutADifference(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("no terraform")
	}
	plugins := os.Getenv(terraformPlugins)
	if found, _ := filepath.Glob(filepath.Join(plugins, "*", "hashicorp", "aws")); plugins == "" || len(found) == 0 {
		t.Skip("no AWS provider: name a plugin folder that has hashicorp/aws in " + terraformPlugins)
	}
	p := apptest.Start(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(terraformMain), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-plugin-dir=" + plugins},
		{"apply", "-auto-approve", "-var", "endpoint=" + p.URL()},
		{"plan", "-detailed-exitcode", "-var", "endpoint=" + p.URL()}, // 2 if something differs from what was applied
		{"destroy", "-auto-approve", "-var", "endpoint=" + p.URL()},
	} {
		cmd := exec.CommandContext(t.Context(), terraform, append(args, "-no-color")...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
	}
}
