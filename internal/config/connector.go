package config

import "time"

// A Connector is a connection to Azure, the one other provider that AWS Config
// names.
type Connector struct {
	Place
	Name    string
	ARN     string // made of the place and the name
	Tenant  string // tenantIdentifier
	Client  string // clientIdentifier
	Created time.Time
}

// A ThirdPartyScope says what a service records through a connector.
type ThirdPartyScope struct {
	Type       string // tenant or subscription
	Values     []string
	AllRegions bool
	Regions    []string
}
