package iam_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

const (
	account  = "111111111111"
	stranger = "222222222222"

	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	read  = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}`
	write = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/${aws:username}/*"}}`
)

// A side is one account's view of the server.
type side struct {
	*iam.Client
	t *testing.T
}

func as(t *testing.T, p *apptest.Plumb, account string) side {
	return side{iam.NewFromConfig(p.As(account, "eu-west-1").SDK()), t}
}

func run(t *testing.T, story func(s side, p *apptest.Plumb)) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) { story(as(t, p, account), p) })
}

func (s side) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// refused wants an error of a code whose message has a text.
func (s side) refused(err error, code, message string) {
	s.t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), message) {
		s.t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func (s side) equal(got, want any) {
	s.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("got  %v\nwant %v", got, want)
	}
}

func (s side) role(name string) *types.Role {
	s.t.Helper()
	out, err := s.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(trust)})
	s.must(err)
	return out.Role
}

func (s side) user(name string) *types.User {
	s.t.Helper()
	out, err := s.CreateUser(s.t.Context(), &iam.CreateUserInput{UserName: &name})
	s.must(err)
	return out.User
}

func (s side) policy(name, document string) *types.Policy {
	s.t.Helper()
	out, err := s.CreatePolicy(s.t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &document})
	s.must(err)
	return out.Policy
}

func plain(s *string) string {
	text, _ := url.PathUnescape(*s)
	return text
}

func TestARoleIsMadeChangedAndDeleted(t *testing.T) {
	run(t, func(s side, p *apptest.Plumb) {
		ctx := t.Context()
		boundary := s.policy("edge", read)
		made, err := s.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: new("App"), Path: new("/team/"), AssumeRolePolicyDocument: new(trust), Description: new("d"), MaxSessionDuration: new(int32(7200)),
			PermissionsBoundary: boundary.Arn, Tags: []types.Tag{{Key: new("team"), Value: new("a")}},
		})
		s.must(err)
		s.equal(*made.Role.Arn, "arn:aws:iam::111111111111:role/team/App")
		s.equal(len(*made.Role.RoleId), 21)
		s.equal((*made.Role.RoleId)[:4], "AROA")
		got, err := s.GetRole(ctx, &iam.GetRoleInput{RoleName: new("app")})
		s.must(err)
		r := got.Role
		s.equal(*r.RoleName, "App")
		s.equal(plain(r.AssumeRolePolicyDocument), trust)
		s.equal(strings.ContainsAny(*r.AssumeRolePolicyDocument, `{"`), false)
		s.equal(*r.PermissionsBoundary.PermissionsBoundaryArn, *boundary.Arn)
		s.equal(fmt.Sprint(*r.MaxSessionDuration, *r.Description, *r.Tags[0].Key), "7200dteam")

		_, err = s.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("APP"), AssumeRolePolicyDocument: new(trust)})
		s.refused(err, "EntityAlreadyExists", "Role with name APP already exists.")
		_, err = s.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("x"), AssumeRolePolicyDocument: new(read)})
		s.refused(err, "MalformedPolicyDocument", "Missing required field Principal")
		_, err = as(t, p, stranger).GetRole(ctx, &iam.GetRoleInput{RoleName: new("App")})
		s.refused(err, "NoSuchEntity", "The role with name App cannot be found.")

		_, err = s.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: new("App"), MaxSessionDuration: new(int32(3600))})
		s.must(err)
		described, err := s.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: new("App"), Description: new("other")})
		s.must(err)
		s.equal(*described.Role.Description, "other")
		other := strings.Replace(trust, "lambda", "config", 1)
		_, err = s.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: new("App"), PolicyDocument: &other})
		s.must(err)
		_, err = s.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: new("App")})
		s.must(err)
		_, err = s.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: new("App"), PermissionsBoundary: new("arn:aws:iam::111111111111:policy/none")})
		s.refused(err, "NoSuchEntity", "does not exist or is not attachable")
		_, err = s.TagRole(ctx, &iam.TagRoleInput{RoleName: new("App"), Tags: []types.Tag{{Key: new("b"), Value: new("2")}}})
		s.must(err)
		_, err = s.UntagRole(ctx, &iam.UntagRoleInput{RoleName: new("App"), TagKeys: []string{"team"}})
		s.must(err)
		tags, err := s.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: new("App")})
		s.must(err)
		s.equal(len(tags.Tags), 1)
		_, err = s.TagRole(ctx, &iam.TagRoleInput{RoleName: new("App"), Tags: []types.Tag{{Key: new("aws:x"), Value: new("")}}})
		s.refused(err, "InvalidInput", "reserved")

		_, err = s.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("App"), PolicyName: new("in"), PolicyDocument: new(write)})
		s.must(err)
		inline, err := s.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: new("App"), PolicyName: new("in")})
		s.must(err)
		s.equal(plain(inline.PolicyDocument), write)
		names, err := s.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: new("App")})
		s.must(err)
		s.equal(names.PolicyNames, "[in]")
		remove := func() error {
			_, err := s.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: new("App")})
			return err
		}
		s.refused(remove(), "DeleteConflict", "Cannot delete entity, must delete policies first.")
		_, err = s.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: new("App"), PolicyName: new("in")})
		s.must(err)
		_, err = s.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: new("App"), PolicyArn: new("arn:aws:iam::aws:policy/service-role/AWS_ConfigRole")})
		s.must(err)
		attached, err := s.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: new("App")})
		s.must(err)
		s.equal(*attached.AttachedPolicies[0].PolicyName, "AWS_ConfigRole")
		s.refused(remove(), "DeleteConflict", "must detach all policies first.")
		_, err = s.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: new("App"), PolicyArn: attached.AttachedPolicies[0].PolicyArn})
		s.must(err)
		s.must(remove())
		s.refused(remove(), "NoSuchEntity", "The role with name App cannot be found.")
	})
}

