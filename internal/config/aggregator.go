package config

import (
	"slices"
	"time"
)

// An Aggregator shows several accounts and regions as one. Exactly one of its two
// sources is set.
type Aggregator struct {
	Place
	Name, ARN    string
	Accounts     *AccountSource
	Organization *OrganizationSource
	Types        []string // that it shows, as put; none means all
	Created      time.Time
	Updated      time.Time
}

// Regions are those of an aggregator's source: a list, or all that there are.
type Regions struct {
	All   bool
	Names []string
}

// Include reports whether a region is among them.
func (r Regions) Include(region string) bool { return r.All || slices.Contains(r.Names, region) }

// An AccountSource names the accounts that an aggregator shows. The list itself,
// which may be long, is kept apart: it is here only where somebody puts it.
type AccountSource struct {
	Regions
	IDs []string
}

// An OrganizationSource is all accounts of the organization.
type OrganizationSource struct {
	Regions
	RoleARN string
}

// SourceRegions are the regions of the aggregator's source.
func (a Aggregator) SourceRegions() Regions {
	if a.Organization != nil {
		return a.Organization.Regions
	}
	return a.Accounts.Regions
}

// Shows reports whether the aggregator shows resources of a type.
func (a Aggregator) Shows(resourceType string) bool {
	return len(a.Types) == 0 || slices.Contains(a.Types, resourceType)
}

// An AggregationAuthorization lets the aggregators of another account, in one
// region, show a place.
type AggregationAuthorization struct {
	Place
	Authorized Place
	ARN        string
	Created    time.Time
}
