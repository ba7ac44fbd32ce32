// Package sqs polls the embedded queues for functions: messages are received in
// batches, handed to a function, and deleted when it took them.
//
// Nothing runs while a queue is empty: whoever makes a message receivable wakes the
// queue's mappings with a job in the same transaction, and a batch that ends plans
// the next look. A batch is one job; a job that was cut off looks again, and its
// messages come back after their visibility timeout.
//
// It keeps source_wake, when each mapping looks next, and source_slot, the batches
// of mappings that bound how many there are at a time.
package sqs
