package bucket

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"plumb/internal/db"
)

// minPart is the least size of a part that is not the last.
const minPart = 5 << 20

// MaxParts is how many parts an upload may have; their numbers go up to it.
const MaxParts = 10000

// An Upload is a multipart upload that was begun and is not over.
type Upload struct {
	ID      string
	Bucket  string
	Key     string
	Started time.Time
	Meta    Meta // Algorithm and ChecksumType say how the object will be checked
}

// A Part is one part of an upload, or of the object that it became.
type Part struct {
	Number   int
	Size     int64
	ETag     string
	Checksum string
	Modified time.Time

	blob string
}

// BeginUpload begins a multipart upload.
func (s *Store) BeginUpload(ctx context.Context, b Bucket, key string, m Meta) (Upload, error) {
	u := Upload{ID: newID() + newID(), Bucket: b.Name, Key: key, Started: s.now(), Meta: m}
	meta, err := json.Marshal(m)
	if err != nil {
		return Upload{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := s.lockKey(ctx, tx, b.Name, key); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO object_uploads (id, bucket, key, started, meta) VALUES (?, ?, ?, ?, ?)`,
			u.ID, u.Bucket, u.Key, db.Micros(u.Started), string(meta))
		return err
	})
	if err != nil {
		return Upload{}, fmt.Errorf("begin upload of %s/%s: %w", b.Name, key, err)
	}
	return u, nil
}

// FindUpload returns an upload of this object, or NoSuchUpload.
func (s *Store) FindUpload(ctx context.Context, b Bucket, key, id string) (u Upload, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		u, err = findUpload(ctx, tx, b.Name, key, id)
		return err
	})
	return u, err
}

func findUpload(ctx context.Context, tx *db.Tx, bucket, key, id string) (Upload, error) {
	u := Upload{ID: id, Bucket: bucket, Key: key}
	var started int64
	var meta string
	err := tx.QueryRow(ctx, `SELECT started, meta FROM object_uploads WHERE id = ? AND bucket = ? AND key = ?`, id, bucket, key).
		Scan(&started, &meta)
	if errors.Is(err, db.ErrNoRows) {
		return u, NoSuchUpload(id)
	}
	if err != nil {
		return u, fmt.Errorf("read upload: %w", err)
	}
	u.Started = db.Time(started)
	if err := json.Unmarshal([]byte(meta), &u.Meta); err != nil {
		return u, fmt.Errorf("metadata of upload %s: %w", id, err)
	}
	return u, nil
}

// PutPart keeps a part of an upload in place of the one before with its number.
func (s *Store) PutPart(ctx context.Context, u Upload, number int, body io.Reader, verify func(Sums) error) (Part, error) {
	part, _, err := s.store(ctx, body, u.Meta.Algorithm, verify)
	if err != nil {
		return Part{}, err
	}
	part.Number = number
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "upload "+u.ID); err != nil {
			return err
		}
		if _, err := findUpload(ctx, tx, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		if err := s.discardParts(ctx, tx, u.ID, []int{number}); err != nil {
			return err
		}
		return s.addPart(ctx, tx, u.ID, part)
	})
	if err != nil {
		s.forget(ctx, part.blob)
		return Part{}, err
	}
	return part, nil
}

func (s *Store) addPart(ctx context.Context, tx *db.Tx, owner string, p Part) error {
	_, err := tx.Exec(ctx, `INSERT INTO object_blobs (blob, owner, number, size, etag, checksum, modified) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		p.blob, owner, p.Number, p.Size, p.ETag, p.Checksum, db.Micros(p.Modified))
	if err != nil {
		return fmt.Errorf("insert blob: %w", err)
	}
	return nil
}

// discardParts gives single parts of an upload to the trash.
func (s *Store) discardParts(ctx context.Context, tx *db.Tx, owner string, numbers []int) error {
	if len(numbers) == 0 {
		return nil
	}
	if err := s.scheduleSweep(ctx, tx); err != nil {
		return err
	}
	for _, n := range numbers {
		var blob string
		err := tx.QueryRow(ctx, `DELETE FROM object_blobs WHERE owner = ? AND number = ? RETURNING blob`, owner, n).Scan(&blob)
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("discard part: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO object_trash (blob, at) VALUES (?, ?)`, blob, db.Micros(s.now().Add(grace))); err != nil {
			return fmt.Errorf("discard part: %w", err)
		}
	}
	return nil
}

// Parts returns the parts of an upload with numbers above after; all of them if
// limit is negative.
func (s *Store) Parts(ctx context.Context, u Upload, after, limit int) (parts []Part, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		parts, err = partsOf(ctx, tx, u.ID, after, limit)
		return err
	})
	return parts, err
}

