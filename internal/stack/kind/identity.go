package kind

import (
	"context"
	"maps"
	"slices"

	"plumb/internal/arn"
)

// identityTypes are those of IAM.
func identityTypes() map[string]Type {
	return map[string]Type{
		"AWS::IAM::Role": {
			Service: "Iam", Naming: Naming{Property: "RoleName", Max: 64}, Fixed: []string{"RoleName", "Path"},
			Create: createRole, Update: updateRole, Delete: deleteRole,
		},
		"AWS::IAM::Policy":     {Service: "Iam", Naming: Naming{Max: 128}, Fixed: []string{"PolicyName"}, Create: putInline, Update: putInline, Delete: deleteInline},
		"AWS::IAM::RolePolicy": {Service: "Iam", Fixed: []string{"PolicyName", "RoleName"}, Create: putRolePolicy, Update: putRolePolicy, Delete: deleteRolePolicy},
		"AWS::IAM::ManagedPolicy": {
			Service: "Iam", Naming: Naming{Property: "ManagedPolicyName", Max: 128}, Fixed: []string{"ManagedPolicyName", "Path", "Description"},
			Create: createManaged, Update: updateManaged, Delete: deleteManaged,
		},
		"AWS::IAM::InstanceProfile": {
			Service: "Iam", Naming: Naming{Property: "InstanceProfileName", Max: 128}, Fixed: []string{"InstanceProfileName", "Path"},
			Create: createProfile, Update: updateProfile, Delete: deleteProfile,
		},
	}
}

func (r *Request) iam(ctx context.Context, operation string, in map[string]any) (map[string]any, error) {
	return r.send(ctx, "iam", operation, in)
}

func createRole(ctx context.Context, r *Request) error {
	err := r.only("RoleName", "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path", "PermissionsBoundary",
		"Policies", "Tags")
	if err != nil {
		return err
	}
	in := without(r.Properties, "ManagedPolicyArns", "Policies", "Tags")
	in["RoleName"] = r.name("RoleName")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	if _, err := r.iam(ctx, "CreateRole", in); r.mine(err) != nil {
		return err
	}
	out, err := r.iam(ctx, "GetRole", map[string]any{"RoleName": in["RoleName"]})
	if err != nil {
		return err
	}
	r.Physical = textOf(in["RoleName"])
	r.Attributes = map[string]any{"Arn": at(out, "Role", "Arn"), "RoleId": at(out, "Role", "RoleId")}
	return r.rolePolicies(ctx)
}

// inline returns the policies that stand in an identity itself, by their names.
func inline(properties map[string]any) map[string]any {
	out := map[string]any{}
	list, _ := properties["Policies"].([]any)
	for _, item := range list {
		m, _ := item.(map[string]any)
		out[textOf(m["PolicyName"])] = m["PolicyDocument"]
	}
	return out
}

// rolePolicies makes a role's policies those of its properties.
func (r *Request) rolePolicies(ctx context.Context) error {
	wanted, old := inline(r.Properties), inline(r.Old)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		in := map[string]any{"RoleName": r.Physical, "PolicyName": name, "PolicyDocument": wanted[name]}
		if _, err := r.iam(ctx, "PutRolePolicy", in); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, stays := wanted[name]; stays {
			continue
		}
		if _, err := r.iam(ctx, "DeleteRolePolicy", map[string]any{"RoleName": r.Physical, "PolicyName": name}); absent(err) != nil {
			return err
		}
	}
	managed, before := texts(r.Properties["ManagedPolicyArns"]), texts(r.Old["ManagedPolicyArns"])
	for _, policy := range managed {
		if _, err := r.iam(ctx, "AttachRolePolicy", map[string]any{"RoleName": r.Physical, "PolicyArn": policy}); err != nil {
			return err
		}
	}
	for _, policy := range before {
		if slices.Contains(managed, policy) {
			continue
		}
		if _, err := r.iam(ctx, "DetachRolePolicy", map[string]any{"RoleName": r.Physical, "PolicyArn": policy}); absent(err) != nil {
			return err
		}
	}
	return nil
}

