# A recorder of AWS Config with its delivery channel, and rules. It works on AWS and
# on Plumb: the provider says which.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

data "aws_caller_identity" "this" {}

locals {
  bucket = coalesce(var.bucket, "config-${data.aws_caller_identity.this.account_id}")
}

resource "aws_s3_bucket" "delivered" {
  bucket        = local.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_policy" "delivered" {
  bucket = aws_s3_bucket.delivered.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Look"
        Effect    = "Allow"
        Principal = { Service = "config.amazonaws.com" }
        Action    = ["s3:GetBucketAcl", "s3:ListBucket"]
        Resource  = aws_s3_bucket.delivered.arn
        Condition = { StringEquals = { "AWS:SourceAccount" = data.aws_caller_identity.this.account_id } }
      },
      {
        Sid       = "Write"
        Effect    = "Allow"
        Principal = { Service = "config.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.delivered.arn}/AWSLogs/${data.aws_caller_identity.this.account_id}/Config/*"
        Condition = { StringEquals = {
          "AWS:SourceAccount" = data.aws_caller_identity.this.account_id
          "s3:x-amz-acl"      = "bucket-owner-full-control"
        } }
      },
    ]
  })
}

resource "aws_iam_role" "config" {
  name = var.role
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "config.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "config" {
  role       = aws_iam_role.config.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_config_configuration_recorder" "this" {
  name     = "default"
  role_arn = aws_iam_role.config.arn
  recording_group {
    all_supported  = length(var.resource_types) == 0
    resource_types = var.resource_types
  }
}

resource "aws_config_delivery_channel" "this" {
  name           = "default"
  s3_bucket_name = aws_s3_bucket.delivered.bucket
  sns_topic_arn  = var.topic
  depends_on     = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.delivered]
}

resource "aws_config_configuration_recorder_status" "this" {
  name       = aws_config_configuration_recorder.this.name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "managed" {
  for_each         = var.managed_rules
  name             = each.key
  input_parameters = length(each.value.parameters) == 0 ? null : jsonencode(each.value.parameters)
  source {
    owner             = "AWS"
    source_identifier = each.value.identifier
  }
  dynamic "scope" {
    for_each = length(each.value.resource_types) == 0 ? [] : [each.value.resource_types]
    content {
      compliance_resource_types = scope.value
    }
  }
  depends_on = [aws_config_configuration_recorder_status.this]
}

resource "aws_config_config_rule" "policy" {
  for_each = var.policies
  name     = each.key
  source {
    owner = "CUSTOM_POLICY"
    source_detail {
      message_type = "ConfigurationItemChangeNotification"
    }
    custom_policy_details {
      policy_runtime = "guard-2.x.x"
      policy_text    = each.value.text
    }
  }
  scope {
    compliance_resource_types = each.value.resource_types
  }
  depends_on = [aws_config_configuration_recorder_status.this]
}
