package bucket

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model"
)

const account = "123456789012"

type kept struct {
	*Store
	clock *clock.Clock
	queue *job.Queue
	dir   string
}

func open(t *testing.T, d *db.DB) kept {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	k := kept{clock: &clock.Clock{}, dir: t.TempDir()}
	var err error
	if k.queue, err = job.New(t.Context(), d, log, k.clock, "test"); err != nil {
		t.Fatal(err)
	}
	blobs, err := NewBlobs(d, k.dir)
	if err != nil {
		t.Fatal(err)
	}
	k.Store = New(log, d, blobs, k.queue, k.clock.Now, nil)
	if err := k.queue.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.queue.Stop(context.Background()) })
	if err := k.Create(t.Context(), Bucket{Place: config.Place{Account: account, Region: "us-east-1"}, Name: "kept"}, nil); err != nil {
		t.Fatal(err)
	}
	return k
}

// bytes counts the blobs that are kept.
func (k kept) bytes(t *testing.T) int { return count(t, k.blobs) }

// count counts blobs, those too that are not whole, and keeps them.
func count(t *testing.T, blobs Blobs) (n int) {
	t.Helper()
	if rows, ok := blobs.(*Rows); ok {
		must(t, rows.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT id FROM blobs UNION SELECT blob FROM blob_chunks) AS kept`).Scan(&n)
		}))
		return n + count(t, rows.before)
	}
	must(t, filepath.WalkDir(blobs.(*Files).dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheProgramPutsAndGetsObjectsOfItsAccounts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := open(t, d)
		_, err := k.Put(t.Context(), account, "kept", "a/b", strings.NewReader("x"), Meta{})
		must(t, err)
		_, body, err := k.Get(t.Context(), account, "kept", "a/b")
		must(t, err)
		defer body.Close()
		if b, _ := io.ReadAll(body); string(b) != "x" {
			t.Errorf("got %q", b)
		}
		if _, err := k.Put(t.Context(), "999999999999", "kept", "a", strings.NewReader(""), Meta{}); !model.IsCode(err, "AccessDenied") {
			t.Errorf("another account: %v", err)
		}
		if _, _, err := k.Get(t.Context(), account, "kept", "none"); !model.IsCode(err, "NoSuchKey") {
			t.Errorf("no object: %v", err)
		}
		for name, want := range map[string]bool{"kept": true, "none": false} {
			if got, err := k.Exists(t.Context(), account, name); got != want || err != nil {
				t.Errorf("Exists(%s): %v, %v", name, got, err)
			}
		}
	})
}

func TestBytesOfReplacedObjectsAreRemovedAfterAWhile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := open(t, d)
		for range 3 {
			_, err := k.Put(t.Context(), account, "kept", "k", strings.NewReader("x"), Meta{})
			must(t, err)
		}
		if n := k.bytes(t); n != 3 {
			t.Errorf("%d blobs at once, want 3", n)
		}
		k.clock.Advance(grace + time.Second)
		must(t, k.queue.Drain(t.Context()))
		if n := k.bytes(t); n != 1 {
			t.Errorf("%d blobs later, want 1", n)
		}
	})
}

func TestAFailedPutLeavesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		k := open(t, d)
		b, err := k.Find(t.Context(), "kept")
		must(t, err)
		broken := io.MultiReader(strings.NewReader("abc"), errReader{})
		if _, err := k.PutObject(t.Context(), PutRequest{Bucket: b, Key: "k", Body: broken}); err == nil {
			t.Error("a broken body was kept")
		}
		lie := func(Sums) error { return errors.New("not what was promised") }
		if _, err := k.PutObject(t.Context(), PutRequest{Bucket: b, Key: "k", Body: strings.NewReader("x"), Verify: lie}); err == nil {
			t.Error("a body with the wrong sum was kept")
		}
		b.Name = "gone"
		if _, err := k.PutObject(t.Context(), PutRequest{Bucket: b, Key: "k", Body: strings.NewReader("x")}); !model.IsCode(err, "NoSuchBucket") {
			t.Errorf("no bucket: %v", err)
		}
		if n := k.bytes(t); n != 0 {
			t.Errorf("%d blobs are left", n)
		}
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	k := open(t, dbtest.Open(t))
	o, err := k.Put(t.Context(), account, "kept", "k", strings.NewReader("x"), Meta{})
	must(t, err)
	// A crash between the sync of the file and the commit of the row; and one in the middle of a file.
	stray, half := filepath.Join(k.dir, "ab", "ab12"), filepath.Join(k.dir, "tmp", "cd34")
	must(t, os.MkdirAll(filepath.Dir(stray), 0o700))
	old := time.Now().Add(-2 * strayAge)
	for _, f := range []string{stray, half} {
		must(t, os.WriteFile(f, []byte("y"), 0o600))
		must(t, os.Chtimes(f, old, old))
	}
	must(t, os.Chtimes(filepath.Join(k.dir, o.data[:2], o.data), old, old))
	must(t, k.Sweep(t.Context()))
	if n := k.bytes(t); n != 1 {
		t.Errorf("%d blobs are left, want the object's", n)
	}
}

func TestChecksumsOfPartsJoinToThatOfTheWhole(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef~"), 12345)
	for _, algorithm := range []string{CRC32, CRC32C, CRC64NVME} {
		var parts []Part
		for i, cut := range [][2]int{{0, 1}, {1, 70_000}, {70_000, 70_000}, {70_000, len(data)}} {
			chunk := data[cut[0]:cut[1]]
			parts = append(parts, Part{Number: i + 1, Size: int64(len(chunk)), Checksum: sumOf(t, algorithm, chunk)})
		}
		got, err := fullObject(algorithm, parts)
		must(t, err)
		if want := sumOf(t, algorithm, data); got != want {
			t.Errorf("%s: joined %s, want %s", algorithm, got, want)
		}
	}
}

func sumOf(t *testing.T, algorithm string, b []byte) string {
	t.Helper()
	h, err := NewHash(algorithm)
	must(t, err)
	h.Write(b)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// The check value of the polynomial's specification.
func TestCRC64NVMEIsTheOneOfTheSpecification(t *testing.T) {
	if got, want := sumOf(t, CRC64NVME, []byte("123456789")), base64.StdEncoding.EncodeToString([]byte{0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func BenchmarkPut(b *testing.B) {
	d := dbtest.Open(b)
	log := slog.New(slog.DiscardHandler)
	clk := &clock.Clock{}
	q, err := job.New(b.Context(), d, log, clk, "test")
	if err != nil {
		b.Fatal(err)
	}
	files, err := NewFiles(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s := New(log, d, files, q, clk.Now, nil)
	if err := s.Create(b.Context(), Bucket{Place: config.Place{Account: account, Region: "us-east-1"}, Name: "kept"}, nil); err != nil {
		b.Fatal(err)
	}
	data := bytes.Repeat([]byte("x"), 4096)
	for b.Loop() {
		if _, err := s.Put(b.Context(), account, "kept", newID(), bytes.NewReader(data), Meta{}); err != nil {
			b.Fatal(err)
		}
	}
}
