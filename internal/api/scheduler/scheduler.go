// Package scheduler is the embedded EventBridge Scheduler's API: it checks what a
// request means, asks package scheduler, and answers in AWS's shapes. It keeps nothing.
package scheduler

import (
	"context"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/model/schedulerapi"
	"plumb/internal/scheduler"
	"plumb/internal/wire"
)

// New returns Scheduler with its operations bound to the schedules.
func New(s *scheduler.Scheduler, tokens wire.Tokens) *model.Registry {
	service := schedulerapi.NewService()
	register(service, operations{s, tokens})
	return service.Registry()
}

// register is the table of contents.
func register(s *schedulerapi.Service, o operations) {
	s.CreateSchedule(o.CreateSchedule)
	s.UpdateSchedule(o.UpdateSchedule)
	s.GetSchedule(o.GetSchedule)
	s.DeleteSchedule(o.DeleteSchedule)
	s.ListSchedules(o.ListSchedules)

	s.CreateScheduleGroup(o.CreateScheduleGroup)
	s.GetScheduleGroup(o.GetScheduleGroup)
	s.DeleteScheduleGroup(o.DeleteScheduleGroup)
	s.ListScheduleGroups(o.ListScheduleGroups)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.ListTagsForResource(o.ListTagsForResource)
}

type operations struct {
	scheduler *scheduler.Scheduler
	tokens    wire.Tokens
}

func place(ctx context.Context) config.Place {
	c := caller.From(ctx)
	return config.Place{Account: c.Account, Region: c.Region}
}

func deref[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

// optional returns a pointer to v, or nil if it is the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// maxPage is Scheduler's largest page, and the one of who does not say.
const maxPage = 100

func pageSize(limit *int32) int {
	if limit == nil {
		return maxPage
	}
	return int(*limit)
}

func badToken() error { return schedulerapi.ValidationException("Invalid NextToken.") }
