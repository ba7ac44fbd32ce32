// Package stream polls Kinesis streams and the streams of DynamoDB's tables for
// functions: those of an account's target or outside service, by the service's own API.
//
// Each shard is read by one job at a time, which hands over what it finds in order, notes
// how far it came after each batch, and leaves its successor. A shard is read when those
// that it came from are done. A job that was cut off begins where the last note says; the
// batch that was under way is handed over again. Without mappings nothing runs.
//
//	p := stream.New(log, d, jobs, functions, targets, client, now, stopping)
//	mappings.Poll("kinesis", p)
//	mappings.Poll("dynamodb", p)
//
// It keeps source_shard: how far each shard is, and what of it is tried again.
package stream
