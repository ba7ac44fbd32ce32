package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/db"
)

// A ListRequest asks for a part of a bucket's objects, in the order of bytes.
type ListRequest struct {
	Prefix    string
	Delimiter string // keys with it behind Prefix are rolled up
	After     string // a key, or a rolled up prefix: what comes behind it
	Version   string // of the key After, in a list of versions; empty is all of them
	Limit     int
}

// A Listing is a part of a bucket's objects.
type Listing struct {
	Objects   []Object
	Prefixes  []string // rolled up
	Truncated bool
	Last      string // the last key or prefix of this part
	Version   string // its version, in a list of versions
}

func (l *Listing) size() int { return len(l.Objects) + len(l.Prefixes) }

// ListObjects returns the current objects.
func (s *Store) ListObjects(ctx context.Context, b Bucket, r ListRequest) (l Listing, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		w := walk{tx: tx, bucket: b.Name, ListRequest: r, key: r.start()}
		l, err = w.run(ctx, w.current)
		return err
	})
	return l, err
}

// ListVersions returns every version of every object, the newest of each first.
func (s *Store) ListVersions(ctx context.Context, b Bucket, r ListRequest) (l Listing, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		w := walk{tx: tx, bucket: b.Name, ListRequest: r, key: r.start()}
		if r.Version != "" {
			o, err := object(ctx, tx, b.Name, r.After, r.Version)
			if err != nil {
				return err
			}
			w.seq = o.seq
		}
		l, err = w.run(ctx, w.versions)
		return err
	})
	return l, err
}

// start returns the key behind which the walk begins. A rolled up prefix stands
// for all of its keys.
func (r ListRequest) start() string {
	if r.rolledUp(r.After) == r.After && r.After != "" {
		return after(r.After)
	}
	return r.After
}

// rolledUp returns the common prefix that a key is listed as, or "".
func (r ListRequest) rolledUp(key string) string {
	if r.Delimiter == "" || !strings.HasPrefix(key, r.Prefix) {
		return ""
	}
	rest := key[len(r.Prefix):]
	i := strings.Index(rest, r.Delimiter)
	if i < 0 {
		return ""
	}
	return r.Prefix + rest[:i+len(r.Delimiter)]
}

// A walk goes through a bucket in order and jumps over what is rolled up.
type walk struct {
	ListRequest
	tx     *db.Tx
	bucket string
	key    string // behind this key
	seq    int64  // or at this key and older than this version
}

// smallBatch is how many rows are read when the next ones may be rolled up.
const smallBatch = 16

func (w *walk) run(ctx context.Context, next func(context.Context, int) ([]Object, error)) (l Listing, err error) {
	batch := w.Limit + 1
	if w.Delimiter != "" {
		batch = min(batch, smallBatch)
	}
	for {
		rows, err := next(ctx, batch)
		if err != nil {
			return l, fmt.Errorf("list bucket %s: %w", w.bucket, err)
		}
		jumped := false
		for _, o := range rows {
			if l.size() == w.Limit {
				l.Truncated = true
				return l, nil
			}
			if p := w.rolledUp(o.Key); p != "" {
				l.Prefixes, l.Last, l.Version = append(l.Prefixes, p), p, ""
				w.key, w.seq, jumped = after(p), 0, true
				break
			}
			l.Objects, l.Last, l.Version = append(l.Objects, o), o.Key, o.Version
			w.key, w.seq = o.Key, o.seq
		}
		switch {
		case jumped:
			batch = min(w.Limit+1, smallBatch)
		case len(rows) < batch:
			return l, nil
		default:
			batch = min(w.Limit+1, batch*4)
		}
	}
}

func (w *walk) current(ctx context.Context, limit int) ([]Object, error) {
	return w.rows(ctx, `SELECT `+columns+` FROM objects WHERE bucket = ? AND latest AND NOT marker
		AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`, w.bucket, w.key, w.Prefix, after(w.Prefix), limit)
}

func (w *walk) versions(ctx context.Context, limit int) ([]Object, error) {
	return w.rows(ctx, `SELECT `+columns+` FROM objects WHERE bucket = ?
		AND key >= ? AND (key > ? OR seq < ?) AND key >= ? AND key < ? ORDER BY key, seq DESC LIMIT ?`,
		w.bucket, w.key, w.key, w.seq, w.Prefix, after(w.Prefix), limit)
}

func (w *walk) rows(ctx context.Context, query string, args ...any) (out []Object, err error) {
	err = db.Each(ctx, w.tx, func(scan func(...any) error) error {
		o, err := scanObject(w.bucket, scan)
		out = append(out, o)
		return err
	}, query, args...)
	return out, err
}

// An UploadPage asks for a part of a bucket's uploads.
type UploadPage struct {
	Prefix string
	After  string // key
	ID     string // of the upload at the key After; empty is all of them
	Limit  int
}

// ListUploads returns uploads that are not over, by key and age.
func (s *Store) ListUploads(ctx context.Context, b Bucket, p UploadPage) (out []Upload, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var since int64 = 1<<63 - 1 // no upload at the key After
		if p.ID != "" {
			u, err := findUpload(ctx, tx, b.Name, p.After, p.ID)
			if err != nil {
				return err
			}
			since = db.Micros(u.Started)
		}
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			u := Upload{Bucket: b.Name}
			var started int64
			var meta string
			if err := scan(&u.ID, &u.Key, &started, &meta); err != nil {
				return err
			}
			u.Started = db.Time(started)
			out = append(out, u)
			return json.Unmarshal([]byte(meta), &out[len(out)-1].Meta)
		}, `SELECT id, key, started, meta FROM object_uploads WHERE bucket = ? AND (key, started) > (?, ?)
			AND key >= ? AND key < ? ORDER BY key, started LIMIT ?`,
			b.Name, p.After, since, p.Prefix, after(p.Prefix), p.Limit)
	})
	return out, err
}