func TestInstanceProfilesHoldOneRole(t *testing.T) {
	run(t, func(s side, _ *apptest.Plumb) {
		ctx := t.Context()
		s.role("app")
		s.role("other")
		made, err := s.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: new("p"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
		s.must(err)
		s.equal((*made.InstanceProfile.InstanceProfileId)[:4], "AIPA")
		add := func(role string) error {
			_, err := s.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: new("p"), RoleName: &role})
			return err
		}
		s.must(add("app"))
		s.refused(add("other"), "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		s.refused(add("none"), "NoSuchEntity", "none")
		got, err := s.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: new("p")})
		s.must(err)
		s.equal(*got.InstanceProfile.Roles[0].RoleName, "app")
		of, err := s.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: new("app")})
		s.must(err)
		s.equal(len(of.InstanceProfiles), 1)
		all, err := s.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{})
		s.must(err)
		s.equal(len(all.InstanceProfiles), 1)
		_, err = s.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: new("app")})
		s.refused(err, "DeleteConflict", "must remove roles from instance profile first.")
		_, err = s.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: new("p")})
		s.refused(err, "DeleteConflict", "must remove roles from instance profile first.")
		_, err = s.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: new("p"), Tags: []types.Tag{{Key: new("a"), Value: new("b")}}})
		s.must(err)
		_, err = s.UntagInstanceProfile(ctx, &iam.UntagInstanceProfileInput{InstanceProfileName: new("p"), TagKeys: []string{"k"}})
		s.must(err)
		tags, err := s.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: new("p")})
		s.must(err)
		s.equal(*tags.Tags[0].Key, "a")
		_, err = s.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: new("p"), RoleName: new("app")})
		s.must(err)
		_, err = s.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: new("p")})
		s.must(err)
	})
}

