package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"plumb/internal/db"
)

// chunkSize is how many bytes of a blob lie in one row. It bounds what a read and
// a write hold in memory.
const chunkSize = 1 << 20

// Rows is Blobs in the database, for servers that share one: what is put on one of
// them is read on all. A blob is a row of blobs and its chunks, rows of
// blob_chunks with chunkSize bytes each, the last one with fewer.
type Rows struct {
	db *db.DB
	// before holds the blobs of a data folder that was written before they were kept
	// in the database. They are read where they are.
	before *Files
}

// NewRows returns the blobs kept in d, and those that lie in before.
func NewRows(d *db.DB, before *Files) *Rows { return &Rows{db: d, before: before} }

// Create begins a blob.
func (r *Rows) Create(ctx context.Context) (BlobWriter, error) {
	return &rowWriter{ctx: ctx, db: r.db, id: newID()}, nil
}

// Open reads a part of a blob, one chunk at a time.
func (r *Rows) Open(ctx context.Context, id string, offset, length int64) (io.ReadCloser, error) {
	whole, err := r.has(ctx, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open blob: %w", err)
	case !whole:
		return r.before.Open(ctx, id, offset, length)
	}
	return io.NopCloser(&rowReader{ctx: ctx, db: r.db, id: id, next: offset, end: offset + length}), nil
}

func (r *Rows) has(ctx context.Context, id string) (whole bool, err error) {
	err = r.db.ReadOne(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT whole FROM blobs WHERE id = ?`, id).Scan(&whole)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
	return whole, err
}

// Remove deletes a blob and its chunks.
func (r *Rows) Remove(ctx context.Context, id string) error {
	if err := removeRows(ctx, r.db, id); err != nil {
		return err
	}
	return r.before.Remove(ctx, id)
}

func removeRows(ctx context.Context, d *db.DB, id string) error {
	err := d.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM blob_chunks WHERE blob = ?`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM blobs WHERE id = ?`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove blob: %w", err)
	}
	return nil
}

// strayPage is how many blobs are looked at in one transaction.
const strayPage = 500

// Strays reads the ids of what was begun before, page by page. Blobs that were
// never whole are removed on the way.
func (r *Rows) Strays(ctx context.Context, before time.Time, check func(id string) error) error {
	for after := ""; ; {
		page, err := r.begunBefore(ctx, before, after)
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		for _, b := range page {
			handle := check
			if !b.whole {
				handle = func(id string) error { return removeRows(ctx, r.db, id) }
			}
			if err := handle(b.id); err != nil {
				return err
			}
			after = b.id
		}
		if len(page) < strayPage {
			return r.before.Strays(ctx, before, check)
		}
	}
}

type rowBlob struct {
	id    string
	whole bool
}

func (r *Rows) begunBefore(ctx context.Context, before time.Time, after string) (page []rowBlob, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			var b rowBlob
			if err := scan(&b.id, &b.whole); err != nil {
				return err
			}
			page = append(page, b)
			return nil
		}, `SELECT id, whole FROM blobs WHERE id > ? AND begun < ? ORDER BY id LIMIT ?`, after, db.Micros(before), strayPage)
	})
	return page, err
}

// A rowWriter collects bytes until they fill a chunk. A blob that is not larger
// than one is written by Commit alone, in one transaction.
type rowWriter struct {
	ctx    context.Context
	db     *db.DB
	id     string
	buffer bytes.Buffer
	chunks int // that are in the database
	done   bool
}

func (w *rowWriter) ID() string { return w.id }

func (w *rowWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if w.buffer.Len() == chunkSize {
			if err := w.flush(false); err != nil {
				return n, err
			}
		}
		some := p[:min(len(p), chunkSize-w.buffer.Len())]
		w.buffer.Write(some)
		n, p = n+len(some), p[len(some):]
	}
	return n, nil
}

// Commit writes the rest and calls the blob whole.
func (w *rowWriter) Commit() error {
	if err := w.flush(true); err != nil {
		return err
	}
	w.done = true
	return nil
}

// flush writes the bytes collected as the next chunk.
func (w *rowWriter) flush(whole bool) error {
	err := w.db.Write(w.ctx, func(tx *db.Tx) error {
		// The time is the machine's, whatever the program's clock says: see Sweep.
		_, err := tx.Exec(w.ctx, `INSERT INTO blobs (id, begun, whole) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET whole = excluded.whole`,
			w.id, db.Micros(time.Now()), whole)
		if err != nil || w.buffer.Len() == 0 {
			return err
		}
		_, err = tx.Exec(w.ctx, `INSERT INTO blob_chunks (blob, number, bytes) VALUES (?, ?, ?)`, w.id, w.chunks, w.buffer.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	w.chunks++
	w.buffer.Reset()
	return nil
}

// Abort removes what was written. If that fails, Strays finds it.
func (w *rowWriter) Abort() {
	if w.done || w.chunks == 0 {
		return
	}
	_ = removeRows(context.WithoutCancel(w.ctx), w.db, w.id)
}

// A rowReader reads the bytes from next to end of a blob.
type rowReader struct {
	ctx       context.Context
	db        *db.DB
	id        string
	next, end int64
	chunk     []byte // what is read and not handed on
}

func (r *rowReader) Read(p []byte) (int, error) {
	if len(r.chunk) == 0 {
		if r.next >= r.end {
			return 0, io.EOF
		}
		if err := r.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// fetch reads the rest of the chunk that holds the next byte. A blob that ends too
// early ends the reading: who opened it knows its size.
func (r *rowReader) fetch() error {
	number, from := r.next/chunkSize, r.next%chunkSize
	length := min(chunkSize-from, r.end-r.next)
	err := r.db.ReadOne(r.ctx, func(tx *db.Tx) error {
		return tx.QueryRow(r.ctx, `SELECT substr(bytes, ?, ?) FROM blob_chunks WHERE blob = ? AND number = ?`,
			from+1, length, r.id, number).Scan(&r.chunk)
	})
	switch {
	case errors.Is(err, db.ErrNoRows), err == nil && len(r.chunk) == 0:
		r.next = r.end
		return io.EOF
	case err != nil:
		return fmt.Errorf("read blob: %w", err)
	}
	r.next += int64(len(r.chunk))
	return nil
}
