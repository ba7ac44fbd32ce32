package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// prefixes are the IAM prefixes of services, by the names of their models. Every service that a file of resources/ calls has
// a row, also where both are the same: which it is cannot be told from the model.
//
// Source: AWS's Service Authorization Reference, September 2026.
var prefixes = map[string]string{
	"accessanalyzer":            "access-analyzer",
	"amp":                       "aps",
	"apigatewayv2":              "apigateway",
	"appintegrations":           "app-integrations",
	"bedrock-agentcore-control": "bedrock-agentcore",
	"codeguruprofiler":          "codeguru-profiler",
	"customer-profiles":         "profile",
	"efs":                       "elasticfilesystem",
	"elb":                       "elasticloadbalancing",
	"elbv2":                     "elasticloadbalancing",
	"emr":                       "elasticmapreduce",
	"keyspaces":                 "cassandra",
	"opensearch":                "es",
	"opensearchserverless":      "aoss",
	"s3control":                 "s3",
	"sesv2":                     "ses",
	"stepfunctions":             "states",

	"account": "account", "acm": "acm", "acm-pca": "acm-pca", "amplify": "amplify", "apigateway": "apigateway",
	"appconfig": "appconfig", "appflow": "appflow", "application-autoscaling": "application-autoscaling",
	"appmesh": "appmesh", "apprunner": "apprunner", "appstream": "appstream", "appsync": "appsync", "athena": "athena",
	"auditmanager": "auditmanager", "autoscaling": "autoscaling", "backup": "backup", "backup-gateway": "backup-gateway",
	"batch": "batch", "cloudformation": "cloudformation", "cloudfront": "cloudfront", "cloudtrail": "cloudtrail",
	"cloudwatch": "cloudwatch", "codeartifact": "codeartifact", "codebuild": "codebuild", "codedeploy": "codedeploy",
	"codeguru-reviewer": "codeguru-reviewer", "codepipeline": "codepipeline", "cognito-identity": "cognito-identity",
	"cognito-idp": "cognito-idp", "connect": "connect", "datasync": "datasync", "dax": "dax", "devicefarm": "devicefarm",
	"dms": "dms", "dynamodb": "dynamodb", "ec2": "ec2", "ecr": "ecr", "ecr-public": "ecr-public", "ecs": "ecs",
	"eks": "eks", "elasticache": "elasticache", "elasticbeanstalk": "elasticbeanstalk", "es": "es", "events": "events",
	"firehose": "firehose", "fis": "fis", "frauddetector": "frauddetector", "fsx": "fsx", "glue": "glue",
	"groundstation": "groundstation", "guardduty": "guardduty", "healthlake": "healthlake", "iam": "iam",
	"imagebuilder": "imagebuilder", "inspector2": "inspector2", "iot": "iot", "iotevents": "iotevents",
	"iotsitewise": "iotsitewise", "iottwinmaker": "iottwinmaker", "iotwireless": "iotwireless", "ivs": "ivs",
	"kafka": "kafka", "kafkaconnect": "kafkaconnect", "kendra": "kendra", "kinesis": "kinesis",
	"kinesisvideo": "kinesisvideo", "kms": "kms", "lambda": "lambda", "lightsail": "lightsail", "logs": "logs",
	"macie2": "macie2", "mediapackage-vod": "mediapackage-vod", "mediatailor": "mediatailor", "memorydb": "memorydb",
	"mq": "mq", "network-firewall": "network-firewall", "organizations": "organizations", "panorama": "panorama",
	"rds": "rds", "redshift": "redshift", "redshift-serverless": "redshift-serverless", "resiliencehub": "resiliencehub",
	"route53": "route53", "route53-recovery-control-config": "route53-recovery-control-config",
	"route53-recovery-readiness": "route53-recovery-readiness", "route53resolver": "route53resolver", "rum": "rum",
	"s3": "s3", "sagemaker": "sagemaker", "schemas": "schemas", "secretsmanager": "secretsmanager",
	"securityhub": "securityhub", "servicecatalog": "servicecatalog", "ses": "ses", "shield": "shield", "signer": "signer",
	"sns": "sns", "sqs": "sqs", "ssm": "ssm", "transfer": "transfer", "waf": "waf",
	"waf-regional": "waf-regional", "wafv2": "wafv2", "workspaces": "workspaces",
}

// actions are the IAM actions whose names are not those of the operations that they allow. Source: as above; for S3 the
// table "Amazon S3 API operations and required permissions" of its User Guide.
var actions = map[string]string{
	"s3:GetBucketAccelerateConfiguration":   "GetAccelerateConfiguration",
	"s3:GetBucketCors":                      "GetBucketCORS",
	"s3:GetBucketEncryption":                "GetEncryptionConfiguration",
	"s3:GetBucketLifecycleConfiguration":    "GetLifecycleConfiguration",
	"s3:GetBucketNotificationConfiguration": "GetBucketNotification",
	"s3:GetBucketReplication":               "GetReplicationConfiguration",
	"s3:GetObjectLockConfiguration":         "GetBucketObjectLockConfiguration",
	"s3:GetPublicAccessBlock":               "GetBucketPublicAccessBlock",
	"s3:HeadBucket":                         "ListBucket",
	"s3:ListBuckets":                        "ListAllMyBuckets",
	"s3control:GetPublicAccessBlock":        "GetAccountPublicAccessBlock",
}

// A Policy is an IAM policy document.
type Policy struct {
	Version   string
	Statement []Statement
}

// A Statement allows actions of one service.
type Statement struct {
	Effect   string
	Action   []string
	Resource string
}

// Policy returns the least policy that reading the types takes: each action that one of their calls needs, a statement for
// each service. The calls find out which resources there are, so it names none.
func (c *Catalogue) Policy(types ...string) (Policy, error) {
	groups := map[string][]string{}
	for _, typ := range types {
		for _, k := range c.Calls(typ) {
			prefix, action, err := k.permission()
			if err != nil {
				return Policy{}, fmt.Errorf("policy for %s: %w", typ, err)
			}
			groups[prefix] = append(groups[prefix], prefix+":"+action)
		}
	}
	p := Policy{Version: "2012-10-17", Statement: []Statement{}}
	for _, prefix := range slices.Sorted(maps.Keys(groups)) {
		slices.Sort(groups[prefix])
		p.Statement = append(p.Statement, Statement{"Allow", slices.Compact(groups[prefix]), "*"})
	}
	return p, nil
}

// permission returns the IAM prefix and the action that a call needs.
func (k Call) permission() (prefix, action string, err error) {
	prefix = prefixes[k.Service]
	switch renamed := actions[k.Service+":"+k.Operation]; {
	case prefix == "":
		return "", "", fmt.Errorf("service %q has no row in prefixes, in internal/resource/permission.go", k.Service)
	case prefix == "apigateway" && strings.HasPrefix(k.Operation, "Get"):
		return prefix, "GET", nil // API Gateway's actions are HTTP's methods
	case renamed != "":
		return prefix, renamed, nil
	}
	return prefix, k.Operation, nil
}

// Size is the number of characters that IAM counts, which are those that are not white space.
func (p Policy) Size() int {
	text, _ := json.Marshal(p) // strings alone cannot fail
	return len(text)
}
