package store

import "plumb/internal/config"

type storedAggregator struct {
	All          bool     `json:"all,omitempty"` // regions
	Regions      []string `json:"regions,omitzero"`
	Organization bool     `json:"organization,omitempty"`
	RoleARN      string   `json:"roleArn,omitempty"`
	Types        []string `json:"types,omitzero"`
}

func fromAggregator(a config.Aggregator) storedAggregator {
	r := a.SourceRegions()
	s := storedAggregator{All: r.All, Regions: r.Names, Types: a.Types}
	if a.Organization != nil {
		s.Organization, s.RoleARN = true, a.Organization.RoleARN
	}
	return s
}

func (s storedAggregator) toAggregator() config.Aggregator {
	a := config.Aggregator{Types: s.Types}
	r := config.Regions{All: s.All, Names: s.Regions}
	if s.Organization {
		a.Organization = &config.OrganizationSource{Regions: r, RoleARN: s.RoleARN}
	} else {
		a.Accounts = &config.AccountSource{Regions: r}
	}
	return a
}
