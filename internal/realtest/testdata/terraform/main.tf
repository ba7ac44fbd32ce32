# What a team that uses AWS Config has in Terraform: a recorder and what it delivers
# to, a managed rule, and a rule of its own.

variable "endpoint" { type = string }
variable "code" { type = string }
variable "want" { default = "red" }

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
    sns           = var.endpoint
    sqs           = var.endpoint
    sts           = var.endpoint
  }
}

data "aws_caller_identity" "me" {}

resource "aws_s3_bucket" "delivered" {
  bucket        = "delivered-by-terraform"
  force_destroy = true
  tags          = { team = "red" }
}

resource "aws_s3_bucket_versioning" "delivered" {
  bucket = aws_s3_bucket.delivered.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "delivered" {
  bucket = aws_s3_bucket.delivered.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_policy" "delivered" {
  bucket = aws_s3_bucket.delivered.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "config.amazonaws.com" }
      Action    = ["s3:GetBucketAcl", "s3:PutObject", "s3:ListBucket"]
      Resource  = [aws_s3_bucket.delivered.arn, "${aws_s3_bucket.delivered.arn}/*"]
    }]
  })
}

resource "aws_sns_topic" "published" {
  name = "published"
  tags = { team = "red" }
}

resource "aws_sqs_queue" "received" {
  name                       = "received"
  visibility_timeout_seconds = 60
  tags                       = { team = "red" }
}

resource "aws_sns_topic_subscription" "received" {
  topic_arn            = aws_sns_topic.published.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.received.arn
  raw_message_delivery = true
}

resource "aws_config_configuration_recorder" "main" {
  name     = "default"
  role_arn = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/config"
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "main" {
  name           = "default"
  s3_bucket_name = aws_s3_bucket.delivered.bucket
  sns_topic_arn  = aws_sns_topic.published.arn
  snapshot_delivery_properties { delivery_frequency = "Six_Hours" }
  depends_on = [aws_config_configuration_recorder.main]
}

resource "aws_config_configuration_recorder_status" "main" {
  name       = aws_config_configuration_recorder.main.name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.main]
}

resource "aws_config_config_rule" "versioned" {
  name = "versioned"
  source {
    owner             = "AWS"
    source_identifier = "S3_BUCKET_VERSIONING_ENABLED"
  }
  scope { compliance_resource_types = ["AWS::S3::Bucket"] }
  tags       = { team = "red" }
  depends_on = [aws_config_configuration_recorder.main]
}

resource "aws_lambda_function" "judge" {
  function_name    = "judge"
  role             = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/judge"
  runtime          = "python3.12"
  handler          = "judge.handler"
  filename         = var.code
  source_code_hash = filebase64sha256(var.code)
  timeout          = 30
  environment { variables = { LEVEL = "high" } }
  tags = { team = "red" }
}

resource "aws_lambda_permission" "config" {
  statement_id  = "config"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.judge.arn
  principal     = "config.amazonaws.com"
}

resource "aws_config_config_rule" "own" {
  name             = "own"
  input_parameters = jsonencode({ want = var.want })
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.judge.arn
    source_detail {
      event_source = "aws.config"
      message_type = "ConfigurationItemChangeNotification"
    }
  }
  scope { compliance_resource_types = ["AWS::S3::Bucket"] }
  depends_on = [aws_config_configuration_recorder.main, aws_lambda_permission.config]
}

output "rule" { value = aws_config_config_rule.own.arn }