func TestUsersAreInGroupsAndHaveKeys(t *testing.T) {
	run(t, func(s side, p *apptest.Plumb) {
		ctx := t.Context()
		s.equal((*s.user("Ann").UserId)[:4], "AIDA")
		group, err := s.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: new("devs"), Path: new("/g/")})
		s.must(err)
		s.equal((*group.Group.GroupId)[:4], "AGPA")
		_, err = s.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: new("devs"), UserName: new("Ann")})
		s.must(err)
		_, err = s.UpdateUser(ctx, &iam.UpdateUserInput{UserName: new("Ann"), NewUserName: new("Anna"), NewPath: new("/people/")})
		s.must(err)
		_, err = s.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: new("devs"), NewGroupName: new("developers")})
		s.must(err)
		members, err := s.GetGroup(ctx, &iam.GetGroupInput{GroupName: new("developers")})
		s.must(err)
		s.equal(*members.Users[0].Arn, "arn:aws:iam::111111111111:user/people/Anna")
		groups, err := s.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: new("anna")})
		s.must(err)
		s.equal(*groups.Groups[0].Arn, "arn:aws:iam::111111111111:group/g/developers")
		users, err := s.ListUsers(ctx, &iam.ListUsersInput{PathPrefix: new("/people/")})
		s.must(err)
		s.equal(len(users.Users), 1)
		allGroups, err := s.ListGroups(ctx, &iam.ListGroupsInput{PathPrefix: new("/elsewhere/")})
		s.must(err)
		s.equal(len(allGroups.Groups), 0)

		first, err := s.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("Anna")})
		s.must(err)
		s.equal(fmt.Sprint(len(*first.AccessKey.AccessKeyId), (*first.AccessKey.AccessKeyId)[:4], len(*first.AccessKey.SecretAccessKey)), "20AKIA40")
		_, err = s.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("Anna")})
		s.must(err)
		_, err = s.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("Anna")})
		s.refused(err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
		_, err = s.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: new("Anna"), AccessKeyId: first.AccessKey.AccessKeyId, Status: types.StatusTypeInactive})
		s.must(err)
		keys, err := s.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: new("Anna")})
		s.must(err)
		s.equal(len(keys.AccessKeyMetadata), 2)
		_, err = s.ListAccessKeys(ctx, &iam.ListAccessKeysInput{})
		s.refused(err, "ValidationError", "Must specify userName when calling with non-User credentials")
		used, err := s.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: first.AccessKey.AccessKeyId})
		s.must(err)
		s.equal(*used.UserName+*used.AccessKeyLastUsed.Region, "AnnaN/A")
		_, err = as(t, p, stranger).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: first.AccessKey.AccessKeyId})
		s.refused(err, "NoSuchEntity", "cannot be found")

		_, err = s.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: new("Anna"), Password: new("Secret-1"), PasswordResetRequired: true})
		s.must(err)
		_, err = s.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: new("Anna"), PasswordResetRequired: new(false)})
		s.must(err)
		login, err := s.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: new("Anna")})
		s.must(err)
		s.equal(login.LoginProfile.PasswordResetRequired, false)

		remove := func() error {
			_, err := s.DeleteUser(ctx, &iam.DeleteUserInput{UserName: new("Anna")})
			return err
		}
		s.refused(remove(), "DeleteConflict", "must delete login profile first.")
		_, err = s.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: new("Anna")})
		s.must(err)
		_, err = s.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: new("Anna")})
		s.refused(err, "NoSuchEntity", "Login Profile for User Anna cannot be found.")
		s.refused(remove(), "DeleteConflict", "must remove users from group first.")
		_, err = s.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: new("developers")})
		s.refused(err, "DeleteConflict", "must remove users from group first.")
		_, err = s.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: new("developers"), UserName: new("Anna")})
		s.must(err)
		s.refused(remove(), "DeleteConflict", "must delete access keys first.")
		for _, k := range keys.AccessKeyMetadata {
			_, err = s.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: new("Anna"), AccessKeyId: k.AccessKeyId})
			s.must(err)
		}
		s.noneOf("Anna")
		s.must(remove())
		_, err = s.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: new("developers")})
		s.must(err)
		root, err := s.GetUser(ctx, &iam.GetUserInput{})
		s.must(err)
		s.equal(*root.User.Arn, "arn:aws:iam::111111111111:root")
		_, err = s.GetUser(ctx, &iam.GetUserInput{UserName: new("Anna")})
		s.refused(err, "NoSuchEntity", "The user with name Anna cannot be found.")
	})
}

