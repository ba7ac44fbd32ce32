package store_test

import (
	"plumb/internal/config"
	"plumb/internal/store"
)

var planOrganizationRule = config.OrganizationRule{Place: place, Name: "o", ARN: "arn:aws:config:eu-west-1:123456789012:organization-config-rule/o-abcdefgh"}

// fillOrganizationRules keeps an organization rule with a member.
func fillOrganizationRules(s suite) error {
	if err := store.PutOrganizationRule(s.Context(), s.tx, planOrganizationRule); err != nil {
		return err
	}
	return store.PutMemberRule(s.Context(), s.tx, planOrganizationRule, config.MemberRule{Account: "123456789012"})
}

func init() {
	pagedReads["OrganizationRules"] = func(s suite) error {
		_, err := store.OrganizationRules(s.Context(), s.tx, place, "a", 10)
		return err
	}
	pagedReads["MemberRules"] = func(s suite) error {
		_, err := store.MemberRules(s.Context(), s.tx, planOrganizationRule, "123456789012", 10)
		return err
	}
	unpagedReads["MemberRule"] = func(s suite) error {
		_, err := store.MemberRule(s.Context(), s.tx, planOrganizationRule, "123456789012")
		return err
	}
	unpagedReads["OrganizationRulesOn"] = func(s suite) error {
		_, err := store.OrganizationRulesOn(s.Context(), s.tx, "123456789012")
		return err
	}
	unpagedReads["MemberProgresses"] = func(s suite) error {
		_, err := store.MemberProgresses(s.Context(), s.tx, planOrganizationRule)
		return err
	}
}
