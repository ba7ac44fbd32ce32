package config

import "slices"

// An OrganizationRule is a rule that every member of an organization has.
type OrganizationRule struct {
	OrganizationDeployment
	Rule          Rule     // as members get it, without place and identity
	DebugAccounts []string // whose policy rule writes a debug log
}

// For returns the rule as a member gets it.
func (o OrganizationRule) For(account string) Rule {
	r := o.Rule
	r.Place, r.Name = Place{Account: account, Region: o.Region}, o.MemberName()
	if r.Source.Policy != nil {
		policy := *r.Source.Policy
		policy.Debug = slices.Contains(o.DebugAccounts, account)
		r.Source.Policy = &policy
	}
	return r
}
