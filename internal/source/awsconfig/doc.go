// Package awsconfig tells EventBridge what became true in AWS Config: changed items
// and verdicts, evaluations that were asked for, snapshots and history files. They are
// events of the source aws.config on the default bus of the account.
//
// It is not package delivery, which tells the same to a delivery channel's topic, and
// needs no channel. It keeps nothing. Where no rule could take an event, nothing is
// written for it: not even a job.
//
// Reactions (On...) run in the transaction of what they tell of and insert a job, which
// reads the items and compares them with the rules before it puts the events that some
// rule takes.
//
//	a := awsconfig.New(d, jobs, bus, clk.Now)
//	err := a.OnItemsRecorded(ctx, tx, event)
package awsconfig
