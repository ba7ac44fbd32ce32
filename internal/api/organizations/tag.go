package organizations

import (
	"context"
	"maps"
	"slices"

	"plumb/internal/db"
	"plumb/internal/model/organizationsapi"
	"plumb/internal/organization"
)

func (f face) registerTags(s *organizationsapi.Service) {
	s.TagResource(f.TagResource)
	s.UntagResource(f.UntagResource)
	s.ListTagsForResource(f.ListTagsForResource)
}

// TagResource adds tags to an account, a unit or the root.
func (f face) TagResource(ctx context.Context, in *organizationsapi.TagResourceInput) (*organizationsapi.TagResourceOutput, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	err = f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Taggable(ctx, tx, o, text(in.ResourceId)); err != nil {
			return err
		}
		return organization.PutTags(ctx, tx, o, text(in.ResourceId), tags)
	})
	return &organizationsapi.TagResourceOutput{}, err
}

// UntagResource removes tags; keys that are not there are ignored.
func (f face) UntagResource(ctx context.Context, in *organizationsapi.UntagResourceInput) (*organizationsapi.UntagResourceOutput, error) {
	err := f.write(ctx, organization.Managed, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Taggable(ctx, tx, o, text(in.ResourceId)); err != nil || len(in.TagKeys) == 0 {
			return err
		}
		return organization.DeleteTags(ctx, tx, o, text(in.ResourceId), in.TagKeys)
	})
	return &organizationsapi.UntagResourceOutput{}, err
}

// ListTagsForResource lists all tags by their keys: there are at most 50.
func (f face) ListTagsForResource(
	ctx context.Context, in *organizationsapi.ListTagsForResourceInput,
) (*organizationsapi.ListTagsForResourceOutput, error) {
	if _, err := f.list(ctx, "ListTagsForResource", nil).after(in.NextToken); err != nil {
		return nil, err
	}
	out := &organizationsapi.ListTagsForResourceOutput{Tags: []organizationsapi.Tag{}}
	err := f.read(ctx, organization.Read, func(tx *db.Tx, o organization.Organization) error {
		if err := organization.Taggable(ctx, tx, o, text(in.ResourceId)); err != nil {
			return err
		}
		tags, err := organization.Tags(ctx, tx, o, text(in.ResourceId))
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			out.Tags = append(out.Tags, organizationsapi.Tag{Key: &k, Value: new(tags[k])})
		}
		return err
	})
	return out, err
}
