package bucket

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/db"
)

// The kinds of configuration that have a name here because something depends
// on them; api/s3 lists all that can be put.
const (
	KindTagging = "tagging"
	KindACL     = "acl"
	KindPolicy  = "policy"
	// KindEncryption is what new objects are encrypted with by name: the bytes are stored as they came.
	KindEncryption = "encryption"
	// KindOwnership says whether ACLs count.
	KindOwnership    = "ownershipControls"
	KindPublicAccess = "publicAccessBlock"
)

// A Configuration is one configuration document of a bucket.
type Configuration struct {
	ID   string // for kinds of which a bucket has several, such as inventory
	Body string
}

// PutConfiguration keeps a document of a bucket in place of the one before.
func (s *Store) PutConfiguration(ctx context.Context, b Bucket, kind string, c Configuration) error {
	return s.configure(ctx, b, func(tx *db.Tx) error {
		return putConfiguration(ctx, tx, b.Name, kind, c.ID, c.Body)
	})
}

// DeleteConfiguration forgets a document; none is no error.
func (s *Store) DeleteConfiguration(ctx context.Context, b Bucket, kind, id string) error {
	return s.configure(ctx, b, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM bucket_configurations WHERE bucket = ? AND kind = ? AND id = ?`, b.Name, kind, id)
		if err != nil {
			return fmt.Errorf("delete %s of bucket %s: %w", kind, b.Name, err)
		}
		return nil
	})
}

// SetVersioning turns versioning on or suspends it.
func (s *Store) SetVersioning(ctx context.Context, b Bucket, state string) error {
	return s.configure(ctx, b, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE buckets SET versioning = ? WHERE name = ?`, state, b.Name); err != nil {
			return fmt.Errorf("set versioning of bucket %s: %w", b.Name, err)
		}
		return nil
	})
}

// configure changes a bucket that still exists and announces it.
func (s *Store) configure(ctx context.Context, b Bucket, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "bucket "+b.Name); err != nil {
			return err
		}
		if _, err := owned(ctx, tx, b.Account, b.Name); err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		return s.announce(ctx, tx, b)
	})
}

func putConfiguration(ctx context.Context, tx *db.Tx, bucket, kind, id, body string) error {
	_, err := tx.Exec(ctx, `INSERT INTO bucket_configurations (bucket, kind, id, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (bucket, kind, id) DO UPDATE SET body = excluded.body`, bucket, kind, id, body)
	if err != nil {
		return fmt.Errorf("put %s of bucket %s: %w", kind, bucket, err)
	}
	return nil
}

// Configuration returns a document, and false if the bucket has none of its
// kind and id.
func (s *Store) Configuration(ctx context.Context, b Bucket, kind, id string) (body string, ok bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		body, ok, err = ReadConfiguration(ctx, tx, b.Name, kind, id)
		return err
	})
	return body, ok, err
}

// ReadConfiguration returns a document of a bucket, and false if it has none of its
// kind and id.
func ReadConfiguration(ctx context.Context, tx *db.Tx, bucket, kind, id string) (body string, ok bool, err error) {
	err = tx.QueryRow(ctx, `SELECT body FROM bucket_configurations WHERE bucket = ? AND kind = ? AND id = ?`, bucket, kind, id).Scan(&body)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read %s of bucket %s: %w", kind, bucket, err)
	}
	return body, true, nil
}

// Configurations returns the documents of a kind by id, after the given one.
func (s *Store) Configurations(ctx context.Context, b Bucket, kind, after string, limit int) (out []Configuration, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var c Configuration
			if err := scan(&c.ID, &c.Body); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		}, `SELECT id, body FROM bucket_configurations WHERE bucket = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?`,
			b.Name, kind, after, limit)
	})
	return out, err
}
