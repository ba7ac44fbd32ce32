// Package topic keeps the embedded SNS's topics and subscriptions, and delivers
// what is published.
//
// It is not SNS's API: api/sns speaks that. It knows no queue and no function:
// how to reach them is handed in. It stores topics, topic_subscriptions and the
// key that signs messages.
//
// Publishing inserts one job, in the transaction of whatever is worth telling.
// The job finds the subscriptions that were there at the time, gives queues and
// functions their message in one transaction, and inserts a job for each HTTP
// endpoint, which is tried again by its delivery policy. Topics whose names end
// in .fifo deliver to queues in the publisher's transaction, which keeps order.
//
//	s := topic.New(log, d, jobs, clk.Now, topic.Options{Queue: queues.Deliver, Function: invoke, Endpoint: endpoint})
//	id, err := s.Publish(ctx, tx, "arn:aws:sns:us-east-1:123456789012:news", "subject", "message", nil)
package topic
