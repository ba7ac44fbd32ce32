// Package realtest shows Plumb at work on what its authors did not write: the
// public rules of awslabs/aws-config-rules, run unchanged as functions; another
// AWS-compatible server as a target, and as the consumer of messages; the AWS CLI;
// Terraform.
//
// It has no code of its own. Each test skips, and says why, where the machine
// lacks what it needs; docs/how-to/run-public-rules.md says how to have it all.
// Rules and what is expected of them are the YAML files in testdata/rules.
package realtest
