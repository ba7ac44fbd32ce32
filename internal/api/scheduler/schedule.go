package scheduler

import (
	"cmp"
	"context"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/schedulerapi"
	"plumb/internal/scheduler"
)

// CreateSchedule makes a schedule.
func (o operations) CreateSchedule(ctx context.Context, in *schedulerapi.CreateScheduleInput) (*schedulerapi.CreateScheduleOutput, error) {
	s, err := scheduleOf(caller.Place(ctx), in)
	if err != nil {
		return nil, err
	}
	if err := o.scheduler.Write(ctx, func(tx *db.Tx) error { return o.scheduler.Create(ctx, tx, s) }); err != nil {
		return nil, err
	}
	return &schedulerapi.CreateScheduleOutput{ScheduleArn: new(s.ARN())}, nil
}

// UpdateSchedule replaces a schedule.
func (o operations) UpdateSchedule(ctx context.Context, in *schedulerapi.UpdateScheduleInput) (*schedulerapi.UpdateScheduleOutput, error) {
	created := schedulerapi.CreateScheduleInput(*in)
	s, err := scheduleOf(caller.Place(ctx), &created)
	if err != nil {
		return nil, err
	}
	if err := o.scheduler.Write(ctx, func(tx *db.Tx) error { return o.scheduler.Update(ctx, tx, s) }); err != nil {
		return nil, err
	}
	return &schedulerapi.UpdateScheduleOutput{ScheduleArn: new(s.ARN())}, nil
}

func group(name *string) string { return cmp.Or(model.Deref(name), scheduler.Default) }

func scheduleOf(p config.Place, in *schedulerapi.CreateScheduleInput) (scheduler.Schedule, error) {
	s := scheduler.Schedule{Place: p, Group: group(in.GroupName), Name: *in.Name, State: cmp.Or(string(in.State), scheduler.Enabled)}
	s.Settings = scheduler.Settings{
		Description: model.Deref(in.Description), Expression: *in.ScheduleExpression, Zone: cmp.Or(model.Deref(in.ScheduleExpressionTimezone), "UTC"),
		Start: model.Deref(in.StartDate), End: model.Deref(in.EndDate), Delete: in.ActionAfterCompletion == schedulerapi.ActionAfterCompletionDelete, Key: model.Deref(in.KmsKeyArn),
	}
	window := in.FlexibleTimeWindow
	switch minutes := model.Deref(window.MaximumWindowInMinutes); {
	case window.Mode == schedulerapi.FlexibleTimeWindowModeOff && minutes != 0:
		return s, schedulerapi.ValidationException("MaximumWindowInMinutes must not be set when the Mode of FlexibleTimeWindow is OFF.")
	case window.Mode == schedulerapi.FlexibleTimeWindowModeFlexible && minutes == 0:
		return s, schedulerapi.ValidationException("MaximumWindowInMinutes must be set when the Mode of FlexibleTimeWindow is FLEXIBLE.")
	default:
		s.Window = time.Duration(minutes) * time.Minute
	}
	t := in.Target
	if t.EcsParameters != nil || t.KinesisParameters != nil || t.SageMakerPipelineParameters != nil {
		return s, schedulerapi.ValidationException("The target has parameters of a service that is not invoked here.")
	}
	s.Target = scheduler.Target{ARN: *t.Arn, Role: *t.RoleArn, Input: model.Deref(t.Input)}
	if t.SqsParameters != nil {
		s.Target.Group = model.Deref(t.SqsParameters.MessageGroupId)
	}
	if t.EventBridgeParameters != nil {
		s.Target.Source, s.Target.DetailType = model.Deref(t.EventBridgeParameters.Source), model.Deref(t.EventBridgeParameters.DetailType)
	}
	if t.DeadLetterConfig != nil {
		s.Target.DeadLetters = model.Deref(t.DeadLetterConfig.Arn)
	}
	if t.RetryPolicy != nil {
		s.Target.Retries, s.Target.Age = t.RetryPolicy.MaximumRetryAttempts, t.RetryPolicy.MaximumEventAgeInSeconds
	}
	return s, nil
}

