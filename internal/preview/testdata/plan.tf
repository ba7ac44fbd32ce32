terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
  access_key = "x"
  secret_key = "y"
  skip_credentials_validation = true
  skip_requesting_account_id = true
  skip_metadata_api_check = true
}
resource "aws_s3_bucket" "logs" { bucket_prefix = "logs" }
resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id
  versioning_configuration { status = "Suspended" }
}
resource "aws_s3_bucket_public_access_block" "logs" {
  bucket = aws_s3_bucket.logs.id
  block_public_acls = true
}
resource "aws_s3_bucket" "other" { bucket = "other-bucket" }
resource "aws_s3_bucket_policy" "other" {
  bucket = aws_s3_bucket.other.bucket
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::other-bucket/*" }] })
}
resource "aws_s3_bucket" "many" {
  for_each = toset(["a", "b"])
  bucket = "many-${each.key}"
}
resource "aws_s3_bucket_versioning" "many" {
  for_each = aws_s3_bucket.many
  bucket = each.value.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port = 22
    to_port = 22
    protocol = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "bare" { name = "bare" }
resource "aws_vpc_security_group_ingress_rule" "bare" {
  security_group_id = aws_security_group.bare.id
  ip_protocol = "tcp"
  from_port = 22
  to_port = 22
  cidr_ipv4 = "0.0.0.0/0"
}
resource "aws_instance" "web" {
  ami = "ami-12345678"
  instance_type = "t3.micro"
  metadata_options { http_tokens = "required" }
}
resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  size = 8
  encrypted = false
}
resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdb"
  volume_id = aws_ebs_volume.data.id
  instance_id = aws_instance.web.id
}
resource "aws_iam_policy" "all" {
  name = "all"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}
resource "aws_iam_role" "app" {
  name = "app"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_user" "alice" { name = "alice" }
resource "aws_iam_user_policy" "alice" {
  user = aws_iam_user.alice.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_db_instance" "books" {
  identifier = "books"
  engine = "postgres"
  instance_class = "db.t3.micro"
  allocated_storage = 20
  username = "u"
  password = "p4ssw0rd!"
  publicly_accessible = true
  skip_final_snapshot = true
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role = aws_iam_role.app.arn
  runtime = "python3.12"
  handler = "a.b"
  filename = "main.tf"
}
resource "aws_sns_topic" "t" { name = "t" }
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_dynamodb_table" "t" {
  name = "t"
  billing_mode = "PAY_PER_REQUEST"
  hash_key = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_kms_key" "k" {}
resource "aws_cloudtrail" "t" {
  name = "trail"
  s3_bucket_name = aws_s3_bucket.logs.id
}