// noneOf asks for what users cannot have here. Terraform does before it deletes one.
func (s side) noneOf(user string) {
	s.t.Helper()
	ctx := s.t.Context()
	mfa, err := s.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: &user})
	s.must(err)
	ssh, err := s.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: &user})
	s.must(err)
	signing, err := s.ListSigningCertificates(ctx, &iam.ListSigningCertificatesInput{UserName: &user})
	s.must(err)
	specific, err := s.ListServiceSpecificCredentials(ctx, &iam.ListServiceSpecificCredentialsInput{UserName: &user})
	s.must(err)
	virtual, err := s.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{})
	s.must(err)
	servers, err := s.ListServerCertificates(ctx, &iam.ListServerCertificatesInput{})
	s.must(err)
	oidc, err := s.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	s.must(err)
	saml, err := s.ListSAMLProviders(ctx, &iam.ListSAMLProvidersInput{})
	s.must(err)
	s.equal(len(mfa.MFADevices)+len(ssh.SSHPublicKeys)+len(signing.Certificates)+len(specific.ServiceSpecificCredentials)+len(virtual.VirtualMFADevices)+
		len(servers.ServerCertificateMetadataList)+len(oidc.OpenIDConnectProviderList)+len(saml.SAMLProviderList), 0)
	_, err = s.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: new("nobody")})
	s.refused(err, "NoSuchEntity", "nobody")
}

func TestUsersAndGroupsHavePoliciesOfTheirOwn(t *testing.T) {
	run(t, func(s side, _ *apptest.Plumb) {
		ctx := t.Context()
		s.user("ann")
		_, err := s.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: new("devs")})
		s.must(err)
		p := s.policy("reader", read)
		_, err = s.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("ann"), PolicyName: new("in"), PolicyDocument: new(write)})
		s.must(err)
		_, err = s.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: new("devs"), PolicyName: new("in"), PolicyDocument: new(write)})
		s.must(err)
		u, err := s.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: new("ann"), PolicyName: new("in")})
		s.must(err)
		g, err := s.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: new("devs"), PolicyName: new("in")})
		s.must(err)
		s.equal(plain(u.PolicyDocument), plain(g.PolicyDocument))
		_, err = s.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: new("devs"), PolicyName: new("out")})
		s.refused(err, "NoSuchEntity", "The group policy with name out cannot be found.")
		un, err := s.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: new("ann")})
		s.must(err)
		gn, err := s.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: new("devs")})
		s.must(err)
		s.equal(fmt.Sprint(un.PolicyNames, gn.PolicyNames), "[in] [in]")
		_, err = s.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: new("ann"), PolicyArn: p.Arn})
		s.must(err)
		_, err = s.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: new("devs"), PolicyArn: p.Arn})
		s.must(err)
		_, err = s.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: new("ann"), PermissionsBoundary: p.Arn})
		s.must(err)
		ua, err := s.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: new("ann")})
		s.must(err)
		ga, err := s.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: new("devs"), PathPrefix: new("/x/")})
		s.must(err)
		s.equal(fmt.Sprint(len(ua.AttachedPolicies), len(ga.AttachedPolicies)), "1 0")
		who, err := s.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: p.Arn})
		s.must(err)
		s.equal(fmt.Sprint(len(who.PolicyUsers), len(who.PolicyGroups), len(who.PolicyRoles)), "1 1 0")
		got, err := s.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: p.Arn})
		s.must(err)
		s.equal(fmt.Sprint(*got.Policy.AttachmentCount, *got.Policy.PermissionsBoundaryUsageCount), "2 1")
		details, err := s.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{})
		s.must(err)
		s.equal(fmt.Sprint(*details.UserDetailList[0].UserPolicyList[0].PolicyName, *details.GroupDetailList[0].AttachedManagedPolicies[0].PolicyName,
			*details.Policies[0].PolicyVersionList[0].VersionId), "inreaderv1")
		_, err = s.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: p.Arn})
		s.refused(err, "DeleteConflict", "Cannot delete a policy attached to entities.")
		_, err = s.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: new("ann"), PolicyArn: p.Arn})
		s.must(err)
		_, err = s.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: new("devs"), PolicyArn: p.Arn})
		s.must(err)
		_, err = s.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: p.Arn})
		s.refused(err, "DeleteConflict", "Cannot delete a policy attached to entities.")
		_, err = s.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: new("ann")})
		s.must(err)
		_, err = s.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: p.Arn})
		s.must(err)
		_, err = s.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: new("ann"), PolicyName: new("in")})
		s.must(err)
		_, err = s.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: new("devs"), PolicyName: new("in")})
		s.must(err)
		_, err = s.TagUser(ctx, &iam.TagUserInput{UserName: new("ann"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
		s.must(err)
		tags, err := s.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: new("ann")})
		s.must(err)
		s.equal(len(tags.Tags), 1)
		_, err = s.UntagUser(ctx, &iam.UntagUserInput{UserName: new("ann"), TagKeys: []string{"k"}})
		s.must(err)
	})
}

