package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"plumb/internal/archive"
	s3 "plumb/internal/bucket"
	"plumb/internal/config"
	"plumb/internal/db"
)

const (
	archiveBucket = "delivered"
	archiveFile   = 5000 // items of a history file
	aloneShare    = 20   // of so many items one is in a file by itself, in a second import
	importBatch   = 500  // that an import records together
	maxSnapshot   = 128 << 10
)

// archived measures what a company's past costs: files of AWS Config are imported, each
// item of another resource, and a snapshot is taken of what came. In a second import each
// file has one item, as most history files of AWS Config do. The floor of an import is the
// rows it leaves behind, that of a snapshot gzip of the same bytes.
func archived(ctx context.Context, b *bench) error {
	m, err := b.newMachine(ctx)
	if err != nil {
		return err
	}
	if err := b.importAll(ctx, m, 0, b.archived, archiveFile); err != nil {
		return err
	}
	if err := b.importAll(ctx, m, b.archived, max(b.archived/aloneShare, 1), 1); err != nil {
		return err
	}
	return b.snapshotAll(ctx, m)
}

// writeHistory writes files of n items, the first of which has that number, as AWS Config
// does.
func (b *bench) writeHistory(first, n, perFile int) (folder string, err error) {
	if folder, err = os.MkdirTemp(b.dir, "history"); err != nil {
		return "", err
	}
	f, err := newFleet(benchPlace, 1)
	if err != nil {
		return "", err
	}
	it := f.items[0]
	began := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for from := first; from < first+n; from += perFile {
		err := writeHistoryFile(folder, from, min(from+perFile, first+n), func(i int) ([]byte, error) {
			one := changed(it, "enabled", fmt.Sprintf("2024-01-02T03:04:05.%09dZ", i))
			one.ID = fmt.Sprintf("i-%017x", i)
			one.ARN = "arn:aws:ec2:" + benchRegion + ":" + benchAccount + ":instance/" + one.ID
			one.CaptureTime = began.Add(time.Duration(i) * time.Second)
			one.StateID, one.Status = one.CaptureTime.UnixMilli(), config.StatusDiscovered
			return json.Marshal(one)
		})
		if err != nil {
			return "", err
		}
	}
	return folder, nil
}

func writeHistoryFile(folder string, from, to int, item func(i int) ([]byte, error)) error {
	name := fmt.Sprintf("%s_Config_%s_ConfigHistory_%s_20240101T000000Z_20240101T000000Z_%08d.json.gz", benchAccount, benchRegion, instanceType, from)
	f, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	w := bufio.NewWriter(z)
	fmt.Fprintf(w, `{"fileVersion":"1.0","configSnapshotId":"x","configurationItems":[`)
	for i := from; i < to; i++ {
		text, err := item(i)
		if err != nil {
			return err
		}
		if i > from {
			w.WriteByte(',')
		}
		w.Write(text)
	}
	w.WriteString("]}")
	if err := w.Flush(); err != nil {
		return err
	}
	return z.Close()
}

// importAll imports n items from files with so many each.
func (b *bench) importAll(ctx context.Context, m *machine, first, n, perFile int) error {
	folder, err := b.writeHistory(first, n, perFile)
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	memory, watch := watchMemory(), startWatch()
	r, err := m.Import(ctx, folder, archive.Order{}, nil)
	took, above := watch(), memory()
	if err != nil {
		return err
	}
	if r.Written != int64(n) || r.Unread > 0 {
		return fmt.Errorf("%d of %d items were written, %d not read", r.Written, n, r.Unread)
	}
	floor, err := b.bareImport(ctx, m, n)
	if err != nil {
		return err
	}
	b.table.race(fmt.Sprintf("%d items of %d files imported in %s", n, r.Files, took.wall.Round(time.Second)), "items/s", took.race(float64(n), floor), 0)
	b.table.limit("resident memory of that above idle", "KiB", above, 0)
	return nil
}