func updateRole(ctx context.Context, r *Request) error {
	role := map[string]any{"RoleName": r.Physical}
	if r.changed("AssumeRolePolicyDocument") {
		in := maps.Clone(role)
		in["PolicyDocument"] = r.Properties["AssumeRolePolicyDocument"]
		if _, err := r.iam(ctx, "UpdateAssumeRolePolicy", in); err != nil {
			return err
		}
	}
	if r.changed("Description", "MaxSessionDuration") {
		in := maps.Clone(role)
		in["Description"], in["MaxSessionDuration"] = "", 3600
		set(in, "Description", r.Properties, "Description")
		set(in, "MaxSessionDuration", r.Properties, "MaxSessionDuration")
		if _, err := r.iam(ctx, "UpdateRole", in); err != nil {
			return err
		}
	}
	if r.changed("PermissionsBoundary") {
		operation, in := "DeleteRolePermissionsBoundary", maps.Clone(role)
		if v, ok := r.Properties["PermissionsBoundary"]; ok {
			operation, in["PermissionsBoundary"] = "PutRolePermissionsBoundary", v
		}
		if _, err := r.iam(ctx, operation, in); err != nil {
			return err
		}
	}
	if err := r.rolePolicies(ctx); err != nil {
		return err
	}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.iam(ctx, "UntagRole", map[string]any{"RoleName": r.Physical, "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(wanted, old) {
		return nil
	}
	_, err := r.iam(ctx, "TagRole", map[string]any{"RoleName": r.Physical, "Tags": tagList(wanted)})
	return err
}

// deleteRole takes the policies off that the template gave to the role. Those of
// others keep it from being deleted, as with AWS.
func deleteRole(ctx context.Context, r *Request) error {
	old := r.Old
	r.Old, r.Properties = r.Properties, map[string]any{}
	defer func() { r.Properties, r.Old = r.Old, old }()
	if err := r.rolePolicies(ctx); err != nil {
		return err
	}
	_, err := r.iam(ctx, "DeleteRole", map[string]any{"RoleName": r.Physical})
	return absent(err)
}

// holders are the identities that a policy is of, with the words of IAM for them.
var holders = []struct{ property, word string }{{"Roles", "Role"}, {"Users", "User"}, {"Groups", "Group"}}

func putInline(ctx context.Context, r *Request) error {
	if err := r.only("PolicyName", "PolicyDocument", "Roles", "Users", "Groups"); err != nil {
		return err
	}
	for _, h := range holders {
		now := texts(r.Properties[h.property])
		for _, name := range now {
			in := map[string]any{h.word + "Name": name, "PolicyName": r.text("PolicyName"), "PolicyDocument": r.Properties["PolicyDocument"]}
			if _, err := r.iam(ctx, "Put"+h.word+"Policy", in); err != nil {
				return err
			}
		}
		for _, name := range texts(r.Old[h.property]) {
			if slices.Contains(now, name) {
				continue
			}
			in := map[string]any{h.word + "Name": name, "PolicyName": r.text("PolicyName")}
			if _, err := r.iam(ctx, "Delete"+h.word+"Policy", in); absent(err) != nil {
				return err
			}
		}
	}
	if r.Physical == "" {
		r.Physical = r.Name
		r.Attributes = map[string]any{"Id": r.Name}
	}
	return nil
}

func deleteInline(ctx context.Context, r *Request) error {
	for _, h := range holders {
		for _, name := range texts(r.Properties[h.property]) {
			in := map[string]any{h.word + "Name": name, "PolicyName": r.text("PolicyName")}
			if _, err := r.iam(ctx, "Delete"+h.word+"Policy", in); absent(err) != nil {
				return err
			}
		}
	}
	return nil
}

func putRolePolicy(ctx context.Context, r *Request) error {
	if err := r.only("PolicyName", "PolicyDocument", "RoleName"); err != nil {
		return err
	}
	_, err := r.iam(ctx, "PutRolePolicy", r.Properties)
	r.Physical = r.text("PolicyName") + "|" + r.text("RoleName")
	return err
}

func deleteRolePolicy(ctx context.Context, r *Request) error {
	_, err := r.iam(ctx, "DeleteRolePolicy", without(r.Properties, "PolicyDocument"))
	return absent(err)
}

func createManaged(ctx context.Context, r *Request) error {
	if err := r.only("ManagedPolicyName", "PolicyDocument", "Description", "Path", "Roles", "Users", "Groups"); err != nil {
		return err
	}
	in := map[string]any{"PolicyName": r.name("ManagedPolicyName")}
	for _, p := range []string{"PolicyDocument", "Description", "Path"} {
		set(in, p, r.Properties, p)
	}
	if len(r.Tags) > 0 {
		in["Tags"] = tagList(r.Tags)
	}
	out, err := r.iam(ctx, "CreatePolicy", in)
	policy := at(out, "Policy", "Arn")
	if r.Again && isThere(err) {
		path := r.text("Path")
		if path == "" {
			path = "/"
		}
		policy, err = arn.New("iam", "", r.Place.Account, "policy"+path+textOf(in["PolicyName"])).String(), nil
	}
	if err != nil {
		return err
	}
	r.Physical = policy
	r.Attributes = map[string]any{"PolicyArn": policy, "PolicyId": at(out, "Policy", "PolicyId")}
	return r.attach(ctx)
}

// attach gives a managed policy to the identities of its properties, and takes it
// from those that it had before.
func (r *Request) attach(ctx context.Context) error {
	for _, h := range holders {
		now := texts(r.Properties[h.property])
		for _, name := range now {
			if _, err := r.iam(ctx, "Attach"+h.word+"Policy", map[string]any{h.word + "Name": name, "PolicyArn": r.Physical}); err != nil {
				return err
			}
		}
		for _, name := range texts(r.Old[h.property]) {
			if slices.Contains(now, name) {
				continue
			}
			if _, err := r.iam(ctx, "Detach"+h.word+"Policy", map[string]any{h.word + "Name": name, "PolicyArn": r.Physical}); absent(err) != nil {
				return err
			}
		}
	}
	return nil
}

// oldVersions deletes the versions of a policy that are not in force.
func (r *Request) oldVersions(ctx context.Context) error {
	out, err := r.iam(ctx, "ListPolicyVersions", map[string]any{"PolicyArn": r.Physical})
	if err != nil {
		return err
	}
	list, _ := out["Versions"].([]any)
	for _, v := range list {
		if at(v, "IsDefaultVersion") == "true" {
			continue
		}
		if _, err := r.iam(ctx, "DeletePolicyVersion", map[string]any{"PolicyArn": r.Physical, "VersionId": at(v, "VersionId")}); err != nil {
			return err
		}
	}
	return nil
}

func updateManaged(ctx context.Context, r *Request) error {
	if r.changed("PolicyDocument") {
		if err := r.oldVersions(ctx); err != nil {
			return err
		}
		in := map[string]any{"PolicyArn": r.Physical, "PolicyDocument": r.Properties["PolicyDocument"], "SetAsDefault": true}
		if _, err := r.iam(ctx, "CreatePolicyVersion", in); err != nil {
			return err
		}
	}
	return r.attach(ctx)
}

func deleteManaged(ctx context.Context, r *Request) error {
	for _, h := range holders {
		for _, name := range texts(r.Properties[h.property]) {
			if _, err := r.iam(ctx, "Detach"+h.word+"Policy", map[string]any{h.word + "Name": name, "PolicyArn": r.Physical}); absent(err) != nil {
				return err
			}
		}
	}
	if err := r.oldVersions(ctx); err != nil {
		return absent(err)
	}
	_, err := r.iam(ctx, "DeletePolicy", map[string]any{"PolicyArn": r.Physical})
	return absent(err)
}

func createProfile(ctx context.Context, r *Request) error {
	if err := r.only("InstanceProfileName", "Path", "Roles"); err != nil {
		return err
	}
	in := without(r.Properties, "Roles")
	in["InstanceProfileName"] = r.name("InstanceProfileName")
	if _, err := r.iam(ctx, "CreateInstanceProfile", in); r.mine(err) != nil {
		return err
	}
	out, err := r.iam(ctx, "GetInstanceProfile", map[string]any{"InstanceProfileName": in["InstanceProfileName"]})
	if err != nil {
		return err
	}
	r.Physical = textOf(in["InstanceProfileName"])
	r.Attributes = map[string]any{"Arn": at(out, "InstanceProfile", "Arn")}
	return updateProfile(ctx, r)
}

func updateProfile(ctx context.Context, r *Request) error {
	now := texts(r.Properties["Roles"])
	for _, name := range texts(r.Old["Roles"]) {
		if !slices.Contains(now, name) {
			in := map[string]any{"InstanceProfileName": r.Physical, "RoleName": name}
			if _, err := r.iam(ctx, "RemoveRoleFromInstanceProfile", in); absent(err) != nil {
				return err
			}
		}
	}
	for _, name := range now {
		if slices.Contains(texts(r.Old["Roles"]), name) {
			continue
		}
		if _, err := r.iam(ctx, "AddRoleToInstanceProfile", map[string]any{"InstanceProfileName": r.Physical, "RoleName": name}); r.mine(err) != nil {
			return err
		}
	}
	return nil
}

func deleteProfile(ctx context.Context, r *Request) error {
	for _, name := range texts(r.Properties["Roles"]) {
		in := map[string]any{"InstanceProfileName": r.Physical, "RoleName": name}
		if _, err := r.iam(ctx, "RemoveRoleFromInstanceProfile", in); absent(err) != nil {
			return err
		}
	}
	_, err := r.iam(ctx, "DeleteInstanceProfile", map[string]any{"InstanceProfileName": r.Physical})
	return absent(err)
}
