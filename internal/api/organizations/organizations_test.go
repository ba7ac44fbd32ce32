package organizations_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

const (
	management = "111111111111"
	member     = "222222222222"
	stranger   = "333333333333"
)

// A side is one account's view of the server.
type side struct {
	*organizations.Client
	t *testing.T
}

func as(t *testing.T, p *apptest.Plumb, account string) side {
	return side{p.As(account, "us-east-1").Organizations(), t}
}

func (s side) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s side) refused(err error, code string) {
	s.t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		s.t.Fatalf("got %v, want %s", err, code)
	}
}

func (s side) equal(got, want any) {
	s.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Fatalf("got  %v\nwant %v", got, want)
	}
}

// found makes an organization.
func (s side) found() *types.Organization {
	s.t.Helper()
	out, err := s.CreateOrganization(s.t.Context(), &organizations.CreateOrganizationInput{})
	s.must(err)
	return out.Organization
}

// account creates a member and returns its id.
func (s side) account(name string) string {
	s.t.Helper()
	out, err := s.CreateAccount(s.t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: new(name + "@example.com")})
	s.must(err)
	status, err := s.DescribeCreateAccountStatus(s.t.Context(), &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: out.CreateAccountStatus.Id})
	s.must(err)
	s.equal(status.CreateAccountStatus.State, types.CreateAccountStateSucceeded)
	return *status.CreateAccountStatus.AccountId
}

func (s side) root() *string {
	s.t.Helper()
	out, err := s.ListRoots(s.t.Context(), &organizations.ListRootsInput{})
	s.must(err)
	return out.Roots[0].Id
}

func (s side) members() (out []string) {
	s.t.Helper()
	pages := organizations.NewListAccountsPaginator(s.Client, &organizations.ListAccountsInput{MaxResults: new(int32(2))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		s.must(err)
		for _, a := range page.Accounts {
			out = append(out, *a.Id)
		}
	}
	return out
}

func TestAnOrganizationGrowsAndIsDissolved(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, m := t.Context(), as(t, p, management)
		_, err := m.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		m.refused(err, "AWSOrganizationsNotInUseException")
		o := m.found()
		m.equal(*o.MasterAccountId, management)
		m.equal(*o.Arn, "arn:aws:organizations::"+management+":organization/"+*o.Id)
		m.equal(o.FeatureSet, "ALL")
		_, err = m.CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
		m.refused(err, "AlreadyInOrganizationException")

		a, b := m.account("a"), m.account("b")
		p.Restart(t)
		m = as(t, p, management)
		m.equal(len(m.members()), 3)
		found, err := m.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &a})
		m.must(err)
		m.equal(*found.Account.Name+string(found.Account.Status)+string(found.Account.JoinedMethod), "aACTIVECREATED")
		_, err = m.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: new(stranger)})
		m.refused(err, "AccountNotFoundException")
		_, err = m.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("x"), Email: new("a(b)@example.com")})
		m.refused(err, "InvalidInputException")
		created, err := m.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{States: []types.CreateAccountState{types.CreateAccountStateSucceeded}})
		m.must(err)
		m.equal(len(created.CreateAccountStatuses), 2)
		_, err = m.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: new("car-aaaaaaaaaaaa")})
		m.refused(err, "CreateAccountStatusNotFoundException")

		child := as(t, p, a)
		seen, err := child.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		child.must(err)
		child.equal(*seen.Organization.Id, *o.Id)
		_, err = child.ListAccounts(ctx, &organizations.ListAccountsInput{})
		child.refused(err, "AccessDeniedException")
		_, err = child.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
		child.refused(err, "AccessDeniedException")

		_, err = m.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
		m.refused(err, "OrganizationNotEmptyException")
		_, err = child.LeaveOrganization(ctx, &organizations.LeaveOrganizationInput{})
		child.must(err)
		_, err = m.LeaveOrganization(ctx, &organizations.LeaveOrganizationInput{})
		m.refused(err, "MasterCannotLeaveOrganizationException")
		_, err = m.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: &b})
		m.must(err)
		_, err = m.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: &b})
		m.refused(err, "AccountNotFoundException")
		_, err = m.DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
		m.must(err)
		_, err = m.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		m.refused(err, "AWSOrganizationsNotInUseException")
		m.found()
	})
}