func TestPoliciesHaveFiveVersions(t *testing.T) {
	run(t, func(s side, _ *apptest.Plumb) {
		ctx := t.Context()
		p := s.policy("p", read)
		add := func(document string, asDefault bool) error {
			_, err := s.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: &document, SetAsDefault: asDefault})
			return err
		}
		for range 4 {
			s.must(add(write, false))
		}
		s.refused(add(write, false), "LimitExceeded", "A managed policy can have up to 5 versions.")
		_, err := s.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: p.Arn, VersionId: new("v1")})
		s.refused(err, "DeleteConflict", "Cannot delete the default version of a policy.")
		_, err = s.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: p.Arn, VersionId: new("v3")})
		s.must(err)
		_, err = s.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: p.Arn, VersionId: new("v1")})
		s.must(err)
		s.must(add(read, true))
		first, err := s.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: p.Arn, MaxItems: new(int32(3))})
		s.must(err)
		s.equal(fmt.Sprint(*first.Versions[0].VersionId, first.Versions[0].IsDefaultVersion, first.IsTruncated), "v6true true")
		rest, err := s.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: p.Arn, MaxItems: new(int32(3)), Marker: first.Marker})
		s.must(err)
		s.equal(fmt.Sprint(len(rest.Versions), *rest.Versions[1].VersionId), "2v2")
		v, err := s.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: new("v2")})
		s.must(err)
		s.equal(plain(v.PolicyVersion.Document), write)
		_, err = s.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: p.Arn})
		s.refused(err, "DeleteConflict", "This policy has more than one version.")
		_, err = s.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: p.Arn, Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
		s.must(err)
		tags, err := s.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: p.Arn})
		s.must(err)
		s.equal(len(tags.Tags), 1)
		_, err = s.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: p.Arn, TagKeys: []string{"k"}})
		s.must(err)
		local, err := s.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
		s.must(err)
		s.equal(len(local.Policies), 1)
		pages, n := iam.NewListPoliciesPaginator(s.Client, &iam.ListPoliciesInput{MaxItems: new(int32(50))}), 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			s.must(err)
			n += len(page.Policies)
		}
		if n < 150 {
			t.Errorf("%d policies, most of them AWS's", n)
		}
		admin, err := s.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess"), VersionId: new("v1")})
		s.must(err)
		s.equal(plain(admin.PolicyVersion.Document), `{"Statement":[{"Action":["*"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}`)
		_, err = s.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess")})
		if err == nil {
			t.Error("AWS's policy was deleted")
		}
	})
}

