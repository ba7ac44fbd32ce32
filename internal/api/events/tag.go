package events

import (
	"context"
	"maps"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/model/eventsapi"
)

func tagsOf(list []eventsapi.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[*t.Key] = *t.Value
	}
	return out
}

// TagResource adds tags to a bus or a rule.
func (o operations) TagResource(ctx context.Context, in *eventsapi.TagResourceInput) (*eventsapi.TagResourceOutput, error) {
	err := o.bus.Write(ctx, func(tx *db.Tx) error {
		return o.bus.Tag(ctx, tx, caller.Place(ctx), *in.ResourceARN, tagsOf(in.Tags), nil)
	})
	return &eventsapi.TagResourceOutput{}, err
}

// UntagResource removes tags of a bus or a rule.
func (o operations) UntagResource(ctx context.Context, in *eventsapi.UntagResourceInput) (*eventsapi.UntagResourceOutput, error) {
	err := o.bus.Write(ctx, func(tx *db.Tx) error { return o.bus.Tag(ctx, tx, caller.Place(ctx), *in.ResourceARN, nil, in.TagKeys) })
	return &eventsapi.UntagResourceOutput{}, err
}

// ListTagsForResource lists the tags of a bus or a rule.
func (o operations) ListTagsForResource(ctx context.Context, in *eventsapi.ListTagsForResourceInput) (*eventsapi.ListTagsForResourceOutput, error) {
	var tags map[string]string
	err := o.bus.Read(ctx, func(tx *db.Tx) (err error) {
		tags, err = eventbus.Tags(ctx, tx, caller.Place(ctx), *in.ResourceARN)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &eventsapi.ListTagsForResourceOutput{Tags: []eventsapi.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, eventsapi.Tag{Key: &key, Value: new(tags[key])})
	}
	return out, nil
}