// bareImport writes n items as rows, if that is not too long, and returns what one takes.
func (b *bench) bareImport(ctx context.Context, m *machine, n int) (each spent, err error) {
	like, err := someItem(ctx, m.DB, instanceType)
	if err != nil {
		return spent{}, err
	}
	d, err := b.openFloor(ctx)
	if err != nil {
		return spent{}, err
	}
	batches := 0
	began, watch := time.Now(), startWatch()
	for ; batches*importBatch < n && (batches == 0 || time.Since(began) < 10*b.turn); batches++ {
		items := make([]keptItem, importBatch)
		for i := range items {
			items[i] = keptItem{0, int64(batches*importBatch + i), like.body, like.packed}
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return bareItems(ctx, tx, items, began.UnixMilli()) }); err != nil {
			return spent{}, err
		}
	}
	return watch().each(float64(batches * importBatch)), nil
}

// snapshotAll takes a snapshot into a bucket of the machine.
func (b *bench) snapshotAll(ctx context.Context, m *machine) error {
	if err := m.Buckets.Create(ctx, s3.Bucket{Place: benchPlace, Name: archiveBucket}, nil); err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	b.atEnd(func() { m.Rest(context.WithoutCancel(ctx)) })
	memory, watch := watchMemory(), startWatch()
	id := ""
	err := m.DB.Write(ctx, func(tx *db.Tx) (err error) {
		c := config.DeliveryChannel{Place: benchPlace, Name: "default", Bucket: archiveBucket}
		if err = m.Delivery.Put(ctx, tx, c); err == nil {
			id, err = m.Delivery.Snapshot(ctx, tx, c)
		}
		return err
	})
	if err == nil {
		err = m.Drain(ctx)
	}
	if err != nil {
		return err
	}
	took, above := watch(), memory()
	raw, floor, err := b.zipAgain(ctx, m, id)
	if err != nil {
		return err
	}
	megabytes := float64(raw) / 1e6
	b.table.race(fmt.Sprintf("a snapshot of %d items, %.1f MB, in %s", b.archived+max(b.archived/aloneShare, 1), megabytes, took.wall.Round(100*time.Millisecond)), "MB/s", took.race(megabytes, floor.each(megabytes)), 0.7)
	b.table.limit("resident memory of that above idle", "KiB", above, maxSnapshot)
	return nil
}

// zipAgain reads the snapshot's file and compresses its bytes by themselves.
func (b *bench) zipAgain(ctx context.Context, m *machine, id string) (raw int64, took spent, err error) {
	delivered, err := m.Buckets.Find(ctx, archiveBucket)
	if err != nil {
		return 0, spent{}, err
	}
	all, err := m.Buckets.ListObjects(ctx, delivered, s3.ListRequest{Limit: 100})
	if err != nil {
		return 0, spent{}, err
	}
	at := slices.IndexFunc(all.Objects, func(e s3.Object) bool { return strings.Contains(e.Key, id) })
	if at < 0 {
		return 0, spent{}, fmt.Errorf("the snapshot %s is not in the bucket", id)
	}
	object := all.Objects[at]
	body, err := m.Buckets.Open(ctx, object, 0, object.Size)
	if err != nil {
		return 0, spent{}, err
	}
	defer body.Close()
	z, err := gzip.NewReader(body)
	if err != nil {
		return 0, spent{}, err
	}
	out := gzip.NewWriter(io.Discard)
	for part := make([]byte, 1<<20); ; {
		n, err := io.ReadFull(z, part)
		watch := startWatch()
		out.Write(part[:n])
		took = took.plus(watch())
		raw += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return 0, spent{}, err
		}
	}
	return raw, took, out.Close()
}

// watchMemory returns what ends the watch and says by how many resident kilobytes the
// process had grown at its most; 0 where the system does not tell.
func watchMemory() (end func() float64) {
	idle := residentMemory(os.Getpid())
	var peak atomic.Int64
	stop, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for {
			peak.Store(max(peak.Load(), int64(residentMemory(os.Getpid()))))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-ended
		return max(0, float64(peak.Load())-idle)
	}
}
