package iam

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerRoles(s *iamapi.Service) {
	s.CreateRole(f.CreateRole)
	s.GetRole(f.GetRole)
	s.ListRoles(f.ListRoles)
	s.UpdateRole(f.UpdateRole)
	s.UpdateRoleDescription(f.UpdateRoleDescription)
	s.UpdateAssumeRolePolicy(f.UpdateAssumeRolePolicy)
	s.DeleteRole(f.DeleteRole)
	s.PutRolePermissionsBoundary(f.PutRolePermissionsBoundary)
	s.DeleteRolePermissionsBoundary(f.DeleteRolePermissionsBoundary)
}

// hour is how long a session of a role lasts at most if nobody says, in seconds.
const hour = 3600

// CreateRole makes a role.
func (f face) CreateRole(ctx context.Context, in *iamapi.CreateRoleInput) (*iamapi.CreateRoleOutput, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	e := identity.Entity{
		Account: account(ctx), Kind: identity.Role, Name: text(in.RoleName), Path: text(in.Path), Trust: text(in.AssumeRolePolicyDocument),
		Description: text(in.Description), MaxSession: hour, Boundary: text(in.PermissionsBoundary), Tags: tags,
	}
	if in.MaxSessionDuration != nil {
		e.MaxSession = int(*in.MaxSessionDuration)
	}
	err = f.write(ctx, func(tx *db.Tx, _ string) (err error) {
		e, err = f.store.Create(ctx, tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	r := wholeRole(e)
	r.RoleLastUsed = nil
	return &iamapi.CreateRoleOutput{Role: r}, nil
}

// GetRole answers a role.
func (f face) GetRole(ctx context.Context, in *iamapi.GetRoleInput) (*iamapi.GetRoleOutput, error) {
	out := &iamapi.GetRoleOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.Role, text(in.RoleName))
		out.Role = wholeRole(e)
		return err
	})
}

// ListRoles lists roles by name.
func (f face) ListRoles(ctx context.Context, in *iamapi.ListRolesInput) (*iamapi.ListRolesOutput, error) {
	out := &iamapi.ListRolesOutput{}
	l, err := f.list(ctx, "ListRoles", in.Marker, in.MaxItems, text(in.PathPrefix))
	if err != nil {
		return nil, err
	}
	found, err := f.entities(ctx, l, identity.Role, text(in.PathPrefix))
	var e end
	out.Roles, e = cut(l, found, entityName, roleShape)
	out.IsTruncated, out.Marker = e.truncated, e.marker
	return out, err
}

// entities reads a page of entities, and one more.
func (f face) entities(ctx context.Context, l list, kind identity.Kind, path string) (found []identity.Entity, err error) {
	err = f.read(ctx, func(tx *db.Tx, account string) (err error) {
		found, err = identity.List(ctx, tx, account, kind, path, l.after, l.n+1)
		return err
	})
	return found, err
}

func entityName(e identity.Entity) string { return e.Name }

// change changes the caller's entity of a name.
func (f face) change(ctx context.Context, kind identity.Kind, name *string, do func(e *identity.Entity) error) (e identity.Entity, err error) {
	err = f.write(ctx, func(tx *db.Tx, account string) (err error) {
		e, err = f.store.Change(ctx, tx, account, kind, text(name), do)
		return err
	})
	return e, err
}

// UpdateRole changes a role's description and how long its sessions may last. What
// is left out goes back to what it is by default, as at AWS.
func (f face) UpdateRole(ctx context.Context, in *iamapi.UpdateRoleInput) (*iamapi.UpdateRoleOutput, error) {
	_, err := f.change(ctx, identity.Role, in.RoleName, func(e *identity.Entity) error {
		e.Description, e.MaxSession = text(in.Description), hour
		if in.MaxSessionDuration != nil {
			e.MaxSession = int(*in.MaxSessionDuration)
		}
		return nil
	})
	return nil, err
}

// UpdateRoleDescription changes a role's description.
func (f face) UpdateRoleDescription(ctx context.Context, in *iamapi.UpdateRoleDescriptionInput) (*iamapi.UpdateRoleDescriptionOutput, error) {
	e, err := f.change(ctx, identity.Role, in.RoleName, func(e *identity.Entity) error {
		e.Description = text(in.Description)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iamapi.UpdateRoleDescriptionOutput{Role: wholeRole(e)}, nil
}

// UpdateAssumeRolePolicy changes who may assume a role.
func (f face) UpdateAssumeRolePolicy(ctx context.Context, in *iamapi.UpdateAssumeRolePolicyInput) (*iamapi.UpdateAssumeRolePolicyOutput, error) {
	_, err := f.change(ctx, identity.Role, in.RoleName, func(e *identity.Entity) error {
		e.Trust = text(in.PolicyDocument)
		return nil
	})
	return nil, err
}

// DeleteRole removes a role that nothing hangs on.
func (f face) DeleteRole(ctx context.Context, in *iamapi.DeleteRoleInput) (*iamapi.DeleteRoleOutput, error) {
	return nil, f.remove(ctx, identity.Role, in.RoleName)
}

func (f face) remove(ctx context.Context, kind identity.Kind, name *string) error {
	return f.write(ctx, func(tx *db.Tx, account string) error { return f.store.Delete(ctx, tx, account, kind, text(name)) })
}

func (f face) bound(ctx context.Context, kind identity.Kind, name, boundary *string) error {
	_, err := f.change(ctx, kind, name, func(e *identity.Entity) error {
		e.Boundary = text(boundary)
		return nil
	})
	return err
}

// PutRolePermissionsBoundary bounds a role by a managed policy.
func (f face) PutRolePermissionsBoundary(
	ctx context.Context, in *iamapi.PutRolePermissionsBoundaryInput,
) (*iamapi.PutRolePermissionsBoundaryOutput, error) {
	return nil, f.bound(ctx, identity.Role, in.RoleName, in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary ends that.
func (f face) DeleteRolePermissionsBoundary(
	ctx context.Context, in *iamapi.DeleteRolePermissionsBoundaryInput,
) (*iamapi.DeleteRolePermissionsBoundaryOutput, error) {
	return nil, f.bound(ctx, identity.Role, in.RoleName, nil)
}
