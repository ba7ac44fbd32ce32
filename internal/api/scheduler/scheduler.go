// Package scheduler is the embedded EventBridge Scheduler's API: it checks what a
// request means, asks package scheduler, and answers in AWS's shapes. It keeps nothing.
package scheduler

import (
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

// maxPage is Scheduler's largest page, and the default.
const maxPage = 100

func pageSize(limit *int32) int {
	if limit == nil {
		return maxPage
	}
	return int(*limit)
}

func badToken() error { return schedulerapi.ValidationException("Invalid NextToken.") }
