package bucket

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"plumb/internal/db"
)

// Conditions must hold of the object that a write replaces or removes.
type Conditions struct {
	Absent bool   // If-None-Match: *
	ETag   string // If-Match; "*" is any
}

// A PutRequest is an object to keep.
type PutRequest struct {
	Bucket     Bucket
	Key        string
	Body       io.Reader
	Meta       Meta
	Algorithm  string           // of the checksum; empty is CRC64NVME
	Verify     func(Sums) error // what the sender promised of the bytes; may be nil
	Conditions Conditions
	Event      string // what is told of it; empty is CreatedByPut
}

// Put keeps an object in a bucket of the account, for the program's own use.
func (s *Store) Put(ctx context.Context, account, bucket, key string, body io.Reader, m Meta) (Object, error) {
	b, err := s.Find(ctx, bucket)
	if err != nil {
		return Object{}, err
	}
	if b.Account != account {
		return Object{}, AccessDenied()
	}
	return s.PutObject(ctx, PutRequest{Bucket: b, Key: key, Body: body, Meta: m})
}

// PutObject keeps an object: as a new version, or in place of the one before,
// as the bucket's versioning says. When it returns, bytes and row are on disk.
func (s *Store) PutObject(ctx context.Context, r PutRequest) (Object, error) {
	part, sums, err := s.store(ctx, r.Body, r.Algorithm, r.Verify)
	if err != nil {
		return Object{}, err
	}
	o := Object{Bucket: r.Bucket.Name, Key: r.Key, Size: sums.Size, ETag: part.ETag, Meta: r.Meta, data: part.blob}
	o.Meta.Algorithm, o.Meta.Checksum, o.Meta.ChecksumType = sums.Algorithm, sums.Checksum, FullObject
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := s.addPart(ctx, tx, o.data, part); err != nil {
			return err
		}
		return s.addVersion(ctx, tx, &o, r.Conditions, cmp.Or(r.Event, CreatedByPut))
	})
	if err != nil {
		s.forget(ctx, part.blob)
		return Object{}, err
	}
	return o, nil
}

// store writes a body to a blob and syncs it. Nobody names the blob yet.
func (s *Store) store(ctx context.Context, body io.Reader, algorithm string, verify func(Sums) error) (Part, Sums, error) {
	sum, err := newSummer(algorithm)
	if err != nil {
		return Part{}, Sums{}, err
	}
	w, err := s.blobs.Create(ctx)
	if err != nil {
		return Part{}, Sums{}, err
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(io.MultiWriter(w, sum), readerOnly{body}, make([]byte, 256<<10)); err != nil {
		return Part{}, Sums{}, err
	}
	sums := sum.sums()
	if verify != nil {
		if err := verify(sums); err != nil {
			return Part{}, Sums{}, err
		}
	}
	if err := w.Commit(); err != nil {
		return Part{}, Sums{}, err
	}
	p := Part{Number: 1, Size: sums.Size, ETag: hex.EncodeToString(sums.MD5), Checksum: sums.Checksum, Modified: s.now(), blob: w.ID()}
	return p, sums, nil
}

// readerOnly hides WriterTo, so that one buffer of ours is used.
type readerOnly struct{ io.Reader }

// forget removes a blob whose row did not come to be. If that fails, Sweep
// finds it.
func (s *Store) forget(ctx context.Context, blob string) {
	if err := s.blobs.Remove(context.WithoutCancel(ctx), blob); err != nil {
		s.log.Warn("bytes without an object could not be removed", "blob", blob, "err", err)
	}
}

// addVersion makes o the latest version of its object and fills in Version,
// Latest and Modified.
func (s *Store) addVersion(ctx context.Context, tx *db.Tx, o *Object, c Conditions, event string) error {
	b, err := s.lockKey(ctx, tx, o.Bucket, o.Key)
	if err != nil {
		return err
	}
	old, err := latest(ctx, tx, o.Bucket, o.Key)
	if err != nil {
		return err
	}
	if err := c.check(old, o.Key); err != nil {
		return err
	}
	o.Version = NullVersion
	if b.Versioning == VersioningEnabled {
		o.Version = newID()
	} else if err := s.dropVersion(ctx, tx, o.Bucket, o.Key, NullVersion); err != nil {
		return err
	}
	o.Latest, o.Modified = true, s.now()
	o.seq = max(o.Modified.UnixMicro(), old.seq+1)
	if err := insertVersion(ctx, tx, *o); err != nil {
		return err
	}
	return s.happened(ctx, tx, b, event, *o)
}

// lockKey makes changes of one object wait for each other and for the deletion
// of the bucket.
func (s *Store) lockKey(ctx context.Context, tx *db.Tx, bucket, key string) (Bucket, error) {
	if err := tx.Lock(ctx, "object "+bucket+"/"+key); err != nil {
		return Bucket{}, err
	}
	if tx.Postgres() != nil {
		// A share of the bucket's row keeps it from being deleted before this object is there.
		if _, err := tx.Exec(ctx, `SELECT 1 FROM buckets WHERE name = ? FOR SHARE`, bucket); err != nil {
			return Bucket{}, fmt.Errorf("lock bucket %s: %w", bucket, err)
		}
	}
	return find(ctx, tx, bucket)
}

// latest returns the newest version of an object, or the zero Object.
func latest(ctx context.Context, tx *db.Tx, bucket, key string) (Object, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM objects WHERE bucket = ? AND key = ? AND latest`, bucket, key)
	o, err := scanObject(bucket, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return Object{}, nil
	}
	return o, err
}

func (c Conditions) check(old Object, key string) error {
	exists := old.Key != "" && !old.Marker
	switch {
	case c.Absent && exists:
		return PreconditionFailed("If-None-Match")
	case c.ETag != "" && !exists:
		return NoSuchKey(key)
	case c.ETag != "" && c.ETag != "*" && c.ETag != old.ETag:
		return PreconditionFailed("If-Match")
	}
	return nil
}

func insertVersion(ctx context.Context, tx *db.Tx, o Object) error {
	_, err := tx.Exec(ctx, `UPDATE objects SET latest = FALSE WHERE bucket = ? AND key = ? AND latest`, o.Bucket, o.Key)
	if err != nil {
		return fmt.Errorf("supersede object %s/%s: %w", o.Bucket, o.Key, err)
	}
	meta, err := json.Marshal(o.Meta)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO objects (bucket, key, seq, version, latest, marker, size, etag, modified, data, meta)
		VALUES (?, ?, ?, ?, TRUE, ?, ?, ?, ?, ?, ?)`, o.Bucket, o.Key, o.seq, o.Version, o.Marker, o.Size, o.ETag,
		db.Micros(o.Modified), o.data, string(meta))
	if err != nil {
		return fmt.Errorf("insert object %s/%s: %w", o.Bucket, o.Key, err)
	}
	return nil
}
