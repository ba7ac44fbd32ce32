package iam

import (
	"context"
	"strings"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerProfiles(s *iamapi.Service) {
	s.CreateInstanceProfile(f.CreateInstanceProfile)
	s.GetInstanceProfile(f.GetInstanceProfile)
	s.ListInstanceProfiles(f.ListInstanceProfiles)
	s.ListInstanceProfilesForRole(f.ListInstanceProfilesForRole)
	s.DeleteInstanceProfile(f.DeleteInstanceProfile)
	s.AddRoleToInstanceProfile(f.AddRoleToInstanceProfile)
	s.RemoveRoleFromInstanceProfile(f.RemoveRoleFromInstanceProfile)
}

// foldedName is where an entity stands among others.
func foldedName(e identity.Entity) string { return strings.ToLower(e.Name) }

// CreateInstanceProfile makes an instance profile.
func (f face) CreateInstanceProfile(
	ctx context.Context, in *iamapi.CreateInstanceProfileInput,
) (*iamapi.CreateInstanceProfileOutput, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &iamapi.CreateInstanceProfileOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.Create(ctx, tx, identity.Entity{
			Account: account, Kind: identity.Profile, Name: text(in.InstanceProfileName), Path: text(in.Path), Tags: tags,
		})
		out.InstanceProfile = new(profileShape(e, nil))
		return err
	})
}

// GetInstanceProfile answers an instance profile with its role.
func (f face) GetInstanceProfile(ctx context.Context, in *iamapi.GetInstanceProfileInput) (*iamapi.GetInstanceProfileOutput, error) {
	out := &iamapi.GetInstanceProfileOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.Profile, text(in.InstanceProfileName))
		if err != nil {
			return err
		}
		shapes, err := profileShapes(ctx, tx, []identity.Entity{e})
		if err == nil {
			out.InstanceProfile = &shapes[0]
		}
		return err
	})
}

func profileShapes(ctx context.Context, tx *db.Tx, profiles []identity.Entity) ([]iamapi.InstanceProfile, error) {
	out := []iamapi.InstanceProfile{}
	for _, e := range profiles {
		roles, err := identity.Members(ctx, tx, e)
		if err != nil {
			return nil, err
		}
		out = append(out, profileShape(e, roles))
	}
	return out, nil
}

// ListInstanceProfiles lists instance profiles by name.
func (f face) ListInstanceProfiles(
	ctx context.Context, in *iamapi.ListInstanceProfilesInput,
) (*iamapi.ListInstanceProfilesOutput, error) {
	l, err := f.list(ctx, "ListInstanceProfiles", in.Marker, in.MaxItems, text(in.PathPrefix))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListInstanceProfilesOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		found, err := identity.List(ctx, tx, account, identity.Profile, text(in.PathPrefix), l.after, l.n+1)
		if err != nil {
			return err
		}
		page, last := cut(l, found, entityName, same)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		out.InstanceProfiles, err = profileShapes(ctx, tx, page)
		return err
	})
}

// ListInstanceProfilesForRole lists the instance profiles that have a role.
func (f face) ListInstanceProfilesForRole(
	ctx context.Context, in *iamapi.ListInstanceProfilesForRoleInput,
) (*iamapi.ListInstanceProfilesForRoleOutput, error) {
	l, err := f.list(ctx, "ListInstanceProfilesForRole", in.Marker, in.MaxItems, text(in.RoleName))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListInstanceProfilesForRoleOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.Role, text(in.RoleName))
		if err != nil {
			return err
		}
		found, err := identity.Containers(ctx, tx, identity.Profile, e)
		if err != nil {
			return err
		}
		page, last := cutAll(l, found, foldedName, same)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		out.InstanceProfiles, err = profileShapes(ctx, tx, page)
		return err
	})
}

// DeleteInstanceProfile removes an instance profile that has no role.
func (f face) DeleteInstanceProfile(
	ctx context.Context, in *iamapi.DeleteInstanceProfileInput,
) (*iamapi.DeleteInstanceProfileOutput, error) {
	return nil, f.remove(ctx, identity.Profile, in.InstanceProfileName)
}

// AddRoleToInstanceProfile puts a role into an instance profile.
func (f face) AddRoleToInstanceProfile(
	ctx context.Context, in *iamapi.AddRoleToInstanceProfileInput,
) (*iamapi.AddRoleToInstanceProfileOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Join(ctx, tx, account, identity.Profile, text(in.InstanceProfileName), text(in.RoleName))
	})
}

// RemoveRoleFromInstanceProfile takes a role out of an instance profile.
func (f face) RemoveRoleFromInstanceProfile(
	ctx context.Context, in *iamapi.RemoveRoleFromInstanceProfileInput,
) (*iamapi.RemoveRoleFromInstanceProfileOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Leave(ctx, tx, account, identity.Profile, text(in.InstanceProfileName), text(in.RoleName))
	})
}
