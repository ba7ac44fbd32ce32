// Package firehose has the delivery streams of Kinesis Data Firehose: what is put into
// one is buffered, handed to the function that transforms it, and delivered to S3.
//
// It is not Firehose's API: api/firehose speaks that. How an object is written, and who
// may invoke which function, are funcs that core gives.
//
// Every accepted record is a row of an open buffer, and a buffer is flushed by one job:
// when it is full, or when its time has come on the server's clock. What a flush makes
// (objects, records of the next buffer) and the end of the buffer are one step: an object
// is written under a key that the buffer determines, and the buffer ends with the
// transaction that completes the job. So a server that is killed loses nothing, and
// several servers share the streams.
//
// It keeps firehose_streams, firehose_buffers and firehose_records.
//
//	s := firehose.New(log, d, jobs, functions, now, firehose.Options{Write: write, May: may})
//	err := s.Create(ctx, tx, stream)
//	outcomes, err := s.Put(ctx, tx, place, "logs", [][]byte{data})
package firehose
