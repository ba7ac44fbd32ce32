package bucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"plumb/internal/db"
)

// NullVersion is the version of objects written while versioning was not
// enabled.
const NullVersion = "null"

// Meta is what is kept with an object beside its bytes.
type Meta struct {
	ContentType        string            `json:"type,omitempty"`
	ContentEncoding    string            `json:"encoding,omitempty"`
	ContentDisposition string            `json:"disposition,omitempty"`
	ContentLanguage    string            `json:"language,omitempty"`
	CacheControl       string            `json:"cache,omitempty"`
	Expires            string            `json:"expires,omitempty"`
	Redirect           string            `json:"redirect,omitempty"`
	StorageClass       string            `json:"class,omitempty"` // empty is STANDARD
	User               map[string]string `json:"user,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
	Encryption         string            `json:"sse,omitempty"` // as the client named it; empty is AES256
	KMSKey             string            `json:"kms,omitempty"`
	BucketKey          bool              `json:"bucketKey,omitempty"`
	ACL                string            `json:"acl,omitempty"` // XML; empty is private
	Algorithm          string            `json:"algorithm,omitempty"`
	Checksum           string            `json:"checksum,omitempty"`
	ChecksumType       string            `json:"checksumType,omitempty"`
	Parts              int               `json:"parts,omitempty"` // of a multipart object
}

// An Object is one version of an object, or a delete marker.
type Object struct {
	Bucket   string
	Key      string
	Version  string
	Latest   bool
	Marker   bool
	Size     int64
	ETag     string // without quotes
	Modified time.Time
	Meta     Meta

	seq  int64
	data string
}

// columns are what scanObject reads, in its order.
const columns = `key, seq, version, latest, marker, size, etag, modified, data, meta`

func scanObject(bucket string, scan func(...any) error) (Object, error) {
	o := Object{Bucket: bucket}
	var modified int64
	var meta string
	err := scan(&o.Key, &o.seq, &o.Version, &o.Latest, &o.Marker, &o.Size, &o.ETag, &modified, &o.data, &meta)
	if err != nil {
		return o, err
	}
	o.Modified = db.Time(modified)
	if err := json.Unmarshal([]byte(meta), &o.Meta); err != nil {
		return o, fmt.Errorf("metadata of object %s: %w", o.Key, err)
	}
	return o, nil
}

// Object returns a version of an object, the latest if version is empty. It may
// be a delete marker.
func (s *Store) Object(ctx context.Context, b Bucket, key, version string) (o Object, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		o, err = object(ctx, tx, b.Name, key, version)
		return err
	})
	return o, err
}

func object(ctx context.Context, tx *db.Tx, bucket, key, version string) (Object, error) {
	where, args := `latest`, []any{bucket, key}
	if version != "" {
		where, args = `version = ?`, append(args, version)
	}
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM objects WHERE bucket = ? AND key = ? AND `+where, args...)
	o, err := scanObject(bucket, row.Scan)
	switch {
	case errors.Is(err, db.ErrNoRows) && version != "":
		return o, NoSuchVersion(key, version)
	case errors.Is(err, db.ErrNoRows):
		return o, NoSuchKey(key)
	case err != nil:
		return o, fmt.Errorf("read object %s/%s: %w", bucket, key, err)
	}
	return o, nil
}

// Get opens the latest version of an object of the account, for the program's
// own use; the caller closes the body.
func (s *Store) Get(ctx context.Context, account, bucket, key string) (Object, io.ReadCloser, error) {
	var o Object
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := owned(ctx, tx, account, bucket); err != nil {
			return err
		}
		var err error
		if o, err = object(ctx, tx, bucket, key, ""); err == nil && o.Marker {
			err = NoSuchKey(key)
		}
		return err
	})
	if err != nil {
		return o, nil, err
	}
	body, err := s.Open(ctx, o, 0, o.Size)
	return o, body, err
}

// Open reads length bytes of an object from offset.
func (s *Store) Open(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	blobs, err := s.blobsOf(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, open: s.blobs.Open}
	var start int64
	for _, p := range blobs {
		from, to := max(offset, start), min(offset+length, start+p.Size)
		if from < to {
			r.spans = append(r.spans, span{p.blob, from - start, to - from})
		}
		start += p.Size
	}
	return r, nil
}

func (s *Store) blobsOf(ctx context.Context, o Object) (parts []Part, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		parts, err = partsOf(ctx, tx, o.data, 0, -1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the bytes of %s/%s: %w", o.Bucket, o.Key, err)
	}
	return parts, nil
}

// ObjectParts returns the parts of a multipart object after number after; none
// for an object that was put in one piece.
func (s *Store) ObjectParts(ctx context.Context, o Object, after, limit int) (parts []Part, err error) {
	if o.Meta.Parts == 0 {
		return nil, nil
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		parts, err = partsOf(ctx, tx, o.data, after, limit)
		return err
	})
	return parts, err
}

// A span is a part of a blob.
type span struct {
	blob           string
	offset, length int64
}

// A reader reads spans one after the other, one blob open at a time.
type reader struct {
	ctx   context.Context
	open  func(ctx context.Context, id string, offset, length int64) (io.ReadCloser, error)
	spans []span
	body  io.ReadCloser
	left  int64 // of the open span
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.body == nil {
			if len(r.spans) == 0 {
				return 0, io.EOF
			}
			sp := r.spans[0]
			body, err := r.open(r.ctx, sp.blob, sp.offset, sp.length)
			if err != nil {
				return 0, err
			}
			r.spans, r.body, r.left = r.spans[1:], body, sp.length
		}
		n, err := r.body.Read(p)
		r.left -= int64(n)
		if err == io.EOF {
			if r.left > 0 {
				return n, io.ErrUnexpectedEOF // the disk lost bytes: never a short answer
			}
			r.Close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close closes the blob that is open.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}

// Update changes what is kept with a version of an object: its tags, its ACL.
func (s *Store) Update(ctx context.Context, b Bucket, key, version string, change func(*Meta)) (o Object, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "object "+b.Name+"/"+key); err != nil {
			return err
		}
		if o, err = object(ctx, tx, b.Name, key, version); err != nil {
			return err
		}
		if o.Marker {
			return MethodNotAllowed()
		}
		change(&o.Meta)
		meta, err := json.Marshal(o.Meta)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE objects SET meta = ? WHERE bucket = ? AND key = ? AND seq = ?`, string(meta), b.Name, key, o.seq)
		if err != nil {
			return fmt.Errorf("update object %s/%s: %w", b.Name, key, err)
		}
		return nil
	})
	return o, err
}
