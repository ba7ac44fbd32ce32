package identity

import (
	"crypto/sha256"
	_ "embed" // the catalogue
	"encoding/base32"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// awsPolicy begins the ARNs of the policies that AWS manages.
const awsPolicy = "arn:aws:iam::aws:policy/"

//go:embed managed.txt
var managedText string

// A Managed is a policy that AWS manages.
type Managed struct {
	Path string // "/", "/service-role/"
	Name string
	text string // a grant a line
}

// published is when AWS's policies were made, as far as anybody here asks.
var published = time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)

// managed reads the catalogue when it is first asked for.
var managed = sync.OnceValue(func() map[string]Managed {
	all := map[string]Managed{}
	add := func(m Managed) { all[m.ARN()] = m }
	for _, entry := range strings.Split(managedText, "\n\n") {
		name, text, _ := strings.Cut(strings.TrimSpace(entry), "\n")
		for strings.HasPrefix(name, "#") {
			name, text, _ = strings.Cut(text, "\n")
		}
		if at := strings.LastIndexByte(name, '/'); at >= 0 {
			add(Managed{name[:at+1], name[at+1:], text})
		}
	}
	// What the roles of services may do is their own affair: what their service can,
	// and to read.
	for service, l := range linkedRoles {
		name, _, _ := strings.Cut(service, ".")
		add(Managed{"/aws-service-role/", l.policy, name + ":* *:Describe* *:Get* *:List*"})
	}
	return all
})

// ManagedByAWS returns AWS's own policy of an ARN.
func ManagedByAWS(policyARN string) (Managed, bool) {
	if !strings.HasPrefix(policyARN, awsPolicy) {
		return Managed{}, false
	}
	m, ok := managed()[policyARN]
	return m, ok
}

// AllManaged returns AWS's own policies, in no order.
func AllManaged() []Entity {
	var out []Entity
	for _, m := range managed() {
		out = append(out, m.entity())
	}
	return out
}

// ARN returns the policy's ARN.
func (m Managed) ARN() string { return awsPolicy + m.Path[1:] + m.Name }

func (m Managed) entity() Entity {
	sum := sha256.Sum256([]byte(m.ARN()))
	return Entity{
		Account: "aws", Kind: Policy, Name: m.Name, Path: m.Path, ID: "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17],
		Created: published, Updated: published, Default: 1, Latest: 1, Tags: map[string]string{},
	}
}

func (m Managed) version() Version { return Version{1, m.document(), published} }

// services are those that a * before an action's colon stands for in the catalogue:
// the policy language itself wants each to be named.
const services = "access-analyzer account acm apigateway application-autoscaling athena autoscaling backup batch cloudformation cloudfront cloudtrail " +
	"cloudwatch codebuild codedeploy codepipeline cognito-identity cognito-idp config dax dms dynamodb ec2 ecr ecs eks elasticache elasticbeanstalk " +
	"elasticfilesystem elasticloadbalancing elasticmapreduce es events firehose fsx glue guardduty iam inspector2 kafka kinesis kms lambda logs macie2 " +
	"mq network-firewall organizations rds redshift route53 s3 sagemaker secretsmanager securityhub servicecatalog shield sns sqs ssm states sts tag " +
	"transfer waf waf-regional wafv2 workspaces xray"

// spelled returns the actions of a line.
func spelled(actions string) []string {
	var out []string
	for _, a := range strings.Fields(actions) {
		name, every := strings.CutPrefix(a, "*:")
		if !every {
			out = append(out, a)
			continue
		}
		for _, service := range strings.Fields(services) {
			out = append(out, service+":"+name)
		}
	}
	return out
}

// document writes the policy in the policy language.
func (m Managed) document() string {
	var statements []any
	for line := range strings.Lines(m.text) {
		actions, resource, limited := strings.Cut(strings.TrimSpace(line), " on ")
		if !limited {
			resource = "*"
		}
		element := "Action"
		if rest, not := strings.CutPrefix(actions, "not "); not {
			element, actions = "NotAction", rest
		}
		statements = append(statements, map[string]any{"Effect": "Allow", element: spelled(actions), "Resource": resource})
	}
	b, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements}) // of text only
	return string(b)
}
