// Package logs keeps what functions print, and what clients put, as CloudWatch
// Logs does: groups of streams of events.
//
//	store := logs.New(log, d, now)
//	store.Add(logs.Line{Place: p, Group: "/aws/lambda/f", Stream: "2026/01/02/[$LATEST]0123", Text: "START ..."})
//	page, err := store.Filter(ctx, group, logs.Query{Pattern: pattern, Limit: 100})
//
// Add takes a line of a function and returns at once: lines are written a few
// times a second, many in one transaction. A crash loses those of the last
// moment. Reads see every line that was added before on this server.
//
// A group holds as many days as its retention says and at most 128 MiB;
// the oldest events go first. The package knows nothing of functions, and
// sends nothing anywhere: Written is told of what is written.
package logs
