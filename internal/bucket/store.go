package bucket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
)

// A Changed is told of every change of a bucket that its configuration item
// would show: creation, deletion, configuration. It runs in the transaction of
// the change and may insert jobs there.
type Changed func(ctx context.Context, tx *db.Tx, key config.ResourceKey) error

// A Store is the buckets of every account.
type Store struct {
	// Happened is told what happens to objects, in the transaction that makes it so. It
	// may be nil.
	Happened func(ctx context.Context, tx *db.Tx, e Event) error

	log     *slog.Logger
	db      *db.DB
	blobs   Blobs
	jobs    *job.Queue
	now     func() time.Time
	changed Changed
}

// New returns the buckets kept in d and blobs, and registers the job that
// clears away the bytes of deleted objects. changed may be nil.
func New(log *slog.Logger, d *db.DB, blobs Blobs, jobs *job.Queue, now func() time.Time, changed Changed) *Store {
	if changed == nil {
		changed = func(context.Context, *db.Tx, config.ResourceKey) error { return nil }
	}
	s := &Store{log: log, db: d, blobs: blobs, jobs: jobs, now: now, changed: changed}
	s.handleSweep()
	return s
}

// announce tells of a change of the bucket's configuration.
func (s *Store) announce(ctx context.Context, tx *db.Tx, b Bucket) error {
	return s.changed(ctx, tx, config.ResourceKey{Place: b.Place, Type: "AWS::S3::Bucket", ID: b.Name})
}

// newID returns 32 random hexadecimal digits: the name of a blob, a version or
// an upload.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand
	return hex.EncodeToString(b[:])
}
