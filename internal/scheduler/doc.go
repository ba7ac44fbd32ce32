// Package scheduler is the embedded EventBridge Scheduler: groups of schedules, and
// the invocation of their targets when they are due.
//
// It is not Scheduler's API: api/scheduler speaks that. It knows no target: how one is
// handed its input, with retries and dead letters, is a func that core gives. It stores
// schedule_groups and schedules.
//
// A schedule has one job that waits for its next time. It hands the input over and
// inserts its successor in one transaction, so of several servers one invokes, and a
// server that is killed leaves nothing out. Times that were missed while no server ran
// are made up for once.
//
//	s := scheduler.New(d, jobs, clk.Now, send)
//	err := s.Create(ctx, tx, scheduler.Schedule{Place: place, Group: scheduler.Default, Name: "nightly", Expression: "cron(0 2 * * ? *)", ...})
package scheduler
