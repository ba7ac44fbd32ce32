# The module of deploy/terraform, as somebody uses it.

variable "endpoint" { type = string }
variable "code" { type = string }
variable "tag" { default = "owner" }

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "123456789012"
  secret_key                  = "any"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  endpoints {
    configservice = var.endpoint
    iam           = var.endpoint
    s3            = var.endpoint
    s3control     = var.endpoint
    sts           = var.endpoint
  }
}

module "config" {
  source        = "./module"
  bucket        = "delivered-by-terraform"
  force_destroy = true
  managed_rules = {
    versioned = { identifier = "S3_BUCKET_VERSIONING_ENABLED" }
    tagged    = { identifier = "REQUIRED_TAGS", parameters = { tag1Key = var.tag }, resource_types = ["AWS::S3::Bucket"] }
  }
  policies = {
    owned = { text = "rule owned when resourceType == \"AWS::S3::Bucket\" {\n  tags.${var.tag} exists\n}\n", resource_types = ["AWS::S3::Bucket"] }
  }
}

output "rules" { value = module.config.rules }
