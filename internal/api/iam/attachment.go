package iam

import (
	"context"
	"strings"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerAttachments(s *iamapi.Service) {
	s.AttachRolePolicy(f.AttachRolePolicy)
	s.AttachUserPolicy(f.AttachUserPolicy)
	s.AttachGroupPolicy(f.AttachGroupPolicy)
	s.DetachRolePolicy(f.DetachRolePolicy)
	s.DetachUserPolicy(f.DetachUserPolicy)
	s.DetachGroupPolicy(f.DetachGroupPolicy)
	s.ListAttachedRolePolicies(f.ListAttachedRolePolicies)
	s.ListAttachedUserPolicies(f.ListAttachedUserPolicies)
	s.ListAttachedGroupPolicies(f.ListAttachedGroupPolicies)
	s.ListEntitiesForPolicy(f.ListEntitiesForPolicy)
}

func (f face) attach(ctx context.Context, kind identity.Kind, name, policyARN *string) error {
	return f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Attach(ctx, tx, account, kind, text(name), text(policyARN))
	})
}

func (f face) detach(ctx context.Context, kind identity.Kind, name, policyARN *string) error {
	return f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Detach(ctx, tx, account, kind, text(name), text(policyARN))
	})
}

func attachedShape(policyARN string) iamapi.AttachedPolicy {
	return iamapi.AttachedPolicy{PolicyName: new(policyARN[strings.LastIndexByte(policyARN, '/')+1:]), PolicyArn: &policyARN}
}

// attached reads a page of the managed policies of an identity, whose paths begin
// so.
func (f face) attached(
	ctx context.Context, operation string, kind identity.Kind, name, path, marker *string, n *int32,
) (out []iamapi.AttachedPolicy, last end, err error) {
	l, err := f.list(ctx, operation, marker, n, text(name), text(path))
	if err != nil {
		return nil, last, err
	}
	err = f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, kind, text(name))
		if err != nil {
			return err
		}
		all, err := identity.Attached(ctx, tx, e)
		var found []string
		for _, p := range all {
			if _, rest, _ := strings.Cut(p, ":policy"); strings.HasPrefix(rest, text(path)) {
				found = append(found, p)
			}
		}
		out, last = cutAll(l, found, same, attachedShape)
		return err
	})
	return out, last, err
}

// AttachRolePolicy gives a role a managed policy.
func (f face) AttachRolePolicy(ctx context.Context, in *iamapi.AttachRolePolicyInput) (*iamapi.AttachRolePolicyOutput, error) {
	return nil, f.attach(ctx, identity.Role, in.RoleName, in.PolicyArn)
}

// DetachRolePolicy takes it away.
func (f face) DetachRolePolicy(ctx context.Context, in *iamapi.DetachRolePolicyInput) (*iamapi.DetachRolePolicyOutput, error) {
	return nil, f.detach(ctx, identity.Role, in.RoleName, in.PolicyArn)
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (f face) ListAttachedRolePolicies(
	ctx context.Context, in *iamapi.ListAttachedRolePoliciesInput,
) (*iamapi.ListAttachedRolePoliciesOutput, error) {
	found, e, err := f.attached(ctx, "ListAttachedRolePolicies", identity.Role, in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedRolePoliciesOutput{AttachedPolicies: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// AttachUserPolicy gives a user a managed policy.
func (f face) AttachUserPolicy(ctx context.Context, in *iamapi.AttachUserPolicyInput) (*iamapi.AttachUserPolicyOutput, error) {
	return nil, f.attach(ctx, identity.User, in.UserName, in.PolicyArn)
}

// DetachUserPolicy takes it away.
func (f face) DetachUserPolicy(ctx context.Context, in *iamapi.DetachUserPolicyInput) (*iamapi.DetachUserPolicyOutput, error) {
	return nil, f.detach(ctx, identity.User, in.UserName, in.PolicyArn)
}

// ListAttachedUserPolicies lists the managed policies of a user.
func (f face) ListAttachedUserPolicies(
	ctx context.Context, in *iamapi.ListAttachedUserPoliciesInput,
) (*iamapi.ListAttachedUserPoliciesOutput, error) {
	found, e, err := f.attached(ctx, "ListAttachedUserPolicies", identity.User, in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedUserPoliciesOutput{AttachedPolicies: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// AttachGroupPolicy gives a group a managed policy.
func (f face) AttachGroupPolicy(ctx context.Context, in *iamapi.AttachGroupPolicyInput) (*iamapi.AttachGroupPolicyOutput, error) {
	return nil, f.attach(ctx, identity.Group, in.GroupName, in.PolicyArn)
}

// DetachGroupPolicy takes it away.
func (f face) DetachGroupPolicy(ctx context.Context, in *iamapi.DetachGroupPolicyInput) (*iamapi.DetachGroupPolicyOutput, error) {
	return nil, f.detach(ctx, identity.Group, in.GroupName, in.PolicyArn)
}

// ListAttachedGroupPolicies lists the managed policies of a group.
func (f face) ListAttachedGroupPolicies(
	ctx context.Context, in *iamapi.ListAttachedGroupPoliciesInput,
) (*iamapi.ListAttachedGroupPoliciesOutput, error) {
	found, e, err := f.attached(ctx, "ListAttachedGroupPolicies", identity.Group, in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iamapi.ListAttachedGroupPoliciesOutput{AttachedPolicies: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// An entry is an identity that uses a policy.
type entry struct {
	place string
	identity.Entity
}

// ListEntitiesForPolicy lists who has a policy, or is bounded by it.
func (f face) ListEntitiesForPolicy(
	ctx context.Context, in *iamapi.ListEntitiesForPolicyInput,
) (*iamapi.ListEntitiesForPolicyOutput, error) {
	l, err := f.list(ctx, "ListEntitiesForPolicy", in.Marker, in.MaxItems, text(in.PolicyArn), string(in.EntityFilter), text(in.PathPrefix), string(in.PolicyUsageFilter))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListEntitiesForPolicyOutput{PolicyGroups: []iamapi.PolicyGroup{}, PolicyUsers: []iamapi.PolicyUser{}, PolicyRoles: []iamapi.PolicyRole{}}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		p, err := identity.FindPolicy(ctx, tx, account, text(in.PolicyArn))
		if err != nil {
			return err
		}
		var all []entry
		for i, kind := range []identity.Kind{identity.Group, identity.User, identity.Role} {
			if in.EntityFilter != "" && !strings.EqualFold(string(in.EntityFilter), string(kind)) {
				continue
			}
			found, err := identity.UsersOfPolicy(ctx, tx, account, p.ARN(), kind, in.PolicyUsageFilter == iamapi.PolicyUsageTypePermissionsBoundary)
			if err != nil {
				return err
			}
			for _, e := range found {
				if strings.HasPrefix(e.Path, text(in.PathPrefix)) {
					all = append(all, entry{string(rune('1'+i)) + foldedName(e), e})
				}
			}
		}
		page, last := cutAll(l, all, func(e entry) string { return e.place }, same)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		for _, e := range page {
			switch e.Kind {
			case identity.Group:
				out.PolicyGroups = append(out.PolicyGroups, iamapi.PolicyGroup{GroupName: &e.Name, GroupId: &e.ID})
			case identity.User:
				out.PolicyUsers = append(out.PolicyUsers, iamapi.PolicyUser{UserName: &e.Name, UserId: &e.ID})
			default:
				out.PolicyRoles = append(out.PolicyRoles, iamapi.PolicyRole{RoleName: &e.Name, RoleId: &e.ID})
			}
		}
		return nil
	})
}
