package organizations

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
)

func (f face) registerAccounts(s *organizationsapi.Service) {
	s.CreateAccount(f.CreateAccount)
	s.DescribeCreateAccountStatus(f.DescribeCreateAccountStatus)
	s.ListCreateAccountStatus(f.ListCreateAccountStatus)
	s.DescribeAccount(f.DescribeAccount)
	s.ListAccounts(f.ListAccounts)
	s.ListAccountsForParent(f.ListAccountsForParent)
	s.MoveAccount(f.MoveAccount)
	s.RemoveAccountFromOrganization(f.RemoveAccountFromOrganization)
	s.LeaveOrganization(f.LeaveOrganization)
}

// CreateAccount makes a new account, which is there at once.
func (f face) CreateAccount(ctx context.Context, in *organizationsapi.CreateAccountInput) (*organizationsapi.CreateAccountOutput, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.CreateAccountOutput{}
	err = f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		c, err := f.orgs.CreateAccount(ctx, tx, o, text(in.AccountName), text(in.Email), tags)
		out.CreateAccountStatus = new(creationShape(c))
		return err
	})
	return out, err
}

func creationShape(c organization.Creation) organizationsapi.CreateAccountStatus {
	return organizationsapi.CreateAccountStatus{
		Id: &c.ID, AccountId: &c.Account, AccountName: &c.Name, State: organizationsapi.CreateAccountStateSucceeded,
		RequestedTimestamp: &c.At, CompletedTimestamp: &c.At,
	}
}

// DescribeCreateAccountStatus tells what became of a request.
func (f face) DescribeCreateAccountStatus(
	ctx context.Context, in *organizationsapi.DescribeCreateAccountStatusInput,
) (*organizationsapi.DescribeCreateAccountStatusOutput, error) {
	out := &organizationsapi.DescribeCreateAccountStatusOutput{}
	err := f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		found, err := organization.Creations(ctx, tx, o, text(in.CreateAccountRequestId), 1, true)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return organizationsapi.CreateAccountStatusNotFoundException("We can't find an create account request with the CreateAccountRequestId that you specified.")
		}
		out.CreateAccountStatus = new(creationShape(found[0]))
		return nil
	})
	return out, err
}

// ListCreateAccountStatus lists requests of some states; all of them succeeded.
func (f face) ListCreateAccountStatus(
	ctx context.Context, in *organizationsapi.ListCreateAccountStatusInput,
) (*organizationsapi.ListCreateAccountStatusOutput, error) {
	wanted, filter := len(in.States) == 0, ""
	for _, s := range in.States {
		wanted = wanted || s == organizationsapi.CreateAccountStateSucceeded
		filter += string(s) + " "
	}
	l := f.list(ctx, "ListCreateAccountStatus", in.MaxResults, filter)
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListCreateAccountStatusOutput{CreateAccountStatuses: []organizationsapi.CreateAccountStatus{}}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if !wanted {
			return nil
		}
		found, err := organization.Creations(ctx, tx, o, after, l.n+1, false)
		out.CreateAccountStatuses, out.NextToken = cut(l, found, func(c organization.Creation) string { return c.ID }, creationShape)
		return err
	})
	return out, err
}

// DescribeAccount tells about a member.
func (f face) DescribeAccount(ctx context.Context, in *organizationsapi.DescribeAccountInput) (*organizationsapi.DescribeAccountOutput, error) {
	out := &organizationsapi.DescribeAccountOutput{}
	err := f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		a, err := organization.Find(ctx, tx, o, text(in.AccountId))
		out.Account = new(accountShape(o)(a))
		return err
	})
	return out, err
}

func accountShape(o organization.Organization) func(organization.Account) organizationsapi.Account {
	return func(a organization.Account) organizationsapi.Account {
		return organizationsapi.Account{
			Id: &a.ID, Arn: new(o.ARN("account", a.ID)), Name: &a.Name, Email: &a.Email, Status: organizationsapi.AccountStatusActive,
			State: organizationsapi.AccountStateActive, JoinedMethod: organizationsapi.AccountJoinedMethod(a.Method), JoinedTimestamp: &a.Joined,
		}
	}
}

func accountID(a organization.Account) string { return a.ID }

// ListAccounts lists the members.
func (f face) ListAccounts(ctx context.Context, in *organizationsapi.ListAccountsInput) (*organizationsapi.ListAccountsOutput, error) {
	l := f.list(ctx, "ListAccounts", in.MaxResults)
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListAccountsOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		found, err := organization.Accounts(ctx, tx, o, "", after, l.n+1)
		out.Accounts, out.NextToken = cut(l, found, accountID, accountShape(o))
		return err
	})
	return out, err
}

// ListAccountsForParent lists the members right below the root or a unit.
func (f face) ListAccountsForParent(
	ctx context.Context, in *organizationsapi.ListAccountsForParentInput,
) (*organizationsapi.ListAccountsForParentOutput, error) {
	l := f.list(ctx, "ListAccountsForParent", in.MaxResults, text(in.ParentId))
	after, err := l.after(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizationsapi.ListAccountsForParentOutput{}
	err = f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Parent(ctx, tx, o, text(in.ParentId)); err != nil {
			return err
		}
		found, err := organization.Accounts(ctx, tx, o, text(in.ParentId), after, l.n+1)
		out.Accounts, out.NextToken = cut(l, found, accountID, accountShape(o))
		return err
	})
	return out, err
}

// MoveAccount puts a member below another parent.
func (f face) MoveAccount(ctx context.Context, in *organizationsapi.MoveAccountInput) (*organizationsapi.MoveAccountOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.Move(ctx, tx, o, text(in.AccountId), text(in.SourceParentId), text(in.DestinationParentId))
	})
	return &organizationsapi.MoveAccountOutput{}, err
}

// RemoveAccountFromOrganization takes a member out.
func (f face) RemoveAccountFromOrganization(
	ctx context.Context, in *organizationsapi.RemoveAccountFromOrganizationInput,
) (*organizationsapi.RemoveAccountFromOrganizationOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.Remove(ctx, tx, o, text(in.AccountId))
	})
	return &organizationsapi.RemoveAccountFromOrganizationOutput{}, err
}

// LeaveOrganization takes the caller's account out.
func (f face) LeaveOrganization(ctx context.Context, _ *organizationsapi.LeaveOrganizationInput) (*organizationsapi.LeaveOrganizationOutput, error) {
	err := f.write(ctx, organization.Member, func(tx *db.Tx, o organization.Organization) error {
		return f.orgs.Remove(ctx, tx, o, caller.From(ctx).Account)
	})
	return &organizationsapi.LeaveOrganizationOutput{}, err
}
