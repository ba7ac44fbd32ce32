// Package logs hands events of log groups to functions, as the groups' subscription
// filters say.
//
// Package logs of a lower floor keeps the events, and tells of those that are written,
// in the transaction that writes them. Those that a filter's pattern matches are left
// there as a job, which asks whether the function lets the group in and has it invoked.
//
//	s := logs.New(log, d, jobs, functions, now)
//	store.Written, store.Deleted = s.Written, s.Deleted
//
// It keeps log_subscriptions.
package logs
