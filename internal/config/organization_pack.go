package config

// An OrganizationPack is a conformance pack that every member of an organization
// has.
type OrganizationPack struct {
	OrganizationDeployment
	DeliveryBucket string
	DeliveryPrefix string
	Parameters     []PackParameter // as given, in their order
}

// For returns the pack as a member gets it, without identity.
func (o OrganizationPack) For(account string) ConformancePack {
	return ConformancePack{
		Place: Place{Account: account, Region: o.Region}, Name: o.MemberName(),
		DeliveryBucket: o.DeliveryBucket, DeliveryPrefix: o.DeliveryPrefix, Parameters: o.Parameters,
	}
}
