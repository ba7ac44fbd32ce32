# Every resource of AWS Config that Terraform's provider has, in the management
# account of an organization.

variable "endpoint" { type = string }
variable "code" { type = string }
variable "color" { default = "red" }

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

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
    lambda        = var.endpoint
    s3            = var.endpoint
    ssm           = var.endpoint
    sts           = var.endpoint
  }
}

locals {
  red  = var.color == "red"
  tags = { color = var.color }
  pack = yamlencode({
    Parameters = { Days = { Type = "String" } }
    Resources = {
      Rule = {
        Type = "AWS::Config::ConfigRule"
        Properties = {
          ConfigRuleName  = "certificates-${var.color}"
          InputParameters = { daysToExpiration = { Ref = "Days" } }
          Source          = { Owner = "AWS", SourceIdentifier = "ACM_CERTIFICATE_EXPIRATION_CHECK" }
        }
      }
    }
  })
  days = local.red ? "10" : "20"
}

resource "aws_s3_bucket" "delivered" {
  bucket        = "all-by-terraform"
  force_destroy = true
}

resource "aws_config_configuration_recorder" "main" {
  name     = "default"
  role_arn = "arn:aws:iam::123456789012:role/config"
  recording_group {
    all_supported  = false
    resource_types = local.red ? ["AWS::S3::Bucket"] : ["AWS::S3::Bucket", "AWS::SNS::Topic"]
  }
  recording_mode {
    recording_frequency = "CONTINUOUS"
    recording_mode_override {
      description         = "buckets once a day"
      resource_types      = ["AWS::S3::Bucket"]
      recording_frequency = "DAILY"
    }
  }
}

resource "aws_config_delivery_channel" "main" {
  name           = "default"
  s3_bucket_name = aws_s3_bucket.delivered.bucket
  s3_key_prefix  = var.color
  snapshot_delivery_properties { delivery_frequency = local.red ? "Six_Hours" : "Three_Hours" }
  depends_on = [aws_config_configuration_recorder.main]
}

resource "aws_config_configuration_recorder_status" "main" {
  name       = aws_config_configuration_recorder.main.name
  is_enabled = local.red
  depends_on = [aws_config_delivery_channel.main]
}

resource "aws_config_retention_configuration" "main" {
  retention_period_in_days = local.red ? 90 : 120
}

resource "aws_config_config_rule" "versioned" {
  name        = "versioned"
  description = var.color
  source {
    owner             = "AWS"
    source_identifier = "S3_BUCKET_VERSIONING_ENABLED"
  }
  scope { compliance_resource_types = ["AWS::S3::Bucket"] }
  evaluation_mode { mode = "DETECTIVE" }
  tags       = local.tags
  depends_on = [aws_config_configuration_recorder.main]
}

resource "aws_config_remediation_configuration" "versioned" {
  config_rule_name = aws_config_config_rule.versioned.name
  resource_type    = "AWS::S3::Bucket"
  target_type      = "SSM_DOCUMENT"
  target_id        = "AWS-ConfigureS3BucketVersioning"
  parameter {
    name         = "AutomationAssumeRole"
    static_value = "arn:aws:iam::123456789012:role/fix"
  }
  parameter {
    name           = "BucketName"
    resource_value = "RESOURCE_ID"
  }
  parameter {
    name         = "VersioningState"
    static_value = "Enabled"
  }
  automatic                  = true
  maximum_automatic_attempts = local.red ? 3 : 5
  retry_attempt_seconds      = 600
  execution_controls {
    ssm_controls {
      concurrent_execution_rate_percentage = 25
      error_percentage                     = 20
    }
  }
}

resource "aws_config_conformance_pack" "own" {
  name               = "own"
  template_body      = local.pack
  delivery_s3_bucket = aws_s3_bucket.delivered.bucket
  input_parameter {
    parameter_name  = "Days"
    parameter_value = local.days
  }
  depends_on = [aws_config_configuration_recorder.main]
}

resource "aws_config_aggregate_authorization" "other" {
  account_id = "210987654321"
  region     = "eu-west-1"
  tags       = local.tags
}

resource "aws_config_configuration_aggregator" "accounts" {
  name = "accounts"
  account_aggregation_source {
    account_ids = local.red ? ["123456789012"] : ["123456789012", "210987654321"]
    regions     = ["us-east-1"]
  }
  tags = local.tags
}

resource "aws_config_configuration_aggregator" "organization" {
  name = "organization"
  organization_aggregation_source {
    all_regions = true
    role_arn    = "arn:aws:iam::123456789012:role/aggregate"
  }
}

resource "aws_config_organization_managed_rule" "encrypted" {
  name                 = "encrypted"
  rule_identifier      = "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED"
  description          = var.color
  resource_types_scope = ["AWS::S3::Bucket"]
  depends_on           = [aws_config_configuration_recorder.main]
}

resource "aws_config_organization_custom_policy_rule" "named" {
  name           = "named"
  description    = var.color
  policy_runtime = "guard-2.x.x"
  policy_text    = "rule named { resourceName exists }"
  trigger_types  = ["ConfigurationItemChangeNotification"]
  depends_on     = [aws_config_configuration_recorder.main]
}

resource "aws_lambda_function" "judge" {
  function_name = "judge"
  role          = "arn:aws:iam::123456789012:role/judge"
  runtime       = "python3.12"
  handler       = "judge.handler"
  filename      = var.code
}

resource "aws_lambda_permission" "config" {
  statement_id  = "config"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.judge.arn
  principal     = "config.amazonaws.com"
}

resource "aws_config_organization_custom_rule" "judged" {
  name                = "judged"
  description         = var.color
  lambda_function_arn = aws_lambda_function.judge.arn
  input_parameters    = jsonencode({ want = var.color })
  trigger_types       = ["ConfigurationItemChangeNotification"]
  depends_on          = [aws_config_configuration_recorder.main, aws_lambda_permission.config]
}

resource "aws_config_organization_conformance_pack" "all" {
  name          = "all"
  template_body = local.pack
  input_parameter {
    parameter_name  = "Days"
    parameter_value = local.days
  }
  depends_on = [aws_config_configuration_recorder.main]
}
