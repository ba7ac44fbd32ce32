// Package queue keeps the embedded SQS's queues and their messages.
//
// It is not SQS's API: api/sqs speaks that. It stores queues, queue_messages,
// queue_deduplications and queue_moves. A message that was accepted is in the database, so it
// survives a crash, and it is received at least once.
//
// Other parts of the program send in a transaction of their own:
//
//	s := queue.New(log, d, jobs, clk.Now, queue.Options{Announce: announce})
//	err := s.Send(ctx, tx, "arn:aws:sqs:us-east-1:123456789012:work", body, nil)
package queue
