package identity

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/iamapi"
)

// A linked is what AWS calls a service's role, and the policy that it attaches.
type linked struct{ name, policy string }

var linkedRoles = map[string]linked{
	"access-analyzer.amazonaws.com":          {"AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"},
	"autoscaling.amazonaws.com":              {"AutoScaling", "AutoScalingServiceRolePolicy"},
	"backup.amazonaws.com":                   {"Backup", "AWSBackupServiceLinkedRolePolicyForBackup"},
	"cloudtrail.amazonaws.com":               {"CloudTrail", "CloudTrailServiceRolePolicy"},
	"config.amazonaws.com":                   {"Config", "AWSConfigServiceRolePolicy"},
	"config-conforms.amazonaws.com":          {"ConfigConforms", "ConfigConformsServiceRolePolicy"},
	"config-multiaccountsetup.amazonaws.com": {"ConfigMultiAccountSetup", "AWSConfigMultiAccountSetupPolicy"},
	"remediation.config.amazonaws.com":       {"ConfigRemediation", "AWSConfigRemediationServiceRolePolicy"},
	"ecs.amazonaws.com":                      {"ECS", "AmazonECSServiceRolePolicy"},
	"eks.amazonaws.com":                      {"AmazonEKS", "AmazonEKSServiceRolePolicy"},
	"elasticache.amazonaws.com":              {"ElastiCache", "ElastiCacheServiceRolePolicy"},
	"elasticloadbalancing.amazonaws.com":     {"ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"},
	"es.amazonaws.com":                       {"AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"},
	"opensearchservice.amazonaws.com":        {"AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"},
	"guardduty.amazonaws.com":                {"AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"},
	"inspector2.amazonaws.com":               {"AmazonInspector2", "AmazonInspector2ServiceRolePolicy"},
	"macie.amazonaws.com":                    {"AmazonMacie", "AmazonMacieServiceRolePolicy"},
	"organizations.amazonaws.com":            {"Organizations", "AWSOrganizationsServiceTrustPolicy"},
	"rds.amazonaws.com":                      {"RDS", "AmazonRDSServiceRolePolicy"},
	"securityhub.amazonaws.com":              {"SecurityHub", "AWSSecurityHubServiceRolePolicy"},
	"spot.amazonaws.com":                     {"EC2Spot", "AWSEC2SpotServiceRolePolicy"},
	"ssm.amazonaws.com":                      {"AmazonSSM", "AmazonSSMServiceRolePolicy"},
	"support.amazonaws.com":                  {"Support", "AWSSupportServiceRolePolicy"},
	"trustedadvisor.amazonaws.com":           {"TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"},
}

// suffixed are the services whose roles may have a suffix.
var suffixed = map[string]bool{"autoscaling.amazonaws.com": true}

// LinkedName returns what a service's own role is called.
func LinkedName(service string) string {
	if l, ok := linkedRoles[service]; ok {
		return "AWSServiceRoleFor" + l.name
	}
	var b strings.Builder
	for _, word := range strings.FieldsFunc(strings.TrimSuffix(service, ".amazonaws.com"), func(r rune) bool { return r == '-' || r == '.' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return "AWSServiceRoleFor" + b.String()
}

var validService = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$`)

// CreateLinked makes the role of a service.
func (s *Store) CreateLinked(ctx context.Context, tx *db.Tx, account, service, suffix, description string) (Entity, error) {
	if !validService.MatchString(service) {
		return Entity{}, iamapi.InvalidInputException("Invalid service principal %s", service)
	}
	name := LinkedName(service)
	if suffix != "" {
		if !suffixed[service] {
			return Entity{}, iamapi.InvalidInputException("Custom suffix is not allowed for %s", service)
		}
		name += "_" + suffix
	}
	trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Principal": map[string]string{"Service": service}, "Action": "sts:AssumeRole"},
	}})
	if err != nil {
		return Entity{}, err
	}
	e, err := s.Create(ctx, tx, Entity{
		Account: account, Kind: Role, Name: name, Path: "/aws-service-role/" + service + "/", Trust: string(trust), Service: service,
		MaxSession: 3600, Description: description,
	})
	if err == nil {
		if l, ok := linkedRoles[service]; ok {
			err = s.attach(ctx, tx, e, awsPolicy+"aws-service-role/"+l.policy)
		}
		return e, err
	}
	if model.IsCode(err, "EntityAlreadyExists") {
		err = iamapi.InvalidInputException("Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	return e, err
}

// DeleteLinked removes the role of a service.
func (s *Store) DeleteLinked(ctx context.Context, tx *db.Tx, account, name string) (Entity, error) {
	if err := lock(ctx, tx, account); err != nil {
		return Entity{}, err
	}
	e, err := Find(ctx, tx, account, Role, name)
	if err == nil && e.Service == "" {
		err = missing(Role, name)
	}
	if err != nil {
		return e, err
	}
	return e, s.remove(ctx, tx, e)
}