func partsOf(ctx context.Context, tx *db.Tx, owner string, after, limit int) (parts []Part, err error) {
	if limit < 0 {
		limit = MaxParts + 1
	}
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var p Part
		var modified int64
		if err := scan(&p.blob, &p.Number, &p.Size, &p.ETag, &p.Checksum, &modified); err != nil {
			return err
		}
		p.Modified = db.Time(modified)
		parts = append(parts, p)
		return nil
	}, `SELECT blob, number, size, etag, checksum, modified FROM object_blobs WHERE owner = ? AND number > ? ORDER BY number LIMIT ?`,
		owner, after, limit)
	return parts, err
}

// A Completion is what a client says an upload consists of.
type Completion struct {
	Parts      []Part // number, ETag, and a checksum where the client sent one
	Checksum   string // of the whole, where the client sent one
	Conditions Conditions
}

// CompleteUpload makes an object of the parts named, without copying a byte,
// and discards the others.
func (s *Store) CompleteUpload(ctx context.Context, u Upload, c Completion) (o Object, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "upload "+u.ID); err != nil {
			return err
		}
		if u, err = findUpload(ctx, tx, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		have, err := partsOf(ctx, tx, u.ID, 0, -1)
		if err != nil {
			return err
		}
		chosen, unused, err := choose(u, have, c.Parts)
		if err != nil {
			return err
		}
		if o, err = assemble(u, chosen, c.Checksum); err != nil {
			return err
		}
		if err := s.discardParts(ctx, tx, u.ID, unused); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM object_uploads WHERE id = ?`, u.ID); err != nil {
			return fmt.Errorf("end upload: %w", err)
		}
		return s.addVersion(ctx, tx, &o, c.Conditions, CreatedByUpload)
	})
	return o, err
}

// choose finds the parts that a client names, at least one, among those that
// are there.
func choose(u Upload, have, want []Part) (chosen []Part, unused []int, err error) {
	byNumber := make(map[int]Part, len(have))
	for _, p := range have {
		byNumber[p.Number] = p
	}
	for i := range want[1:] {
		if want[i+1].Number <= want[i].Number {
			return nil, nil, InvalidPartOrder(u.ID)
		}
	}
	for i, w := range want {
		p, ok := byNumber[w.Number]
		switch {
		case !ok || p.ETag != w.ETag || (w.Checksum != "" && w.Checksum != p.Checksum):
			return nil, nil, InvalidPart(u.ID, w.Number, w.ETag)
		case i < len(want)-1 && p.Size < minPart:
			return nil, nil, EntityTooSmall(w.Number, p.Size, p.ETag)
		}
		chosen = append(chosen, p)
		delete(byNumber, w.Number)
	}
	for n := range byNumber {
		unused = append(unused, n)
	}
	return chosen, unused, nil
}

// assemble describes the object that parts make, and checks the checksum that
// the client expects of it.
func assemble(u Upload, parts []Part, want string) (Object, error) {
	o := Object{Bucket: u.Bucket, Key: u.Key, Meta: u.Meta, data: u.ID}
	h := md5.New()
	for _, p := range parts {
		o.Size += p.Size
		b, err := hex.DecodeString(p.ETag)
		if err != nil {
			return o, fmt.Errorf("ETag of part %d: %w", p.Number, err)
		}
		h.Write(b)
	}
	o.ETag = fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
	o.Meta.Parts = len(parts)
	join := composite
	if u.Meta.ChecksumType == FullObject {
		join = fullObject
	}
	var err error
	if o.Meta.Checksum, err = join(u.Meta.Algorithm, parts); err != nil {
		return o, err
	}
	if want != "" && want != o.Meta.Checksum {
		return o, BadChecksum(u.Meta.Algorithm)
	}
	return o, nil
}

// AbortUpload ends an upload and discards its parts.
func (s *Store) AbortUpload(ctx context.Context, u Upload) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "upload "+u.ID); err != nil {
			return err
		}
		if _, err := findUpload(ctx, tx, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		return s.abandon(ctx, tx, u.ID)
	})
}

func (s *Store) abandon(ctx context.Context, tx *db.Tx, id string) error {
	if err := s.discard(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM object_uploads WHERE id = ?`, id); err != nil {
		return fmt.Errorf("end upload: %w", err)
	}
	return nil
}

// abandonUploads ends every upload into a bucket that is being deleted.
func (s *Store) abandonUploads(ctx context.Context, tx *db.Tx, bucket string) error {
	var ids []string
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	}, `SELECT id FROM object_uploads WHERE bucket = ?`, bucket)
	if err != nil {
		return fmt.Errorf("read uploads: %w", err)
	}
	for _, id := range ids {
		if err := s.abandon(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}
