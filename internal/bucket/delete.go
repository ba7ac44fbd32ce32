package bucket

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/db"
)

// A Target is an object to delete, or one version of it.
type Target struct {
	Key     string
	Version string // empty: the object
	ETag    string // If-Match; empty is any
}

// Deleted is what became of a Target.
type Deleted struct {
	Target
	Marker        bool   // a delete marker was made or removed
	MarkerVersion string // its version
	Err           error
}

// DeleteObjects deletes objects in one transaction; what goes wrong with one of
// them is said in its result. Deleting what is not there succeeds.
func (s *Store) DeleteObjects(ctx context.Context, b Bucket, targets []Target) (out []Deleted, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		out = make([]Deleted, 0, len(targets))
		for _, t := range targets {
			d, err := s.delete(ctx, tx, b.Name, t)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

func (s *Store) delete(ctx context.Context, tx *db.Tx, bucket string, t Target) (Deleted, error) {
	b, err := s.lockKey(ctx, tx, bucket, t.Key)
	if err != nil {
		return Deleted{}, err
	}
	old, err := latest(ctx, tx, bucket, t.Key)
	if err != nil {
		return Deleted{}, err
	}
	if t.ETag != "" {
		if err := (Conditions{ETag: t.ETag}).check(old, t.Key); err != nil {
			return Deleted{Target: t, Err: err}, nil
		}
	}
	if t.Version != "" {
		return s.deleteVersion(ctx, tx, b, t, old)
	}
	if b.Versioning == "" {
		if err := s.dropVersion(ctx, tx, bucket, t.Key, NullVersion); err != nil || old.Key == "" {
			return Deleted{Target: t}, err
		}
		return Deleted{Target: t}, s.removed(ctx, tx, b, old, NullVersion)
	}
	return s.mark(ctx, tx, b, t, old)
}

// mark puts a delete marker before an object; while versioning is suspended it
// takes the place of the null version.
func (s *Store) mark(ctx context.Context, tx *db.Tx, b Bucket, t Target, old Object) (Deleted, error) {
	m := Object{Bucket: b.Name, Key: t.Key, Version: newID(), Marker: true, Modified: s.now()}
	if b.Versioning == VersioningSuspended {
		m.Version = NullVersion
		if err := s.dropVersion(ctx, tx, b.Name, t.Key, NullVersion); err != nil {
			return Deleted{}, err
		}
	}
	m.seq = max(m.Modified.UnixMicro(), old.seq+1)
	if err := insertVersion(ctx, tx, m); err != nil {
		return Deleted{}, err
	}
	return Deleted{Target: t, Marker: true, MarkerVersion: m.Version}, s.happened(ctx, tx, b, MarkerCreated, m)
}

// removed tells that a version of an object is gone.
func (s *Store) removed(ctx context.Context, tx *db.Tx, b Bucket, latest Object, version string) error {
	return s.happened(ctx, tx, b, Removed, Object{Key: latest.Key, Version: version, seq: max(s.now().UnixMicro(), latest.seq+1)})
}

func (s *Store) deleteVersion(ctx context.Context, tx *db.Tx, b Bucket, t Target, latest Object) (Deleted, error) {
	d, bucket := Deleted{Target: t}, b.Name
	var marker bool
	err := tx.QueryRow(ctx, `SELECT marker FROM objects WHERE bucket = ? AND key = ? AND version = ?`, bucket, t.Key, t.Version).Scan(&marker)
	if errors.Is(err, db.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("read version of %s/%s: %w", bucket, t.Key, err)
	}
	if marker {
		d.Marker, d.MarkerVersion = true, t.Version
	}
	if err := s.dropVersion(ctx, tx, bucket, t.Key, t.Version); err != nil {
		return d, err
	}
	return d, s.removed(ctx, tx, b, latest, t.Version)
}

// dropVersion removes a version, if it is there, gives its bytes to the trash
// and makes the newest of the others the latest.
func (s *Store) dropVersion(ctx context.Context, tx *db.Tx, bucket, key, version string) error {
	var data string
	var latest bool
	err := tx.QueryRow(ctx, `DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ? RETURNING data, latest`, bucket, key, version).
		Scan(&data, &latest)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete version of %s/%s: %w", bucket, key, err)
	}
	if latest {
		_, err := tx.Exec(ctx, `UPDATE objects SET latest = TRUE WHERE bucket = ? AND key = ?
			AND seq = (SELECT max(seq) FROM objects WHERE bucket = ? AND key = ?)`, bucket, key, bucket, key)
		if err != nil {
			return fmt.Errorf("promote version of %s/%s: %w", bucket, key, err)
		}
	}
	if data == "" {
		return nil // a delete marker
	}
	return s.discard(ctx, tx, data)
}