func TestUnitsAreATree(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, m := t.Context(), as(t, p, management)
		m.found()
		root, a := m.root(), m.account("a")
		unit := func(parent *string, name string) (*string, error) {
			out, err := m.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: parent, Name: &name})
			if err != nil {
				return nil, err
			}
			return out.OrganizationalUnit.Id, nil
		}
		top, err := unit(root, "top")
		m.must(err)
		_, err = unit(root, "top")
		m.refused(err, "DuplicateOrganizationalUnitException")
		_, err = unit(new("ou-aaaa-bbbbbbbb"), "x")
		m.refused(err, "ParentNotFoundException")
		below := top
		for i := range 4 {
			below, err = unit(below, fmt.Sprint("level", i))
			m.must(err)
		}
		_, err = unit(below, "too-deep")
		m.refused(err, "ConstraintViolationException")
		move := func(from, to *string) error {
			_, err := m.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: &a, SourceParentId: from, DestinationParentId: to})
			return err
		}
		m.must(move(root, top))
		m.refused(move(root, top), "SourceParentNotFoundException")
		m.refused(move(top, new("ou-aaaa-bbbbbbbb")), "DestinationParentNotFoundException")
		m.refused(move(top, top), "DuplicateAccountException")
		in, err := m.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: top})
		m.must(err)
		m.equal(*in.Accounts[0].Id, a)
		parents, err := m.ListParents(ctx, &organizations.ListParentsInput{ChildId: &a})
		m.must(err)
		m.equal(*parents.Parents[0].Id+string(parents.Parents[0].Type), *top+"ORGANIZATIONAL_UNIT")
		_, err = m.ListParents(ctx, &organizations.ListParentsInput{ChildId: new(stranger)})
		m.refused(err, "ChildNotFoundException")
		children, err := m.ListChildren(ctx, &organizations.ListChildrenInput{ParentId: top, ChildType: types.ChildTypeOrganizationalUnit})
		m.must(err)
		m.equal(len(children.Children), 1)
		children, err = m.ListChildren(ctx, &organizations.ListChildrenInput{ParentId: top, ChildType: types.ChildTypeAccount})
		m.must(err)
		m.equal(*children.Children[0].Id, a)
		units, err := m.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: root})
		m.must(err)
		m.equal(len(units.OrganizationalUnits), 1)
		_, err = m.UpdateOrganizationalUnit(ctx, &organizations.UpdateOrganizationalUnitInput{OrganizationalUnitId: below, Name: new("leaf")})
		m.must(err)
		leaf, err := m.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: below})
		m.must(err)
		m.equal(*leaf.OrganizationalUnit.Name, "leaf")
		remove := func(id *string) error {
			_, err := m.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: id})
			return err
		}
		m.refused(remove(top), "OrganizationalUnitNotEmptyException")
		m.must(remove(below))
		m.refused(remove(below), "OrganizationalUnitNotFoundException")

		tag := func(id string, keys ...string) error {
			in := &organizations.TagResourceInput{ResourceId: &id}
			for _, k := range keys {
				in.Tags = append(in.Tags, types.Tag{Key: new(k), Value: new("v")})
			}
			_, err := m.TagResource(ctx, in)
			return err
		}
		m.must(tag(a, "one", "two"))
		m.refused(tag(a, "x", "x"), "InvalidInputException")
		m.refused(tag(stranger, "x"), "TargetNotFoundException")
		_, err = m.UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: &a, TagKeys: []string{"one", "none"}})
		m.must(err)
		tags, err := m.ListTagsForResource(ctx, &organizations.ListTagsForResourceInput{ResourceId: &a})
		m.must(err)
		m.equal(len(tags.Tags), 1)
	})
}

