package iam

import (
	"context"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerGroups(s *iamapi.Service) {
	s.CreateGroup(f.CreateGroup)
	s.GetGroup(f.GetGroup)
	s.ListGroups(f.ListGroups)
	s.UpdateGroup(f.UpdateGroup)
	s.DeleteGroup(f.DeleteGroup)
	s.AddUserToGroup(f.AddUserToGroup)
	s.RemoveUserFromGroup(f.RemoveUserFromGroup)
	s.ListGroupsForUser(f.ListGroupsForUser)
}

// CreateGroup makes a group.
func (f face) CreateGroup(ctx context.Context, in *iamapi.CreateGroupInput) (*iamapi.CreateGroupOutput, error) {
	out := &iamapi.CreateGroupOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.Create(ctx, tx, identity.Entity{Account: account, Kind: identity.Group, Name: text(in.GroupName), Path: text(in.Path)})
		out.Group = new(groupShape(e))
		return err
	})
}

// GetGroup answers a group and a page of its users.
func (f face) GetGroup(ctx context.Context, in *iamapi.GetGroupInput) (*iamapi.GetGroupOutput, error) {
	l, err := f.list(ctx, "GetGroup", in.Marker, in.MaxItems, text(in.GroupName))
	if err != nil {
		return nil, err
	}
	out := &iamapi.GetGroupOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.Group, text(in.GroupName))
		if err != nil {
			return err
		}
		out.Group = new(groupShape(e))
		users, err := identity.Members(ctx, tx, e)
		var last end
		out.Users, last = cutAll(l, users, foldedName, userShape)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		return err
	})
}

// ListGroups lists groups by name.
func (f face) ListGroups(ctx context.Context, in *iamapi.ListGroupsInput) (*iamapi.ListGroupsOutput, error) {
	l, err := f.list(ctx, "ListGroups", in.Marker, in.MaxItems, text(in.PathPrefix))
	if err != nil {
		return nil, err
	}
	found, err := f.entities(ctx, l, identity.Group, text(in.PathPrefix))
	out := &iamapi.ListGroupsOutput{}
	var e end
	out.Groups, e = cut(l, found, entityName, groupShape)
	out.IsTruncated, out.Marker = e.truncated, e.marker
	return out, err
}

// UpdateGroup renames or moves a group.
func (f face) UpdateGroup(ctx context.Context, in *iamapi.UpdateGroupInput) (*iamapi.UpdateGroupOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Rename(ctx, tx, account, identity.Group, text(in.GroupName), text(in.NewGroupName), text(in.NewPath))
	})
}

// DeleteGroup removes a group that nothing hangs on.
func (f face) DeleteGroup(ctx context.Context, in *iamapi.DeleteGroupInput) (*iamapi.DeleteGroupOutput, error) {
	return nil, f.remove(ctx, identity.Group, in.GroupName)
}

// AddUserToGroup puts a user into a group.
func (f face) AddUserToGroup(ctx context.Context, in *iamapi.AddUserToGroupInput) (*iamapi.AddUserToGroupOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Join(ctx, tx, account, identity.Group, text(in.GroupName), text(in.UserName))
	})
}

// RemoveUserFromGroup takes a user out of a group.
func (f face) RemoveUserFromGroup(ctx context.Context, in *iamapi.RemoveUserFromGroupInput) (*iamapi.RemoveUserFromGroupOutput, error) {
	return nil, f.write(ctx, func(tx *db.Tx, account string) error {
		return f.store.Leave(ctx, tx, account, identity.Group, text(in.GroupName), text(in.UserName))
	})
}

// ListGroupsForUser lists the groups that a user is in.
func (f face) ListGroupsForUser(ctx context.Context, in *iamapi.ListGroupsForUserInput) (*iamapi.ListGroupsForUserOutput, error) {
	l, err := f.list(ctx, "ListGroupsForUser", in.Marker, in.MaxItems, text(in.UserName))
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListGroupsForUserOutput{}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		e, err := identity.Find(ctx, tx, account, identity.User, text(in.UserName))
		if err != nil {
			return err
		}
		groups, err := identity.Containers(ctx, tx, identity.Group, e)
		var last end
		out.Groups, last = cutAll(l, groups, foldedName, groupShape)
		out.IsTruncated, out.Marker = last.truncated, last.marker
		return err
	})
}
