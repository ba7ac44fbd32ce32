package config

import (
	"strings"
	"time"
)

// What is being done with an organization's rule or pack, or was done last.
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

// A DeploymentKind is what an organization can have its members carry.
type DeploymentKind string

// The kinds.
const (
	DeployedRule DeploymentKind = "rule"
	DeployedPack DeploymentKind = "pack"
)

// An OrganizationDeployment is what organization rules and organization packs have
// in common: every member of an organization carries them in the region of the
// place, which is of the account that put them.
type OrganizationDeployment struct {
	Place
	Kind       DeploymentKind
	Name, ARN  string
	Excluded   []string // accounts that do not get it
	Operation  string
	Spreading  bool  // not every member was looked at
	Generation int64 // counts definitions
	Updated    time.Time
}

// suffixed returns the name that it has in the members: the suffix is that of the
// ARN.
func (o OrganizationDeployment) suffixed(prefix string) string {
	return prefix + o.ARN[strings.LastIndexByte(o.ARN, '/')+1:]
}

// MemberName is the name of the rule or the pack in the members.
func (o OrganizationDeployment) MemberName() string {
	if o.Kind == DeployedPack {
		return o.suffixed("OrgConformsPack-")
	}
	return o.suffixed("OrgConfigRule-")
}

// An OrganizationMember is what became of an organization's rule or pack in one
// account.
type OrganizationMember struct {
	Account   string
	Operation string
	Progress  string
	Code      string // of what went wrong
	Message   string
	Since     time.Time // when it was first tried
	Updated   time.Time
	Handed    int64 // the generation that the account's pack was last put with
}
