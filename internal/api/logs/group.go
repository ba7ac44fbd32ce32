package logs

import (
	"context"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/logsapi"
)

// CreateLogGroup makes a group.
func (o operations) CreateLogGroup(ctx context.Context, in *logsapi.CreateLogGroupInput) (*logsapi.CreateLogGroupOutput, error) {
	return nil, o.store.CreateGroup(ctx, caller.Place(ctx), *in.LogGroupName, in.Tags)
}

// DeleteLogGroup removes a group with its streams and events.
func (o operations) DeleteLogGroup(ctx context.Context, in *logsapi.DeleteLogGroupInput) (*logsapi.DeleteLogGroupOutput, error) {
	return nil, o.store.DeleteGroup(ctx, caller.Place(ctx), *in.LogGroupName)
}

// DescribeLogGroups lists groups by name.
func (o operations) DescribeLogGroups(ctx context.Context, in *logsapi.DescribeLogGroupsInput) (*logsapi.DescribeLogGroupsOutput, error) {
	prefix, part := model.Deref(in.LogGroupNamePrefix), model.Deref(in.LogGroupNamePattern)
	if prefix != "" && part != "" {
		return nil, logsapi.InvalidParameterException("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if in.LogGroupIdentifiers != nil {
		return o.describeNamed(ctx, in)
	}
	after, ok := o.tokens.Decode("DescribeLogGroups", model.Deref(in.NextToken), prefix, part)
	if !ok {
		return nil, badToken()
	}
	limit := pageSize(in.Limit)
	list, err := o.store.Groups(ctx, caller.Place(ctx), prefix, part, after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &logsapi.DescribeLogGroupsOutput{LogGroups: []logsapi.LogGroup{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("DescribeLogGroups", list[limit-1].Name, prefix, part))
	}
	for _, g := range list {
		out.LogGroups = append(out.LogGroups, groupShape(g))
	}
	return out, nil
}

// describeNamed lists the groups that the request names, those that are there.
func (o operations) describeNamed(ctx context.Context, in *logsapi.DescribeLogGroupsInput) (*logsapi.DescribeLogGroupsOutput, error) {
	out := &logsapi.DescribeLogGroupsOutput{LogGroups: []logsapi.LogGroup{}}
	for _, id := range in.LogGroupIdentifiers {
		name, err := groupOf(ctx, nil, &id)
		if err != nil {
			return nil, err
		}
		list, err := o.store.Groups(ctx, caller.Place(ctx), name, "", "", 1)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 && list[0].Name == name {
			out.LogGroups = append(out.LogGroups, groupShape(list[0]))
		}
	}
	return out, nil
}

// pageSize is AWS's for lists of groups and streams.
func pageSize(limit *int32) int {
	if limit == nil {
		return 50
	}
	return int(*limit)
}

func groupShape(g logs.Group) logsapi.LogGroup {
	out := logsapi.LogGroup{
		LogGroupName: &g.Name, CreationTime: &g.Created, MetricFilterCount: new(int32(0)), Arn: new(g.ARN() + ":*"), LogGroupArn: new(g.ARN()),
		StoredBytes: &g.Bytes, LogGroupClass: "STANDARD",
	}
	if g.Retention > 0 {
		out.RetentionInDays = new(int32(g.Retention))
	}
	return out
}

// retentions are the numbers of days that AWS takes.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// PutRetentionPolicy has a group's events go after some days.
func (o operations) PutRetentionPolicy(ctx context.Context, in *logsapi.PutRetentionPolicyInput) (*logsapi.PutRetentionPolicyOutput, error) {
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, logsapi.InvalidParameterException("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: "+
			"Member must satisfy enum value set: %d", *in.RetentionInDays, retentions)
	}
	return nil, o.store.SetRetention(ctx, caller.Place(ctx), *in.LogGroupName, int(*in.RetentionInDays))
}

// DeleteRetentionPolicy keeps a group's events.
func (o operations) DeleteRetentionPolicy(ctx context.Context, in *logsapi.DeleteRetentionPolicyInput) (*logsapi.DeleteRetentionPolicyOutput, error) {
	return nil, o.store.SetRetention(ctx, caller.Place(ctx), *in.LogGroupName, 0)
}

// TagResource adds tags to a group.
func (o operations) TagResource(ctx context.Context, in *logsapi.TagResourceInput) (*logsapi.TagResourceOutput, error) {
	name, err := groupOfARN(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, o.store.ChangeTags(ctx, caller.Place(ctx), name, in.Tags, nil)
}

// UntagResource removes tags of a group.
func (o operations) UntagResource(ctx context.Context, in *logsapi.UntagResourceInput) (*logsapi.UntagResourceOutput, error) {
	name, err := groupOfARN(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, o.store.ChangeTags(ctx, caller.Place(ctx), name, nil, in.TagKeys)
}

// ListTagsForResource lists the tags of a group.
func (o operations) ListTagsForResource(ctx context.Context, in *logsapi.ListTagsForResourceInput) (*logsapi.ListTagsForResourceOutput, error) {
	name, err := groupOfARN(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	g, err := o.store.Group(ctx, caller.Place(ctx), name)
	return &logsapi.ListTagsForResourceOutput{Tags: g.Tags}, err
}

// TagLogGroup is TagResource for older clients.
func (o operations) TagLogGroup(ctx context.Context, in *logsapi.TagLogGroupInput) (*logsapi.TagLogGroupOutput, error) {
	return nil, o.store.ChangeTags(ctx, caller.Place(ctx), *in.LogGroupName, in.Tags, nil)
}

// UntagLogGroup is UntagResource for older clients.
func (o operations) UntagLogGroup(ctx context.Context, in *logsapi.UntagLogGroupInput) (*logsapi.UntagLogGroupOutput, error) {
	return nil, o.store.ChangeTags(ctx, caller.Place(ctx), *in.LogGroupName, nil, in.Tags)
}

// ListTagsLogGroup is ListTagsForResource for older clients.
func (o operations) ListTagsLogGroup(ctx context.Context, in *logsapi.ListTagsLogGroupInput) (*logsapi.ListTagsLogGroupOutput, error) {
	g, err := o.store.Group(ctx, caller.Place(ctx), *in.LogGroupName)
	return &logsapi.ListTagsLogGroupOutput{Tags: g.Tags}, err
}
