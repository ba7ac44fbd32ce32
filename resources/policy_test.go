package resources_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"plumb/internal/resource"
)

// granted are the actions that the policy for a type allows.
func granted(t *testing.T, cat *resource.Catalogue, typ string) []string {
	t.Helper()
	p, err := cat.Policy(typ)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range p.Statement {
		if s.Effect != "Allow" || s.Resource != "*" {
			t.Errorf("a statement with effect %s and resource %s", s.Effect, s.Resource)
		}
		all = append(all, s.Action...)
	}
	return all
}

func TestEveryCallHasAnActionOfIAM(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)
	cat := load(t)
	for _, info := range cat.Types() {
		all := granted(t, cat, info.Type)
		if len(all) == 0 {
			t.Errorf("%s: no actions", info.Type)
		}
		for _, action := range all {
			if !form.MatchString(action) {
				t.Errorf("%s: action %q", info.Type, action)
			}
		}
	}
}

func TestThePolicyForATypeHasTheActionsOfItsCallsAlone(t *testing.T) {
	cat := load(t)
	for typ, want := range map[string][]string{
		"AWS::SQS::Queue": {"sqs:GetQueueAttributes", "sqs:ListQueueTags", "sqs:ListQueues"},
		"AWS::S3::Bucket": {
			"s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLocation", "s3:GetBucketLogging",
			"s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
			"s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketWebsite",
			"s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets",
		},
		"AWS::S3::AccountPublicAccessBlock": {"s3:GetAccountPublicAccessBlock"},
		"AWS::ApiGatewayV2::Stage":          {"apigateway:GET"},
		"AWS::EFS::AccessPoint":             {"elasticfilesystem:DescribeAccessPoints"},
	} {
		if got := granted(t, cat, typ); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", typ, got, want)
		}
	}
}

func TestThePolicyHasOneStatementForEachService(t *testing.T) {
	p, err := load(t).Policy("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::ACM::Certificate")
	if err != nil || len(p.Statement) != 2 || !strings.HasPrefix(p.Statement[0].Action[0], "acm:") {
		t.Fatalf("%+v, %v", p, err)
	}
	if all := p.Statement[1].Action; !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("actions are not in order, each once: %q", all)
	}
}
