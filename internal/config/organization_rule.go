package config

import (
	"slices"
	"strings"
	"time"
)

// What is being done with an organization rule, or was done last.
const (
	OrganizationCreate = "CREATE"
	OrganizationUpdate = "UPDATE"
	OrganizationDelete = "DELETE"
)

// How far it is, with the members and as a whole.
const (
	OrganizationInProgress = "IN_PROGRESS"
	OrganizationSuccessful = "SUCCESSFUL"
	OrganizationFailed     = "FAILED"
)

// An OrganizationRule is a rule that every member of an organization has, in the
// region of its place. The place is of the account that put it.
type OrganizationRule struct {
	Place
	Name, ARN     string
	Rule          Rule     // as members get it, without place and identity
	Excluded      []string // accounts that do not get it
	DebugAccounts []string // whose policy rule writes a debug log
	Operation     string
	Spreading     bool // not every member was looked at
	Generation    int64
	Updated       time.Time
}

// MemberName is the name of the rule in the members: the suffix is that of the
// ARN.
func (o OrganizationRule) MemberName() string {
	return "OrgConfigRule-" + o.ARN[strings.LastIndexByte(o.ARN, '/')+1:]
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

// A MemberRule is what became of an organization rule in one account.
type MemberRule struct {
	Account   string
	Operation string
	Progress  string
	Code      string // of what went wrong
	Message   string
	Since     time.Time // when it was first tried
	Updated   time.Time
}
