package store_test

import (
	"plumb/internal/config"
	"plumb/internal/store"
)

var planOrganizationRule = config.OrganizationRule{OrganizationDeployment: config.OrganizationDeployment{
	Place: place, Kind: config.DeployedRule, Name: "o", ARN: "arn:aws:config:eu-west-1:123456789012:organization-config-rule/o-abcdefgh"}}

var planDeployment = planOrganizationRule.OrganizationDeployment

// fillOrganizationRules keeps an organization rule with a member.
func fillOrganizationRules(s suite) error {
	if err := store.PutOrganizationRule(s.Context(), s.tx, planOrganizationRule); err != nil {
		return err
	}
	return store.PutOrganizationMember(s.Context(), s.tx, planDeployment, config.OrganizationMember{Account: "123456789012"})
}

func init() {
	pagedReads["OrganizationRules"] = func(s suite) error {
		_, err := store.OrganizationRules(s.Context(), s.tx, place, "a", 10)
		return err
	}
	pagedReads["OrganizationPacks"] = func(s suite) error {
		_, err := store.OrganizationPacks(s.Context(), s.tx, place, "a", 10)
		return err
	}
	pagedReads["OrganizationMembers"] = func(s suite) error {
		_, err := store.OrganizationMembers(s.Context(), s.tx, planDeployment, "123456789012", 10)
		return err
	}
	unpagedReads["OrganizationMember"] = func(s suite) error {
		_, err := store.OrganizationMember(s.Context(), s.tx, planDeployment, "123456789012")
		return err
	}
	unpagedReads["OrganizationDeploymentsOn"] = func(s suite) error {
		_, err := store.OrganizationDeploymentsOn(s.Context(), s.tx, "123456789012")
		return err
	}
	unpagedReads["CountOrganizationDeployments"] = func(s suite) error {
		_, err := store.CountOrganizationDeployments(s.Context(), s.tx, place, config.DeployedRule)
		return err
	}
	unpagedReads["MemberProgresses"] = func(s suite) error {
		_, err := store.MemberProgresses(s.Context(), s.tx, planDeployment)
		return err
	}
}
