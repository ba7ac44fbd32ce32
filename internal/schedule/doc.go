// Package schedule is the language of schedules that EventBridge's rules and
// EventBridge Scheduler share: rate(5 minutes), cron(0 18 ? * MON-FRI *), and
// at(2026-12-31T23:59:59), which only Scheduler takes.
//
//	e, err := schedule.Parse("cron(0 18 ? * MON-FRI *)")
//	next, ok := e.Next(now, created, time.UTC)
//
// It tells when an expression is due and keeps nothing; who waits for that time,
// and what happens then, is the caller's.
//
// The contract is "Schedule types in EventBridge Scheduler" in its user guide. Where
// that is silent about cron, it is what the Quartz scheduler does, whose form of
// cron it is.
package schedule

import _ "time/tzdata" // schedules have time zones on systems that come without