// GetSchedule tells of a schedule.
func (o operations) GetSchedule(ctx context.Context, in *schedulerapi.GetScheduleInput) (*schedulerapi.GetScheduleOutput, error) {
	var s scheduler.Schedule
	err := o.scheduler.Read(ctx, func(tx *db.Tx) (err error) {
		s, err = scheduler.Find(ctx, tx, caller.Place(ctx), group(in.GroupName), *in.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &schedulerapi.GetScheduleOutput{
		Arn: new(s.ARN()), GroupName: &s.Group, Name: &s.Name, State: schedulerapi.ScheduleState(s.State), Description: model.Optional(s.Description),
		ScheduleExpression: &s.Expression, ScheduleExpressionTimezone: &s.Zone, StartDate: model.Moment(s.Start), EndDate: model.Moment(s.End), KmsKeyArn: model.Optional(s.Key),
		CreationDate: model.Moment(s.Created), LastModificationDate: model.Moment(s.Changed), ActionAfterCompletion: schedulerapi.ActionAfterCompletionNone,
		FlexibleTimeWindow: &schedulerapi.FlexibleTimeWindow{Mode: schedulerapi.FlexibleTimeWindowModeOff}, Target: targetShape(s.Target),
	}
	if s.Settings.Delete {
		out.ActionAfterCompletion = schedulerapi.ActionAfterCompletionDelete
	}
	if s.Window > 0 {
		out.FlexibleTimeWindow = &schedulerapi.FlexibleTimeWindow{Mode: schedulerapi.FlexibleTimeWindowModeFlexible,
			MaximumWindowInMinutes: new(int32(s.Window / time.Minute))}
	}
	return out, nil
}

// What holds for a target that says nothing about retries.
const (
	defaultRetries = 185
	defaultAge     = 86400
)

func targetShape(t scheduler.Target) *schedulerapi.Target {
	out := &schedulerapi.Target{Arn: &t.ARN, RoleArn: &t.Role, Input: model.Optional(t.Input), RetryPolicy: &schedulerapi.RetryPolicy{
		MaximumRetryAttempts: new(int32(defaultRetries)), MaximumEventAgeInSeconds: new(int32(defaultAge)),
	}}
	if t.Retries != nil {
		out.RetryPolicy.MaximumRetryAttempts = t.Retries
	}
	if t.Age != nil {
		out.RetryPolicy.MaximumEventAgeInSeconds = t.Age
	}
	if t.Group != "" {
		out.SqsParameters = &schedulerapi.SqsParameters{MessageGroupId: &t.Group}
	}
	if t.Source != "" {
		out.EventBridgeParameters = &schedulerapi.EventBridgeParameters{Source: &t.Source, DetailType: &t.DetailType}
	}
	if t.DeadLetters != "" {
		out.DeadLetterConfig = &schedulerapi.DeadLetterConfig{Arn: &t.DeadLetters}
	}
	return out
}

// DeleteSchedule removes a schedule.
func (o operations) DeleteSchedule(ctx context.Context, in *schedulerapi.DeleteScheduleInput) (*schedulerapi.DeleteScheduleOutput, error) {
	err := o.scheduler.Write(ctx, func(tx *db.Tx) error {
		return o.scheduler.Delete(ctx, tx, caller.Place(ctx), group(in.GroupName), *in.Name)
	})
	return &schedulerapi.DeleteScheduleOutput{}, err
}

// ListSchedules lists schedules by group and name.
func (o operations) ListSchedules(ctx context.Context, in *schedulerapi.ListSchedulesInput) (*schedulerapi.ListSchedulesOutput, error) {
	l, limit := scheduler.List{Group: model.Deref(in.GroupName), State: string(in.State), Prefix: model.Deref(in.NamePrefix)}, pageSize(in.MaxResults)
	after, ok := o.tokens.Decode("ListSchedules", model.Deref(in.NextToken), l.Group, l.State, l.Prefix)
	if !ok {
		return nil, badToken()
	}
	var list []scheduler.Schedule
	err := o.scheduler.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = scheduler.Schedules(ctx, tx, caller.Place(ctx), l, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &schedulerapi.ListSchedulesOutput{Schedules: []schedulerapi.ScheduleSummary{}}
	if len(list) > limit {
		list = list[:limit]
		out.NextToken = new(o.tokens.Encode("ListSchedules", list[limit-1].Position(), l.Group, l.State, l.Prefix))
	}
	for _, s := range list {
		out.Schedules = append(out.Schedules, schedulerapi.ScheduleSummary{
			Arn: new(s.ARN()), GroupName: &s.Group, Name: &s.Name, State: schedulerapi.ScheduleState(s.State), CreationDate: model.Moment(s.Created),
			LastModificationDate: model.Moment(s.Changed), Target: &schedulerapi.TargetSummary{Arn: &s.Target.ARN},
		})
	}
	return out, nil
}
