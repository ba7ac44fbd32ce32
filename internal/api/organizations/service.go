package organizations

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
)

func (f face) registerServices(s *organizationsapi.Service) {
	s.EnableAWSServiceAccess(f.EnableAWSServiceAccess)
	s.DisableAWSServiceAccess(f.DisableAWSServiceAccess)
	s.ListAWSServiceAccessForOrganization(f.ListAWSServiceAccessForOrganization)
	s.RegisterDelegatedAdministrator(f.RegisterDelegatedAdministrator)
	s.DeregisterDelegatedAdministrator(f.DeregisterDelegatedAdministrator)
	s.ListDelegatedAdministrators(f.ListDelegatedAdministrators)
	s.ListDelegatedServicesForAccount(f.ListDelegatedServicesForAccount)
}

// EnableAWSServiceAccess lets a service act in all accounts.
func (f face) EnableAWSServiceAccess(
	ctx context.Context, in *organizationsapi.EnableAWSServiceAccessInput,
) (*organizationsapi.EnableAWSServiceAccessOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.EnableService(ctx, tx, o, text(in.ServicePrincipal))
	})
	return &organizationsapi.EnableAWSServiceAccessOutput{}, err
}

// DisableAWSServiceAccess takes that back.
func (f face) DisableAWSServiceAccess(
	ctx context.Context, in *organizationsapi.DisableAWSServiceAccessInput,
) (*organizationsapi.DisableAWSServiceAccessOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.DisableService(ctx, tx, o, text(in.ServicePrincipal))
	})
	return &organizationsapi.DisableAWSServiceAccessOutput{}, err
}

func principal(s organization.Service) string { return s.Principal }

// ListAWSServiceAccessForOrganization lists the services that may act in all
// accounts.
func (f face) ListAWSServiceAccessForOrganization(
	ctx context.Context, in *organizationsapi.ListAWSServiceAccessForOrganizationInput,
) (*organizationsapi.ListAWSServiceAccessForOrganizationOutput, error) {
	l := f.list(ctx, "ListAWSServiceAccessForOrganization", in.MaxResults)
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListAWSServiceAccessForOrganizationOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		found, err := organization.Services(ctx, tx, o, after, l.n+1)
		out.EnabledServicePrincipals, out.NextToken = cut(l, found, principal, func(s organization.Service) organizationsapi.EnabledServicePrincipal {
			return organizationsapi.EnabledServicePrincipal{ServicePrincipal: &s.Principal, DateEnabled: &s.Enabled}
		})
		return err
	})
	return out, err
}

// RegisterDelegatedAdministrator has a member administer a service for the others.
func (f face) RegisterDelegatedAdministrator(
	ctx context.Context, in *organizationsapi.RegisterDelegatedAdministratorInput,
) (*organizationsapi.RegisterDelegatedAdministratorOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.Register(ctx, tx, o, text(in.AccountId), text(in.ServicePrincipal))
	})
	return &organizationsapi.RegisterDelegatedAdministratorOutput{}, err
}

// DeregisterDelegatedAdministrator takes that back.
func (f face) DeregisterDelegatedAdministrator(
	ctx context.Context, in *organizationsapi.DeregisterDelegatedAdministratorInput,
) (*organizationsapi.DeregisterDelegatedAdministratorOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.Deregister(ctx, tx, o, text(in.AccountId), text(in.ServicePrincipal))
	})
	return &organizationsapi.DeregisterDelegatedAdministratorOutput{}, err
}

// ListDelegatedAdministrators lists the members that administer a service, or any.
func (f face) ListDelegatedAdministrators(
	ctx context.Context, in *organizationsapi.ListDelegatedAdministratorsInput,
) (*organizationsapi.ListDelegatedAdministratorsOutput, error) {
	l := f.list(ctx, "ListDelegatedAdministrators", in.MaxResults, text(in.ServicePrincipal))
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListDelegatedAdministratorsOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		found, err := organization.Delegates(ctx, tx, o, text(in.ServicePrincipal), after, l.n+1)
		out.DelegatedAdministrators, out.NextToken = cut(l, found, func(d organization.Delegate) string { return d.ID },
			func(d organization.Delegate) organizationsapi.DelegatedAdministrator {
				a := accountShape(o)(d.Account)
				return organizationsapi.DelegatedAdministrator{
					Id: a.Id, Arn: a.Arn, Name: a.Name, Email: a.Email, Status: a.Status, State: a.State, JoinedMethod: a.JoinedMethod,
					JoinedTimestamp: a.JoinedTimestamp, DelegationEnabledDate: &d.Enabled,
				}
			})
		return err
	})
	return out, err
}

// ListDelegatedServicesForAccount lists the services that a member administers.
func (f face) ListDelegatedServicesForAccount(
	ctx context.Context, in *organizationsapi.ListDelegatedServicesForAccountInput,
) (*organizationsapi.ListDelegatedServicesForAccountOutput, error) {
	l := f.list(ctx, "ListDelegatedServicesForAccount", in.MaxResults, text(in.AccountId))
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListDelegatedServicesForAccountOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if _, err := organization.Find(ctx, tx, o, text(in.AccountId)); err != nil {
			return err
		}
		found, err := organization.DelegatedServices(ctx, tx, o, text(in.AccountId), after, l.n+1)
		if err == nil && len(found) == 0 && after == "" {
			return organizationsapi.AccountNotRegisteredException("The provided account is not a registered delegated administrator for your organization.")
		}
		out.DelegatedServices, out.NextToken = cut(l, found, principal, func(s organization.Service) organizationsapi.DelegatedService {
			return organizationsapi.DelegatedService{ServicePrincipal: &s.Principal, DelegationEnabledDate: &s.Enabled}
		})
		return err
	})
	return out, err
}
