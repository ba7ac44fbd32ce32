# Rules of EventBridge with a pattern and with a schedule, and a schedule of Scheduler.

variable "endpoint" { type = string }
variable "code" { type = string }

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
  skip_requesting_account_id  = true
  endpoints {
    events    = var.endpoint
    scheduler = var.endpoint
    sqs       = var.endpoint
    sts       = var.endpoint
  }
}

resource "aws_sqs_queue" "inbox" { name = "tf-inbox" }
resource "aws_cloudwatch_event_bus" "orders" { name = "orders" }
resource "aws_cloudwatch_event_rule" "sold" {
  name           = "sold"
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  description    = "All that was sold"
  event_pattern  = jsonencode({ source = ["shop"], detail = { total = [{ numeric = [">", 100] }] } })
  tags           = { team = "a" }
}
resource "aws_cloudwatch_event_target" "inbox" {
  rule           = aws_cloudwatch_event_rule.sold.name
  event_bus_name = aws_cloudwatch_event_bus.orders.name
  target_id      = "inbox"
  arn            = aws_sqs_queue.inbox.arn
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 5
  }
  input_transformer {
    input_paths    = { total = "$.detail.total" }
    input_template = "{\"total\": <total>}"
  }
}
resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "cron(0 2 * * ? *)"
}
resource "aws_cloudwatch_event_target" "nightly" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_sqs_queue.inbox.arn
}
resource "aws_cloudwatch_event_permission" "partner" {
  principal    = "111111111111"
  statement_id = "partner"
}
resource "aws_scheduler_schedule_group" "jobs" { name = "jobs" }
resource "aws_scheduler_schedule" "weekly" {
  name                         = "weekly"
  group_name                   = aws_scheduler_schedule_group.jobs.name
  schedule_expression          = "rate(7 days)"
  schedule_expression_timezone = "Europe/Berlin"
  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }
  target {
    arn      = aws_sqs_queue.inbox.arn
    role_arn = "arn:aws:iam::123456789012:role/scheduler"
    input    = "{}"
  }
}
