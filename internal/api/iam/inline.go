package iam

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerInlines(s *iamapi.Service) {
	s.PutRolePolicy(f.PutRolePolicy)
	s.GetRolePolicy(f.GetRolePolicy)
	s.ListRolePolicies(f.ListRolePolicies)
	s.DeleteRolePolicy(f.DeleteRolePolicy)
	s.PutUserPolicy(f.PutUserPolicy)
	s.GetUserPolicy(f.GetUserPolicy)
	s.ListUserPolicies(f.ListUserPolicies)
	s.DeleteUserPolicy(f.DeleteUserPolicy)
	s.PutGroupPolicy(f.PutGroupPolicy)
	s.GetGroupPolicy(f.GetGroupPolicy)
	s.ListGroupPolicies(f.ListGroupPolicies)
	s.DeleteGroupPolicy(f.DeleteGroupPolicy)
}

func (f face) putInline(ctx context.Context, kind identity.Kind, owner, name, document *string) error {
	return f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.PutInline(ctx, tx, account, kind, text(owner), identity.Inline{Name: text(name), Document: text(document)})
	})
}

func (f face) deleteInline(ctx context.Context, kind identity.Kind, owner, name *string) error {
	return f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.DeleteInline(ctx, tx, account, kind, text(owner), text(name))
	})
}

// inline finds an inline policy and its owner.
func (f face) inline(ctx context.Context, kind identity.Kind, owner, name *string) (e identity.Entity, p identity.Inline, err error) {
	err = f.read(ctx, func(tx *db.Tx, account string) (err error) {
		if e, err = identity.Find(ctx, tx, account, kind, text(owner)); err != nil {
			return err
		}
		p, err = identity.FindInline(ctx, tx, e, text(name))
		return err
	})
	return e, p, err
}

// inlines reads a page of the names of an identity's inline policies.
func (f face) inlines(
	ctx context.Context, operation string, kind identity.Kind, owner, marker *string, n *int32,
) (names []string, last end, err error) {
	l, err := f.list(ctx, operation, marker, n, text(owner))
	if err != nil {
		return nil, last, err
	}
	err = f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, kind, text(owner))
		if err != nil {
			return err
		}
		all, err := identity.Inlines(ctx, tx, e)
		name := func(p identity.Inline) string { return p.Name }
		names, last = cutAll(l, all, name, name)
		return err
	})
	return names, last, err
}

// PutRolePolicy gives a role an inline policy.
func (f face) PutRolePolicy(ctx context.Context, in *iamapi.PutRolePolicyInput) (*iamapi.PutRolePolicyOutput, error) {
	return nil, f.putInline(ctx, identity.Role, in.RoleName, in.PolicyName, in.PolicyDocument)
}

// GetRolePolicy answers an inline policy.
func (f face) GetRolePolicy(ctx context.Context, in *iamapi.GetRolePolicyInput) (*iamapi.GetRolePolicyOutput, error) {
	e, p, err := f.inline(ctx, identity.Role, in.RoleName, in.PolicyName)
	return &iamapi.GetRolePolicyOutput{RoleName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, err
}

// ListRolePolicies lists the names of a role's inline policies.
func (f face) ListRolePolicies(ctx context.Context, in *iamapi.ListRolePoliciesInput) (*iamapi.ListRolePoliciesOutput, error) {
	names, e, err := f.inlines(ctx, "ListRolePolicies", identity.Role, in.RoleName, in.Marker, in.MaxItems)
	return &iamapi.ListRolePoliciesOutput{PolicyNames: names, IsTruncated: e.truncated, Marker: e.marker}, err
}

// DeleteRolePolicy removes an inline policy.
func (f face) DeleteRolePolicy(ctx context.Context, in *iamapi.DeleteRolePolicyInput) (*iamapi.DeleteRolePolicyOutput, error) {
	return nil, f.deleteInline(ctx, identity.Role, in.RoleName, in.PolicyName)
}

// PutUserPolicy gives a user an inline policy.
func (f face) PutUserPolicy(ctx context.Context, in *iamapi.PutUserPolicyInput) (*iamapi.PutUserPolicyOutput, error) {
	return nil, f.putInline(ctx, identity.User, in.UserName, in.PolicyName, in.PolicyDocument)
}

// GetUserPolicy answers an inline policy.
func (f face) GetUserPolicy(ctx context.Context, in *iamapi.GetUserPolicyInput) (*iamapi.GetUserPolicyOutput, error) {
	e, p, err := f.inline(ctx, identity.User, in.UserName, in.PolicyName)
	return &iamapi.GetUserPolicyOutput{UserName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, err
}

// ListUserPolicies lists the names of a user's inline policies.
func (f face) ListUserPolicies(ctx context.Context, in *iamapi.ListUserPoliciesInput) (*iamapi.ListUserPoliciesOutput, error) {
	names, e, err := f.inlines(ctx, "ListUserPolicies", identity.User, in.UserName, in.Marker, in.MaxItems)
	return &iamapi.ListUserPoliciesOutput{PolicyNames: names, IsTruncated: e.truncated, Marker: e.marker}, err
}

// DeleteUserPolicy removes an inline policy.
func (f face) DeleteUserPolicy(ctx context.Context, in *iamapi.DeleteUserPolicyInput) (*iamapi.DeleteUserPolicyOutput, error) {
	return nil, f.deleteInline(ctx, identity.User, in.UserName, in.PolicyName)
}

// PutGroupPolicy gives a group an inline policy.
func (f face) PutGroupPolicy(ctx context.Context, in *iamapi.PutGroupPolicyInput) (*iamapi.PutGroupPolicyOutput, error) {
	return nil, f.putInline(ctx, identity.Group, in.GroupName, in.PolicyName, in.PolicyDocument)
}

// GetGroupPolicy answers an inline policy.
func (f face) GetGroupPolicy(ctx context.Context, in *iamapi.GetGroupPolicyInput) (*iamapi.GetGroupPolicyOutput, error) {
	e, p, err := f.inline(ctx, identity.Group, in.GroupName, in.PolicyName)
	return &iamapi.GetGroupPolicyOutput{GroupName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, err
}

// ListGroupPolicies lists the names of a group's inline policies.
func (f face) ListGroupPolicies(ctx context.Context, in *iamapi.ListGroupPoliciesInput) (*iamapi.ListGroupPoliciesOutput, error) {
	names, e, err := f.inlines(ctx, "ListGroupPolicies", identity.Group, in.GroupName, in.Marker, in.MaxItems)
	return &iamapi.ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: e.truncated, Marker: e.marker}, err
}

// DeleteGroupPolicy removes an inline policy.
func (f face) DeleteGroupPolicy(ctx context.Context, in *iamapi.DeleteGroupPolicyInput) (*iamapi.DeleteGroupPolicyOutput, error) {
	return nil, f.deleteInline(ctx, identity.Group, in.GroupName, in.PolicyName)
}
