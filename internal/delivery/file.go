package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"plumb/internal/config"
	"plumb/internal/pack"
	"plumb/internal/store"
)

// An itemFile is a snapshot or history file on its way: written item by item,
// compressed, into a temporary file, because its size is not known before and it
// may be larger than memory.
type itemFile struct {
	file *os.File
	zip  io.WriteCloser
	n    int

	table *tableFile // of the same items; nil if there is to be none
}

// newItemFile begins a file, and its table if there are to be tables. It is discarded when
// the caller is through.
func (d *Delivery) newItemFile(id string) (*itemFile, error) {
	f, err := temporary()
	if err != nil {
		return nil, err
	}
	w := &itemFile{file: f, zip: pack.NewGzip(f)}
	if _, err := fmt.Fprintf(w.zip, `{"fileVersion":"1.0","configSnapshotId":%q,"configurationItems":[`, id); err != nil {
		w.discard()
		return nil, fmt.Errorf("write file of items: %w", err)
	}
	if d.parquet {
		if w.table, err = newTableFile(id); err != nil {
			w.discard()
			return nil, err
		}
	}
	return w, nil
}

// temporary makes a file that is gone when it is closed, also by a crash: it has no name,
// where the system lets it be removed while it is open.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "plumb-delivery-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	os.Remove(f.Name())
	return f, nil
}

// removeTemporary closes a temporary file, and removes it where it still has its name.
func removeTemporary(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// filePage is how many items of a file are read at once. Of a snapshot the next page is read
// while one is written, so two are in memory.
const filePage = 200

// add appends items.
func (w *itemFile) add(items []store.Form) error {
	for _, it := range items {
		if w.table != nil {
			if err := w.table.add(it.Text); err != nil {
				return fmt.Errorf("item %s: %w", it.ResourceKey, err)
			}
		}
		if w.n++; w.n > 1 {
			if _, err := io.WriteString(w.zip, ","); err != nil {
				return fmt.Errorf("write file of items: %w", err)
			}
		}
		if _, err := w.zip.Write(it.Text); err != nil {
			return fmt.Errorf("write file of items: %w", err)
		}
	}
	return nil
}

// finish ends the file, goes back to its beginning and returns its size.
func (w *itemFile) finish() (int64, error) {
	_, err := io.WriteString(w.zip, "]}")
	if err = errors.Join(err, w.zip.Close()); err != nil {
		return 0, fmt.Errorf("write file of items: %w", err)
	}
	size, err := w.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = w.file.Seek(0, io.SeekStart)
	}
	return size, err
}

func (w *itemFile) discard() {
	removeTemporary(w.file)
	if w.table != nil {
		w.table.discard()
	}
}

// putFile ends a file and puts it into the bucket, and then its table, so that the table
// is there when the file is told of.
func (d *Delivery) putFile(ctx context.Context, c config.DeliveryChannel, n fileName, w *itemFile) error {
	size, err := w.finish()
	if err == nil {
		err = d.put(ctx, c, n.key, w.file, size)
	}
	if err != nil || w.table == nil {
		return err
	}
	if size, err = w.table.finish(); err != nil {
		return err
	}
	return d.put(ctx, c, n.tableKey, w.table.file, size)
}

func (d *Delivery) put(ctx context.Context, c config.DeliveryChannel, key string, body io.ReadSeeker, size int64) error {
	if err := d.out.PutObject(ctx, c.Place, c.Bucket, key, body, size, c.KMSKeyARN); err != nil {
		return fmt.Errorf("put s3://%s/%s: %w", c.Bucket, key, err)
	}
	return nil
}

// newID returns a random UUID, the form of a snapshot's id.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