func TestDocumentsThatAreNoPoliciesAreRefused(t *testing.T) {
	p := apptest.Start(t)
	s := as(t, p, account)
	for document, message := range map[string]string{
		`nothing`:         "The policy is not in the valid JSON format.",
		`{"Version":"x"}`: "The policy must contain a valid version string",
		`{"Version":"2012-10-17","Statement":[]}`:                                                                                                                 "Syntax errors in policy.",
		`{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`:                                                                                          "Syntax errors in policy.",
		`{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`:                                                                     "Invalid effect: allow",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}`:                                                                                  "Policy statement must contain actions.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}`:                                                                                 "Policy statement must contain resources.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"read","Resource":"*"}}`:                                                                  "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}`:                                                             `Resource bucket must be in ARN format or "*".`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}}`:                                                  "Policy document should not specify a principal.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Other":"*"}}`:                                                      "Syntax errors in policy.",
		`{"Version":"2012-10-17","Statement":{"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"}}`:                                                      "Statement IDs (SID) must be alpha-numeric.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Equals":{"a":"b"}}}}`:                                 "Invalid Condition type : Equals.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":{"a":"b"},"Resource":[["*"]]}}`:                                                           "Syntax errors in policy.",
		`{"Version":"2012-10-17","Statement":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`:                                                        "Syntax errors in policy.",
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}`: "must be unique",
	} {
		_, err := s.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: new("p"), PolicyDocument: &document})
		s.refused(err, "MalformedPolicyDocument", message)
	}
	for document, message := range map[string]string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"bob"},"Action":"sts:AssumeRole"}}`:                                                    `Invalid principal in policy: "AWS":"bob"`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}}`:                                                                "AssumeRole policy may only specify STS AssumeRole actions.",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}`:                                               "Has prohibited field Resource",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda"},"Action":"sts:AssumeRole"}}`:                                             "Invalid principal in policy",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Sid":"` + strings.Repeat("a", 2048) + `","Action":"sts:AssumeRole"}}`: "",
	} {
		_, err := s.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: new("r"), AssumeRolePolicyDocument: &document})
		code := "MalformedPolicyDocument"
		if message == "" {
			code = "LimitExceeded"
		}
		s.refused(err, code, message)
	}
}

func TestServiceLinkedRolesBelongToTheirService(t *testing.T) {
	run(t, func(s side, _ *apptest.Plumb) {
		ctx := t.Context()
		made, err := s.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: new("config.amazonaws.com")})
		s.must(err)
		s.equal(*made.Role.Arn, "arn:aws:iam::111111111111:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")
		_, err = s.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: new("config.amazonaws.com")})
		s.refused(err, "InvalidInput", "Service role name AWSServiceRoleForConfig has been taken in this account, please try a different suffix.")
		_, err = s.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: made.Role.RoleName})
		s.refused(err, "UnmodifiableEntity", "only modifiable by AWS")
		attached, err := s.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: made.Role.RoleName})
		s.must(err)
		s.equal(*attached.AttachedPolicies[0].PolicyArn, "arn:aws:iam::aws:policy/aws-service-role/AWSConfigServiceRolePolicy")
		gone, err := s.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: made.Role.RoleName})
		s.must(err)
		state, err := s.GetServiceLinkedRoleDeletionStatus(ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: gone.DeletionTaskId})
		s.must(err)
		s.equal(state.Status, "SUCCEEDED")
	})
}

func TestAnAccountHasANameAPasswordPolicyAndASummary(t *testing.T) {
	run(t, func(s side, p *apptest.Plumb) {
		ctx := t.Context()
		_, err := s.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: new("team-a")})
		s.must(err)
		_, err = as(t, p, stranger).CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: new("team-a")})
		s.refused(err, "EntityAlreadyExists", "The account alias team-a already exists.")
		_, err = s.CreateAccountAlias(ctx, &iam.CreateAccountAliasInput{AccountAlias: new("team--a")})
		s.refused(err, "ValidationError", "accountAlias")
		aliases, err := s.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
		s.must(err)
		s.equal(aliases.AccountAliases, "[team-a]")
		_, err = s.DeleteAccountAlias(ctx, &iam.DeleteAccountAliasInput{AccountAlias: new("team-a")})
		s.must(err)
		_, err = s.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
		s.refused(err, "NoSuchEntity", "The Password Policy with domain name 111111111111 cannot be found.")
		_, err = s.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: new(int32(14)), MaxPasswordAge: new(int32(90)), RequireNumbers: true})
		s.must(err)
		passwords, err := s.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
		s.must(err)
		s.equal(fmt.Sprint(*passwords.PasswordPolicy.MinimumPasswordLength, passwords.PasswordPolicy.ExpirePasswords, passwords.PasswordPolicy.RequireSymbols), "14 true false")
		_, err = s.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
		s.must(err)
		s.user("u")
		summary, err := s.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
		s.must(err)
		s.equal(fmt.Sprint(summary.SummaryMap["Users"], summary.SummaryMap["UsersQuota"], summary.SummaryMap["AccountMFAEnabled"]), "1 5000 0")
	})
}

