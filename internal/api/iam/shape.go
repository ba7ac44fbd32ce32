package iam

import (
	"fmt"

	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func boundaryOf(e identity.Entity) *iamapi.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &iamapi.AttachedPermissionsBoundary{
		PermissionsBoundaryType: "Policy", // what IAM answers, whatever the model lists
		PermissionsBoundaryArn:  &e.Boundary,
	}
}

// roleShape is a role as lists and instance profiles show it.
func roleShape(e identity.Entity) iamapi.Role {
	return iamapi.Role{
		Path: &e.Path, RoleName: &e.Name, RoleId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created),
		AssumeRolePolicyDocument: encoded(e.Trust), Description: optional(e.Description), MaxSessionDuration: new(int32(e.MaxSession)),
	}
}

// wholeRole is a role as GetRole shows it.
func wholeRole(e identity.Entity) *iamapi.Role {
	r := roleShape(e)
	r.PermissionsBoundary, r.Tags, r.RoleLastUsed = boundaryOf(e), tagsOrNone(e.Tags), &iamapi.RoleLastUsed{}
	return &r
}

func userShape(e identity.Entity) iamapi.User {
	return iamapi.User{Path: &e.Path, UserName: &e.Name, UserId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created)}
}

func wholeUser(e identity.Entity) *iamapi.User {
	u := userShape(e)
	u.PermissionsBoundary, u.Tags = boundaryOf(e), tagsOrNone(e.Tags)
	return &u
}

func groupShape(e identity.Entity) iamapi.Group {
	return iamapi.Group{Path: &e.Path, GroupName: &e.Name, GroupId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created)}
}

func profileShape(e identity.Entity, roles []identity.Entity) iamapi.InstanceProfile {
	p := iamapi.InstanceProfile{
		Path: &e.Path, InstanceProfileName: &e.Name, InstanceProfileId: &e.ID, Arn: new(e.ARN()), CreateDate: moment(e.Created),
		Roles: []iamapi.Role{}, Tags: tagList(e.Tags),
	}
	for _, r := range roles {
		p.Roles = append(p.Roles, roleShape(r))
	}
	return p
}

func versionID(n int) string { return fmt.Sprintf("v%d", n) }

func policyShape(e identity.Entity, attached, bounding int) iamapi.Policy {
	return iamapi.Policy{
		PolicyName: &e.Name, PolicyId: &e.ID, Arn: new(e.ARN()), Path: &e.Path, DefaultVersionId: new(versionID(e.Default)),
		AttachmentCount: new(int32(attached)), PermissionsBoundaryUsageCount: new(int32(bounding)), IsAttachable: new(true),
		CreateDate: moment(e.Created), UpdateDate: moment(e.Updated),
	}
}

func versionShape(e identity.Entity, v identity.Version) iamapi.PolicyVersion {
	return iamapi.PolicyVersion{VersionId: new(versionID(v.Number)), IsDefaultVersion: new(v.Number == e.Default), CreateDate: moment(v.Created)}
}
