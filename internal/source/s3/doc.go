// Package s3 tells functions, queues, topics and the event bus what happens to the
// objects of embedded buckets, as a bucket's notification configuration says.
//
// It reads and checks configurations; package bucket keeps them. What is to be told
// is decided in the transaction that changes an object, and left there as a job for
// each destination, which asks whether the destination still lets the bucket in.
//
//	n := s3.New(log, jobs, now, s3.Options{Targets: targets, Functions: functions})
//	buckets.Happened = n.Happened
package s3