func TestAnAccountJoinsWhenItAcceptsAnInvitation(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, m, guest := t.Context(), as(t, p, management), as(t, p, member)
		m.found()
		invite := func(account string) (*types.Handshake, error) {
			out, err := m.InviteAccountToOrganization(ctx, &organizations.InviteAccountToOrganizationInput{
				Target: &types.HandshakeParty{Id: &account, Type: types.HandshakePartyTypeAccount}, Notes: new("please")})
			if err != nil {
				return nil, err
			}
			return out.Handshake, nil
		}
		h, err := invite(member)
		m.must(err)
		m.equal(h.State, "REQUESTED")
		_, err = invite(member)
		m.refused(err, "DuplicateHandshakeException")
		_, err = m.InviteAccountToOrganization(ctx, &organizations.InviteAccountToOrganizationInput{Target: &types.HandshakeParty{Id: new("a@example.com"), Type: types.HandshakePartyTypeEmail}})
		m.refused(err, "InvalidInputException")
		mine, err := guest.ListHandshakesForAccount(ctx, &organizations.ListHandshakesForAccountInput{})
		guest.must(err)
		guest.equal(*mine.Handshakes[0].Id, *h.Id)
		accept := func(s side) error {
			_, err := s.AcceptHandshake(ctx, &organizations.AcceptHandshakeInput{HandshakeId: h.Id})
			return err
		}
		m.refused(accept(m), "AccessDeniedException")
		other := as(t, p, stranger)
		other.refused(accept(other), "HandshakeNotFoundException")
		guest.must(accept(guest))
		guest.refused(accept(guest), "HandshakeAlreadyInStateException")
		m.equal(m.members(), []string{management, member})
		_, err = m.CancelHandshake(ctx, &organizations.CancelHandshakeInput{HandshakeId: h.Id})
		m.refused(err, "InvalidHandshakeTransitionException")

		h, err = invite(stranger)
		m.must(err)
		_, err = other.DeclineHandshake(ctx, &organizations.DeclineHandshakeInput{HandshakeId: h.Id})
		other.must(err)
		h, err = invite(stranger)
		m.must(err)
		_, err = m.CancelHandshake(ctx, &organizations.CancelHandshakeInput{HandshakeId: h.Id})
		m.must(err)
		h, err = invite(stranger)
		m.must(err)
		p.Clock().Advance(16 * 24 * time.Hour)
		now, err := other.DescribeHandshake(ctx, &organizations.DescribeHandshakeInput{HandshakeId: h.Id})
		other.must(err)
		other.equal(now.Handshake.State, "EXPIRED")
		other.refused(accept(other), "InvalidHandshakeTransitionException")
		all, err := m.ListHandshakesForOrganization(ctx, &organizations.ListHandshakesForOrganizationInput{})
		m.must(err)
		m.equal(len(all.Handshakes), 4)
	})
}

func TestAMemberAdministersAServiceForTheOthers(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, m := t.Context(), as(t, p, management)
		m.found()
		const service = "config.amazonaws.com"
		a := m.account("a")
		register := func(account string) error {
			_, err := m.RegisterDelegatedAdministrator(ctx, &organizations.RegisterDelegatedAdministratorInput{AccountId: &account, ServicePrincipal: new(service)})
			return err
		}
		m.refused(register(a), "ConstraintViolationException")
		_, err := m.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: new("nonsense")})
		m.refused(err, "InvalidInputException")
		for range 2 {
			_, err := m.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: new(service)})
			m.must(err)
		}
		enabled, err := m.ListAWSServiceAccessForOrganization(ctx, &organizations.ListAWSServiceAccessForOrganizationInput{})
		m.must(err)
		m.equal(*enabled.EnabledServicePrincipals[0].ServicePrincipal, service)
		m.must(register(a))
		m.refused(register(a), "AccountAlreadyRegisteredException")
		m.refused(register(management), "ConstraintViolationException")
		m.refused(register(stranger), "AccountNotFoundException")
		for _, name := range []string{"b", "c"} {
			m.must(register(m.account(name)))
		}
		m.refused(register(m.account("d")), "ConstraintViolationException")
		admins, err := m.ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: new(service)})
		m.must(err)
		m.equal(len(admins.DelegatedAdministrators), 3)
		child := as(t, p, a)
		child.equal(len(child.members()), 5)
		services, err := child.ListDelegatedServicesForAccount(ctx, &organizations.ListDelegatedServicesForAccountInput{AccountId: &a})
		child.must(err)
		child.equal(*services.DelegatedServices[0].ServicePrincipal, service)
		_, err = m.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: &a})
		m.refused(err, "ConstraintViolationException")
		deregister := func() error {
			_, err := m.DeregisterDelegatedAdministrator(ctx, &organizations.DeregisterDelegatedAdministratorInput{AccountId: &a, ServicePrincipal: new(service)})
			return err
		}
		m.must(deregister())
		m.refused(deregister(), "AccountNotRegisteredException")
		_, err = m.DisableAWSServiceAccess(ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: new(service)})
		m.must(err)
		_, err = m.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: new(strings.Repeat("A", 40))})
		m.refused(err, "InvalidInputException")
	})
}
