package iam

import (
	"context"
	"maps"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerTags(s *iamapi.Service) {
	s.TagRole(f.TagRole)
	s.UntagRole(f.UntagRole)
	s.ListRoleTags(f.ListRoleTags)
	s.TagUser(f.TagUser)
	s.UntagUser(f.UntagUser)
	s.ListUserTags(f.ListUserTags)
	s.TagInstanceProfile(f.TagInstanceProfile)
	s.UntagInstanceProfile(f.UntagInstanceProfile)
	s.ListInstanceProfileTags(f.ListInstanceProfileTags)
	s.TagPolicy(f.TagPolicy)
	s.UntagPolicy(f.UntagPolicy)
	s.ListPolicyTags(f.ListPolicyTags)
}

// tag changes the tags of what a name, or the ARN of a policy, stands for.
func (f face) tag(ctx context.Context, kind identity.Kind, name *string, set []iamapi.Tag, remove []string) error {
	tags, err := tagMap(set)
	if err != nil {
		return err
	}
	do := func(e *identity.Entity) error {
		for _, k := range remove {
			delete(e.Tags, k)
		}
		maps.Copy(e.Tags, tags)
		return nil
	}
	return f.write(ctx, func(tx *db.Tx, account string) error {
		if kind == identity.Policy {
			return f.store.ChangePolicy(ctx, tx, account, text(name), do)
		}
		_, err := f.store.Change(ctx, tx, account, kind, text(name), do)
		return err
	})
}

// tags reads a page of tags.
func (f face) tags(
	ctx context.Context, operation string, kind identity.Kind, name, marker *string, n *int32,
) (out []iamapi.Tag, last end, err error) {
	l, err := f.list(ctx, operation, marker, n, text(name))
	if err != nil {
		return nil, last, err
	}
	err = f.read(ctx, func(tx *db.Tx, account string) (err error) {
		var e identity.Entity
		if kind == identity.Policy {
			e, err = identity.FindPolicy(ctx, tx, account, text(name))
		} else {
			e, err = identity.Find(ctx, tx, account, kind, text(name))
		}
		out, last = cutAll(l, tagList(e.Tags), func(t iamapi.Tag) string { return *t.Key }, same)
		return err
	})
	return out, last, err
}

// TagRole adds tags to a role.
func (f face) TagRole(ctx context.Context, in *iamapi.TagRoleInput) (*iamapi.TagRoleOutput, error) {
	return nil, f.tag(ctx, identity.Role, in.RoleName, in.Tags, nil)
}

// UntagRole removes tags.
func (f face) UntagRole(ctx context.Context, in *iamapi.UntagRoleInput) (*iamapi.UntagRoleOutput, error) {
	return nil, f.tag(ctx, identity.Role, in.RoleName, nil, in.TagKeys)
}

// ListRoleTags lists tags.
func (f face) ListRoleTags(ctx context.Context, in *iamapi.ListRoleTagsInput) (*iamapi.ListRoleTagsOutput, error) {
	found, e, err := f.tags(ctx, "ListRoleTags", identity.Role, in.RoleName, in.Marker, in.MaxItems)
	return &iamapi.ListRoleTagsOutput{Tags: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// TagUser adds tags to an user.
func (f face) TagUser(ctx context.Context, in *iamapi.TagUserInput) (*iamapi.TagUserOutput, error) {
	return nil, f.tag(ctx, identity.User, in.UserName, in.Tags, nil)
}

// UntagUser removes tags.
func (f face) UntagUser(ctx context.Context, in *iamapi.UntagUserInput) (*iamapi.UntagUserOutput, error) {
	return nil, f.tag(ctx, identity.User, in.UserName, nil, in.TagKeys)
}

// ListUserTags lists tags.
func (f face) ListUserTags(ctx context.Context, in *iamapi.ListUserTagsInput) (*iamapi.ListUserTagsOutput, error) {
	found, e, err := f.tags(ctx, "ListUserTags", identity.User, in.UserName, in.Marker, in.MaxItems)
	return &iamapi.ListUserTagsOutput{Tags: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// TagInstanceProfile adds tags to an instance profile.
func (f face) TagInstanceProfile(ctx context.Context, in *iamapi.TagInstanceProfileInput) (*iamapi.TagInstanceProfileOutput, error) {
	return nil, f.tag(ctx, identity.Profile, in.InstanceProfileName, in.Tags, nil)
}

// UntagInstanceProfile removes tags.
func (f face) UntagInstanceProfile(ctx context.Context, in *iamapi.UntagInstanceProfileInput) (*iamapi.UntagInstanceProfileOutput, error) {
	return nil, f.tag(ctx, identity.Profile, in.InstanceProfileName, nil, in.TagKeys)
}

// ListInstanceProfileTags lists tags.
func (f face) ListInstanceProfileTags(ctx context.Context, in *iamapi.ListInstanceProfileTagsInput) (*iamapi.ListInstanceProfileTagsOutput, error) {
	found, e, err := f.tags(ctx, "ListInstanceProfileTags", identity.Profile, in.InstanceProfileName, in.Marker, in.MaxItems)
	return &iamapi.ListInstanceProfileTagsOutput{Tags: found, IsTruncated: e.truncated, Marker: e.marker}, err
}

// TagPolicy adds tags to a managed policy.
func (f face) TagPolicy(ctx context.Context, in *iamapi.TagPolicyInput) (*iamapi.TagPolicyOutput, error) {
	return nil, f.tag(ctx, identity.Policy, in.PolicyArn, in.Tags, nil)
}

// UntagPolicy removes tags.
func (f face) UntagPolicy(ctx context.Context, in *iamapi.UntagPolicyInput) (*iamapi.UntagPolicyOutput, error) {
	return nil, f.tag(ctx, identity.Policy, in.PolicyArn, nil, in.TagKeys)
}

// ListPolicyTags lists tags.
func (f face) ListPolicyTags(ctx context.Context, in *iamapi.ListPolicyTagsInput) (*iamapi.ListPolicyTagsOutput, error) {
	found, e, err := f.tags(ctx, "ListPolicyTags", identity.Policy, in.PolicyArn, in.Marker, in.MaxItems)
	return &iamapi.ListPolicyTagsOutput{Tags: found, IsTruncated: e.truncated, Marker: e.marker}, err
}
