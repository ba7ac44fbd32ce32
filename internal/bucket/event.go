package bucket

import (
	"context"

	"plumb/internal/db"
)

// What happens to an object, in the words of S3's events.
const (
	CreatedByPut    = "ObjectCreated:Put"
	CreatedByCopy   = "ObjectCreated:Copy"
	CreatedByUpload = "ObjectCreated:CompleteMultipartUpload"
	Removed         = "ObjectRemoved:Delete"
	MarkerCreated   = "ObjectRemoved:DeleteMarkerCreated"
)

// An Event is what happened to an object.
type Event struct {
	Bucket   Bucket
	Name     string // one of the above
	Key      string
	Version  string
	Size     int64
	ETag     string
	Sequence int64 // grows with the changes of a key
}

// happened tells of an event in the transaction that makes it true.
func (s *Store) happened(ctx context.Context, tx *db.Tx, b Bucket, name string, o Object) error {
	if s.Happened == nil {
		return nil
	}
	return s.Happened(ctx, tx, Event{Bucket: b, Name: name, Key: o.Key, Version: o.Version, Size: o.Size, ETag: o.ETag, Sequence: o.seq})
}
