// Package organizations is the face of the embedded AWS Organizations: one file
// per noun, each beginning with its register. What happens is in package
// organization.
//
// Policies, billing transfers and closing accounts are not built. It keeps nothing.
package organizations

import (
	"context"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
	"plumb/internal/wire"
)

type face struct {
	db     *db.DB
	orgs   *organization.Organizations
	tokens wire.Tokens
}

// New returns Organizations with its operations bound to what they do.
func New(d *db.DB, orgs *organization.Organizations, tokens wire.Tokens) *model.Registry {
	s, f := organizationsapi.NewService(), face{d, orgs, tokens}
	f.registerOrganization(s)
	f.registerAccounts(s)
	f.registerUnits(s)
	f.registerHandshakes(s)
	f.registerServices(s)
	f.registerTags(s)
	return s.Registry()
}

// A gate returns the organization of an account if it may call the operation.
type gate func(ctx context.Context, tx *db.Tx, account string) (organization.Organization, error)

// read and write call f in a transaction, with the organization that the caller
// may look into or change.
func (f face) read(ctx context.Context, may gate, do func(tx *db.Tx, o organization.Organization) error) error {
	return f.db.Read(ctx, within(ctx, may, do))
}

func (f face) write(ctx context.Context, may gate, do func(tx *db.Tx, o organization.Organization) error) error {
	return f.db.Write(ctx, within(ctx, may, do))
}

func within(ctx context.Context, may gate, do func(tx *db.Tx, o organization.Organization) error) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		o, err := may(ctx, tx, caller.From(ctx).Account)
		if err != nil {
			return err
		}
		return do(tx, o)
	}
}

// maxPage is how many entries a page has at most, and if nobody says.
const maxPage = 20

// A list is one list with its filters, of which pages are read.
type list struct {
	face
	operation string
	filters   []string
	n         int
}

func (f face) list(ctx context.Context, operation string, n *int32, filters ...string) list {
	l := list{f, operation, append([]string{caller.From(ctx).Account}, filters...), maxPage}
	if n != nil {
		l.n = int(*n)
	}
	return l
}

// after returns the position that a token continues after.
func (l list) after(token *string) (string, error) {
	position, ok := l.tokens.Decode(l.operation, text(token), l.filters...)
	if !ok {
		return "", organizationsapi.InvalidInputException("You provided an invalid NextToken.").With("Reason", "INVALID_NEXT_TOKEN")
	}
	return position, nil
}

// cut returns the shapes of a page, and the token that continues after it if one
// more was found.
func cut[T, S any](l list, found []T, key func(T) string, shape func(T) S) ([]S, *string) {
	var token *string
	if len(found) > l.n {
		found = found[:l.n]
		token = new(l.tokens.Encode(l.operation, key(found[l.n-1]), l.filters...))
	}
	out := make([]S, 0, len(found))
	for _, t := range found {
		out = append(out, shape(t))
	}
	return out, token
}

func text[T ~string](s *T) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// tagsOf checks tags as they are given.
func tagsOf(in []organizationsapi.Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range in {
		k := text(t.Key)
		if _, twice := out[k]; twice {
			return nil, organizationsapi.InvalidInputException("You provided the tag key '%s' more than once.", k).With("Reason", "DUPLICATE_TAG_KEY")
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return nil, organizationsapi.InvalidInputException("The tag key '%s' begins with aws:, which is reserved.", k).With("Reason", "INVALID_SYSTEM_TAGS_PARAMETER")
		}
		out[k] = text(t.Value)
	}
	return out, nil
}

func (f face) registerOrganization(s *organizationsapi.Service) {
	s.CreateOrganization(f.CreateOrganization)
	s.DescribeOrganization(f.DescribeOrganization)
	s.DeleteOrganization(f.DeleteOrganization)
	s.ListRoots(f.ListRoots)
}

// CreateOrganization makes the caller's account the management account.
func (f face) CreateOrganization(ctx context.Context, in *organizationsapi.CreateOrganizationInput) (*organizationsapi.CreateOrganizationOutput, error) {
	out := &organizationsapi.CreateOrganizationOutput{}
	err := f.db.Write(ctx, func(tx *db.Tx) error {
		o, err := f.orgs.Create(ctx, tx, caller.From(ctx).Account, string(in.FeatureSet))
		if err != nil {
			return err
		}
		out.Organization, err = organizationShape(ctx, tx, o)
		return err
	})
	return out, err
}

func organizationShape(ctx context.Context, tx *db.Tx, o organization.Organization) (*organizationsapi.Organization, error) {
	master, err := organization.Find(ctx, tx, o, o.Management)
	return &organizationsapi.Organization{
		Id: &o.ID, Arn: new(o.ARN("organization", "")), FeatureSet: organizationsapi.OrganizationFeatureSet(o.Features),
		MasterAccountId: &o.Management, MasterAccountArn: new(o.ARN("account", o.Management)), MasterAccountEmail: &master.Email,
		AvailablePolicyTypes: []organizationsapi.PolicyTypeSummary{},
	}, err
}

// DescribeOrganization tells a member about its organization.
func (f face) DescribeOrganization(ctx context.Context, _ *organizationsapi.DescribeOrganizationInput) (*organizationsapi.DescribeOrganizationOutput, error) {
	out := &organizationsapi.DescribeOrganizationOutput{}
	err := f.read(ctx, organization.Member, func(tx *db.Tx, o organization.Organization) (err error) {
		out.Organization, err = organizationShape(ctx, tx, o)
		return err
	})
	return out, err
}

// DeleteOrganization dissolves an organization without members.
func (f face) DeleteOrganization(ctx context.Context, _ *organizationsapi.DeleteOrganizationInput) (*organizationsapi.DeleteOrganizationOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error { return f.orgs.Delete(ctx, tx, o) })
	return &organizationsapi.DeleteOrganizationOutput{}, err
}

// ListRoots returns the one root.
func (f face) ListRoots(ctx context.Context, in *organizationsapi.ListRootsInput) (*organizationsapi.ListRootsOutput, error) {
	if _, err := f.list(ctx, "ListRoots", in.MaxResults).after(in.NextToken); err != nil {
		return nil, err
	}
	out := &organizationsapi.ListRootsOutput{}
	err := f.read(ctx, organization.Read, func(_ *db.Tx, o organization.Organization) error {
		out.Roots = []organizationsapi.Root{{Id: &o.Root, Arn: new(o.ARN("root", o.Root)), Name: new("Root"), PolicyTypes: []organizationsapi.PolicyTypeSummary{}}}
		return nil
	})
	return out, err
}
