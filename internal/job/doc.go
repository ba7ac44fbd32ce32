// Package job is what is due: work that was decided in a transaction and is done
// outside of it, at least once, also across a crash.
//
// Jobs are kept and run by River, in the same store as the data, so that a job
// exists exactly when the transaction that asked for it was committed. The
// package adds what Plumb needs around it: one vocabulary for both databases, a
// clock that can be moved (Drain runs all that is due by it), jobs of a killed
// server taken up again when it starts, and a bell that rings in the process on
// SQLite, where River would poll.
//
// It is not an event bus: a reaction to an event is a function called in the
// transaction that made the event true, and what it leaves behind is a job.
//
//	q, err := job.New(ctx, d, log, clk)
//	job.Handle(q, func(ctx context.Context, j job.Job[deliver]) error { ... }, job.Policy{})
//	q.Start(ctx)
//	d.Write(ctx, func(tx *db.Tx) error { return q.Insert(ctx, tx, deliver{...}, job.Options{}) })
package job