func TestRolesComeInPagesWhoseMarkersAreTheListsOwn(t *testing.T) {
	run(t, func(s side, p *apptest.Plumb) {
		ctx := t.Context()
		for i := range 7 {
			s.role(fmt.Sprintf("r%d", i))
		}
		var names []string
		pages := iam.NewListRolesPaginator(s.Client, &iam.ListRolesInput{MaxItems: new(int32(3))})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			s.must(err)
			for _, r := range page.Roles {
				names = append(names, *r.RoleName)
			}
		}
		s.equal(names, "[r0 r1 r2 r3 r4 r5 r6]")
		first, err := s.ListRoles(ctx, &iam.ListRolesInput{MaxItems: new(int32(3))})
		s.must(err)
		_, err = as(t, p, stranger).ListRoles(ctx, &iam.ListRolesInput{Marker: first.Marker})
		s.refused(err, "ValidationError", "Invalid Marker")
		_, err = s.ListUsers(ctx, &iam.ListUsersInput{Marker: first.Marker})
		s.refused(err, "ValidationError", "Invalid Marker")
		n := 0
		details := iam.NewGetAccountAuthorizationDetailsPaginator(s.Client, &iam.GetAccountAuthorizationDetailsInput{MaxItems: new(int32(2)), Filter: []types.EntityType{types.EntityTypeRole}})
		for details.HasMorePages() {
			page, err := details.NextPage(ctx)
			s.must(err)
			n += len(page.RoleDetailList)
		}
		s.equal(n, 7)
	})
}

func TestSimulationSaysWhatPoliciesWould(t *testing.T) {
	run(t, func(s side, _ *apptest.Plumb) {
		ctx := t.Context()
		u := s.user("ann")
		_, err := s.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("ann"), PolicyName: new("in"), PolicyDocument: new(write)})
		s.must(err)
		_, err = s.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: new("ann"), PolicyArn: new("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")})
		s.must(err)
		out, err := s.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: u.Arn, ActionNames: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, ResourceArns: []string{"arn:aws:s3:::b/ann/x"},
			ContextEntries:  []types.ContextEntry{{ContextKeyName: new("aws:username"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"ann"}}},
			PolicyInputList: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}`},
		})
		s.must(err)
		var decisions []string
		for _, r := range out.EvaluationResults {
			decisions = append(decisions, string(r.EvalDecision))
		}
		s.equal(decisions, "[allowed allowed explicitDeny]")
		s.equal(*out.EvaluationResults[1].MatchedStatements[0].SourcePolicyId, "in")
		custom, err := s.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{
			PolicyInputList: []string{read, write}, ActionNames: []string{"s3:PutObject", "sqs:SendMessage"}, ResourceArns: []string{"arn:aws:s3:::b/ann/x"},
			PermissionsBoundaryPolicyInputList: []string{read},
		})
		s.must(err)
		s.equal(custom.EvaluationResults[0].EvalDecision, "implicitDeny")
		s.equal(custom.EvaluationResults[0].MissingContextValues, "[]")
		keys, err := s.GetContextKeysForPrincipalPolicy(ctx, &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: u.Arn})
		s.must(err)
		s.equal(keys.ContextKeyNames, "[aws:username]")
		more, err := s.GetContextKeysForCustomPolicy(ctx, &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`}})
		s.must(err)
		s.equal(more.ContextKeyNames, "[aws:securetransport]")
		_, err = s.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: new("arn:aws:iam::111111111111:policy/x"), ActionNames: []string{"s3:GetObject"}})
		s.refused(err, "InvalidInput", "Invalid Entity Arn")
	})
}
