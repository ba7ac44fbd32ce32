package scheduler

import (
	"context"
	"maps"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/schedulerapi"
	"plumb/internal/scheduler"
)

// CreateScheduleGroup makes a group.
func (o operations) CreateScheduleGroup(ctx context.Context, in *schedulerapi.CreateScheduleGroupInput) (*schedulerapi.CreateScheduleGroupOutput, error) {
	g := scheduler.Group{Place: caller.Place(ctx), Name: *in.Name, Tags: tagsOf(in.Tags)}
	err := o.scheduler.Write(ctx, func(tx *db.Tx) (err error) {
		g, err = o.scheduler.CreateGroup(ctx, tx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &schedulerapi.CreateScheduleGroupOutput{ScheduleGroupArn: new(g.ARN())}, nil
}

// GetScheduleGroup tells of a group.
func (o operations) GetScheduleGroup(ctx context.Context, in *schedulerapi.GetScheduleGroupInput) (*schedulerapi.GetScheduleGroupOutput, error) {
	var g scheduler.Group
	err := o.scheduler.Read(ctx, func(tx *db.Tx) (err error) {
		g, err = scheduler.FindGroup(ctx, tx, caller.Place(ctx), *in.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &schedulerapi.GetScheduleGroupOutput{Arn: new(g.ARN()), Name: &g.Name, State: schedulerapi.ScheduleGroupStateActive, CreationDate: model.Moment(g.Created),
		LastModificationDate: model.Moment(g.Changed)}, nil
}

// DeleteScheduleGroup removes a group with its schedules.
func (o operations) DeleteScheduleGroup(ctx context.Context, in *schedulerapi.DeleteScheduleGroupInput) (*schedulerapi.DeleteScheduleGroupOutput, error) {
	err := o.scheduler.Write(ctx, func(tx *db.Tx) error { return o.scheduler.DeleteGroup(ctx, tx, caller.Place(ctx), *in.Name) })
	return &schedulerapi.DeleteScheduleGroupOutput{}, err
}

// ListScheduleGroups lists groups by name.
func (o operations) ListScheduleGroups(ctx context.Context, in *schedulerapi.ListScheduleGroupsInput) (*schedulerapi.ListScheduleGroupsOutput, error) {
	prefix, limit := model.Deref(in.NamePrefix), pageSize(in.MaxResults)
	after, ok := o.tokens.Decode("ListScheduleGroups", model.Deref(in.NextToken), prefix)
	if !ok {
		return nil, badToken()
	}
	var list []scheduler.Group
	err := o.scheduler.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = scheduler.Groups(ctx, tx, caller.Place(ctx), prefix, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &schedulerapi.ListScheduleGroupsOutput{ScheduleGroups: []schedulerapi.ScheduleGroupSummary{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListScheduleGroups", list[limit-1].Name, prefix))
	}
	for _, g := range list {
		out.ScheduleGroups = append(out.ScheduleGroups, schedulerapi.ScheduleGroupSummary{Arn: new(g.ARN()), Name: &g.Name,
			State: schedulerapi.ScheduleGroupStateActive, CreationDate: model.Moment(g.Created), LastModificationDate: model.Moment(g.Changed)})
	}
	return out, nil
}

func tagsOf(list []schedulerapi.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range list {
		out[*t.Key] = *t.Value
	}
	return out
}

// TagResource adds tags to a group.
func (o operations) TagResource(ctx context.Context, in *schedulerapi.TagResourceInput) (*schedulerapi.TagResourceOutput, error) {
	return &schedulerapi.TagResourceOutput{}, o.tag(ctx, *in.ResourceArn, tagsOf(in.Tags), nil)
}

// UntagResource removes tags of a group.
func (o operations) UntagResource(ctx context.Context, in *schedulerapi.UntagResourceInput) (*schedulerapi.UntagResourceOutput, error) {
	return &schedulerapi.UntagResourceOutput{}, o.tag(ctx, *in.ResourceArn, nil, in.TagKeys)
}

func (o operations) tag(ctx context.Context, groupARN string, set map[string]string, remove []string) error {
	name, err := scheduler.ParseGroupARN(caller.Place(ctx), groupARN)
	if err != nil {
		return err
	}
	return o.scheduler.Write(ctx, func(tx *db.Tx) error { return o.scheduler.Tag(ctx, tx, caller.Place(ctx), name, set, remove) })
}

// ListTagsForResource lists the tags of a group.
func (o operations) ListTagsForResource(ctx context.Context, in *schedulerapi.ListTagsForResourceInput) (*schedulerapi.ListTagsForResourceOutput, error) {
	name, err := scheduler.ParseGroupARN(caller.Place(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	var g scheduler.Group
	err = o.scheduler.Read(ctx, func(tx *db.Tx) (err error) {
		g, err = scheduler.FindGroup(ctx, tx, caller.Place(ctx), name)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &schedulerapi.ListTagsForResourceOutput{Tags: []schedulerapi.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(g.Tags)) {
		out.Tags = append(out.Tags, schedulerapi.Tag{Key: &key, Value: new(g.Tags[key])})
	}
	return out, nil
}
