// Package job is what is due: work that was decided in a transaction and is done
// after it, at least once, also across a crash.
//
// Jobs are kept and run by River, in the same store as the data, so that a job
// exists exactly when the transaction that asked for it was committed. The
// package adds what Plumb needs around it: one vocabulary for both databases, a
// clock that can be moved (Drain runs all that is due by it), jobs of a killed
// server taken up again, and notifications that stay in the process on SQLite,
// where River would poll.
//
// There are three kinds of handlers. HandleTx is for work that is one
// transaction: the job completes in it, so it happens exactly once and what it
// inserts is never inserted twice. HandlePrepared reads and computes before that
// transaction. Handle is for work outside the store; it runs at least once and
// must be idempotent.
//
// It is not an event bus: a reaction to an event is a function called in the
// transaction that made the event true, and what it leaves behind is a job.
//
// It keeps River's tables and job_server, the servers that share a store.
//
//	q, err := job.New(ctx, d, log, clk, "server-1")
//	job.HandleTx(q, func(ctx context.Context, tx *db.Tx, j job.Job[deliver]) error { ... }, job.Policy{})
//	q.Start(ctx)
//	d.Write(ctx, func(tx *db.Tx) error { return q.Insert(ctx, tx, deliver{...}, job.Options{}) })
package job
