package aggregation

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/organization"
	"plumb/internal/store"
)

// shownOrganization returns the organization that an account may show: the
// management account, or one that administers the service for it.
func shownOrganization(ctx context.Context, tx *db.Tx, account string) (o organization.Organization, may bool, err error) {
	o, err = organization.Of(ctx, tx, account)
	if err != nil || o.Management == account {
		return o, err == nil, err
	}
	may, err = organization.Administers(ctx, tx, o, account, organization.Aggregating)
	return o, may, err
}

// mayShowOrganization checks who puts an aggregator of an organization. The call
// of the management account enables the service, as in AWS.
func (g *Aggregation) mayShowOrganization(ctx context.Context, tx *db.Tx, a config.Aggregator) error {
	o, may, err := shownOrganization(ctx, tx, a.Account)
	switch {
	case errors.Is(err, organization.ErrNone):
		return configapi.NoAvailableOrganizationException("The account %s is in no organization.", a.Account)
	case err != nil:
		return err
	case !may:
		return configapi.OrganizationAccessDeniedException("This action can only be performed by the management account of the organization or by a registered delegated administrator for AWS Config.")
	case o.Features != organization.AllFeatures:
		return configapi.OrganizationAllFeaturesNotEnabledException("The organization does not have all features enabled.")
	case o.Management != a.Account:
		return nil
	}
	return g.orgs.EnableService(ctx, tx, o, organization.Aggregating)
}

// sourceAccounts returns accounts of an aggregator's source from the given one on,
// in their order. An organization that its aggregator may not show any more has
// none.
func sourceAccounts(ctx context.Context, tx *db.Tx, a config.Aggregator, from string) ([]string, error) {
	if a.Organization == nil {
		return store.SourceAccounts(ctx, tx, a, from, accountPage)
	}
	o, may, err := shownOrganization(ctx, tx, a.Account)
	if errors.Is(err, organization.ErrNone) || err == nil && !may {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, err := organization.Accounts(ctx, tx, o, "", justBefore(from), accountPage)
	var out []string
	for _, m := range members {
		out = append(out, m.ID)
	}
	return out, err
}

// justBefore returns a text between those before an account and the account.
func justBefore(account string) string {
	if account == "" {
		return ""
	}
	last := len(account) - 1
	return account[:last] + string(account[last]-1) + "~"
}

// organizationStatus is the one row of an aggregator of an organization.
func (g *Aggregation) organizationStatus(ctx context.Context, tx *db.Tx, a config.Aggregator) (SourceStatus, error) {
	s := SourceStatus{Organization: true, Place: config.Place{Account: "Organization"}, Status: Succeeded, Updated: g.now()}
	o, may, err := shownOrganization(ctx, tx, a.Account)
	switch {
	case errors.Is(err, organization.ErrNone) || err == nil && !may:
		s.Status, s.Updated, s.Code = Failed, time.Time{}, "OrganizationAccessDenied"
		s.Message = "The account is neither the management account of an organization nor a delegated administrator of it."
		return s, nil
	case err != nil:
		return s, err
	}
	s.Account = o.ID
	return s, nil
}
