package iam

import (
	"context"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerDetails(s *iamapi.Service) {
	s.GetAccountAuthorizationDetails(f.GetAccountAuthorizationDetails)
}

// sections are the lists of the details in the order in which they are answered.
var sections = []struct {
	filter iamapi.EntityType
	kind   identity.Kind
}{
	{iamapi.EntityTypeUser, identity.User},
	{iamapi.EntityTypeGroup, identity.Group},
	{iamapi.EntityTypeRole, identity.Role},
	{iamapi.EntityTypeLocalManagedPolicy, identity.Policy},
	{iamapi.EntityTypeAWSManagedPolicy, ""},
}

// GetAccountAuthorizationDetails answers all identities with all their policies, in
// pages: users, groups, roles, then policies.
func (f face) GetAccountAuthorizationDetails(
	ctx context.Context, in *iamapi.GetAccountAuthorizationDetailsInput,
) (*iamapi.GetAccountAuthorizationDetailsOutput, error) {
	var filters []string
	for _, e := range in.Filter {
		filters = append(filters, string(e))
	}
	l, err := f.list(ctx, "GetAccountAuthorizationDetails", in.Marker, in.MaxItems, filters...)
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []iamapi.UserDetail{}, GroupDetailList: []iamapi.GroupDetail{}, RoleDetailList: []iamapi.RoleDetail{}, Policies: []iamapi.ManagedPolicyDetail{},
	}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		found, err := l.detailed(ctx, tx, account, in.Filter)
		if err != nil {
			return err
		}
		page, last := cut(l, found, func(e entry) string { return e.place }, same)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		for _, e := range page {
			if err := addDetails(ctx, tx, out, account, e.Entity); err != nil {
				return err
			}
		}
		return nil
	})
}

// detailed returns the entities of a page and one more.
func (l list) detailed(ctx context.Context, tx *db.Tx, account string, filter []iamapi.EntityType) ([]entry, error) {
	var out []entry
	for i, s := range sections {
		section := string(rune('1' + i))
		if len(filter) > 0 && !slices.Contains(filter, s.filter) || l.after != "" && l.after[:1] > section || len(out) > l.n {
			continue
		}
		after := ""
		if strings.HasPrefix(l.after, section) {
			after = l.after[1:]
		}
		found, err := inSection(ctx, tx, account, s.kind, after, l.n+1-len(out))
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			out = append(out, entry{section + foldedName(e), e})
		}
	}
	return out, nil
}

// inSection returns entities of a kind after a name. Those of no kind are AWS's
// policies that the account uses.
func inSection(ctx context.Context, tx *db.Tx, account string, kind identity.Kind, after string, limit int) ([]identity.Entity, error) {
	if kind != "" {
		return identity.List(ctx, tx, account, kind, "", after, limit)
	}
	all, err := allPolicies(ctx, tx, account, iamapi.PolicyScopeTypeAws, "")
	if err != nil {
		return nil, err
	}
	var out []identity.Entity
	for _, e := range all {
		if foldedName(e) <= after || len(out) == limit {
			continue
		}
		attached, bounding, err := identity.Usage(ctx, tx, account, e.ARN())
		if err != nil {
			return nil, err
		}
		if attached+bounding > 0 {
			out = append(out, e)
		}
	}
	return out, nil
}

func addDetails(ctx context.Context, tx *db.Tx, out *iamapi.GetAccountAuthorizationDetailsOutput, account string, e identity.Entity) error {
	switch e.Kind {
	case identity.User:
		u, err := userDetail(ctx, tx, e)
		out.UserDetailList = append(out.UserDetailList, u)
		return err
	case identity.Group:
		inline, attached, err := policiesOf(ctx, tx, e)
		out.GroupDetailList = append(out.GroupDetailList, iamapi.GroupDetail{
			Path: &e.Path, GroupName: &e.Name, GroupId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created),
			GroupPolicyList: inline, AttachedManagedPolicies: attached,
		})
		return err
	case identity.Role:
		r, err := roleDetail(ctx, tx, e)
		out.RoleDetailList = append(out.RoleDetailList, r)
		return err
	}
	p, err := policyDetail(ctx, tx, account, e)
	out.Policies = append(out.Policies, p)
	return err
}

// policiesOf returns the inline and the managed policies of an identity.
func policiesOf(ctx context.Context, tx *db.Tx, e identity.Entity) ([]iamapi.PolicyDetail, []iamapi.AttachedPolicy, error) {
	inline, attached := []iamapi.PolicyDetail{}, []iamapi.AttachedPolicy{}
	inlines, err := identity.Inlines(ctx, tx, e)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range inlines {
		inline = append(inline, iamapi.PolicyDetail{PolicyName: &p.Name, PolicyDocument: encoded(p.Document)})
	}
	arns, err := identity.Attached(ctx, tx, e)
	for _, a := range arns {
		attached = append(attached, attachedShape(a))
	}
	return inline, attached, err
}

func userDetail(ctx context.Context, tx *db.Tx, e identity.Entity) (iamapi.UserDetail, error) {
	inline, attached, err := policiesOf(ctx, tx, e)
	if err != nil {
		return iamapi.UserDetail{}, err
	}
	groups, err := identity.Containers(ctx, tx, identity.Group, e)
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return iamapi.UserDetail{
		Path: &e.Path, UserName: &e.Name, UserId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created), UserPolicyList: inline,
		GroupList: names, AttachedManagedPolicies: attached, PermissionsBoundary: boundaryOf(e), Tags: tagList(e.Tags),
	}, err
}

func roleDetail(ctx context.Context, tx *db.Tx, e identity.Entity) (iamapi.RoleDetail, error) {
	inline, attached, err := policiesOf(ctx, tx, e)
	if err != nil {
		return iamapi.RoleDetail{}, err
	}
	found, err := identity.Containers(ctx, tx, identity.Profile, e)
	if err != nil {
		return iamapi.RoleDetail{}, err
	}
	profiles, err := profileShapes(ctx, tx, found)
	return iamapi.RoleDetail{
		Path: &e.Path, RoleName: &e.Name, RoleId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created), AssumeRolePolicyDocument: encoded(e.Trust),
		InstanceProfileList: profiles, RolePolicyList: inline, AttachedManagedPolicies: attached, PermissionsBoundary: boundaryOf(e),
		Tags: tagList(e.Tags), RoleLastUsed: &iamapi.RoleLastUsed{},
	}, err
}

func policyDetail(ctx context.Context, tx *db.Tx, account string, e identity.Entity) (iamapi.ManagedPolicyDetail, error) {
	attached, bounding, err := identity.Usage(ctx, tx, account, e.ARN())
	if err != nil {
		return iamapi.ManagedPolicyDetail{}, err
	}
	all, err := identity.Versions(ctx, tx, e)
	versions := []iamapi.PolicyVersion{}
	for _, v := range all {
		shape := versionShape(e, v)
		shape.Document = encoded(v.Document)
		versions = append(versions, shape)
	}
	return iamapi.ManagedPolicyDetail{
		PolicyName: &e.Name, PolicyId: &e.ID, Arn: new(e.ARN()), Path: &e.Path, DefaultVersionId: new(versionID(e.Default)),
		AttachmentCount: new(int32(attached)), PermissionsBoundaryUsageCount: new(int32(bounding)), IsAttachable: new(true),
		Description: optional(e.Description), CreateDate: moment(e.Created), UpdateDate: moment(e.Updated), PolicyVersionList: versions,
	}, err
}
