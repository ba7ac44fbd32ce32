// Package eventbus is the embedded EventBridge: buses, their rules and targets, and
// the way of an event from a bus to the targets of the rules that it matches.
//
// It is not EventBridge's API: api/events speaks that. It knows neither queues nor
// functions: a target is handed what it is to get by funcs that core gives. It
// stores event_buses, event_rules and event_targets.
//
// Putting an event inserts one job, in the transaction of whatever the event tells
// of, and none if the bus has no rule that could match. The job compares the events
// with the rules that there are then, and hands each target its input in one
// transaction. A target that refuses for good goes to the dead letters at once; one
// that is away is tried again by jobs of its own, by the target's retry policy.
//
// A rule with a schedule has one job that waits for the next time. It fires, and
// inserts its successor, in one transaction, so of several servers one fires.
//
//	b := eventbus.New(log, d, jobs, clk.Now, eventbus.Options{Hand: hand})
//	err := b.Put(ctx, tx, place, eventbus.Default, []eventbus.Event{{Source: "shop", DetailType: "sold", Detail: detail}})
package eventbus
