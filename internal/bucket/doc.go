// Package bucket keeps the embedded S3's buckets, their configuration and their
// objects.
//
// It is not S3's API: api/s3 speaks that. It is not the recorder either: each
// change of a bucket is announced through a func that is handed in, inside the
// transaction that makes it.
//
// Rows say what there is (buckets, bucket_configurations, objects, uploads);
// the bytes of objects lie in blobs behind the Blobs interface: Files in a folder
// with SQLite, Rows in the database with PostgreSQL, so that all servers of one
// database see the same. An object is acknowledged when its blob is on disk, then
// the transaction with its row: a crash in between leaves bytes that nobody names,
// which Sweep removes, and never a row without its bytes.
//
//	s := bucket.New(log, d, files, queue, clk.Now, announce)
//	err := s.Put(ctx, account, "my-bucket", "a/b.json", body, bucket.Meta{ContentType: "application/json"})
package bucket
