output "bucket" {
  description = "The bucket that files are delivered to."
  value       = aws_s3_bucket.delivered.bucket
}

output "rules" {
  description = "The ARNs of the rules, by their names."
  value       = { for name, r in merge(aws_config_config_rule.managed, aws_config_config_rule.policy) : name => r.arn }
}
