package bucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// everyBlobs runs a test on blobs in a folder and in both databases.
func everyBlobs(t *testing.T, f func(t *testing.T, b Blobs)) {
	t.Run("folder", func(t *testing.T) { f(t, newFiles(t)) })
	dbtest.Run(t, func(t *testing.T, d *db.DB) { f(t, NewRows(d, newFiles(t))) })
}

func newFiles(t *testing.T) *Files {
	t.Helper()
	files, err := NewFiles(t.TempDir())
	must(t, err)
	return files
}

func write(t *testing.T, b Blobs, content []byte) string {
	t.Helper()
	w, err := b.Create(t.Context())
	must(t, err)
	_, err = io.Copy(w, readerOnly{bytes.NewReader(content)})
	must(t, err)
	must(t, w.Commit())
	w.Abort() // does nothing after Commit
	return w.ID()
}

func TestABlobIsReadAsItWasWrittenWhereverItIsCut(t *testing.T) {
	everyBlobs(t, func(t *testing.T, b Blobs) {
		random := rand.New(rand.NewPCG(1, 2))
		for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 17} {
			content := make([]byte, size)
			for i := range content {
				content[i] = byte(random.Uint32())
			}
			id := write(t, b, content)
			cuts := [][2]int{{0, size}, {size, 0}, {size / 2, size - size/2}, {max(0, size-3), min(size, 3)}}
			for range 20 {
				from := random.IntN(size + 1)
				cuts = append(cuts, [2]int{from, random.IntN(size - from + 1)})
			}
			for _, cut := range cuts {
				body, err := b.Open(t.Context(), id, int64(cut[0]), int64(cut[1]))
				must(t, err)
				got, err := io.ReadAll(body)
				must(t, errors.Join(err, body.Close()))
				if !bytes.Equal(got, content[cut[0]:cut[0]+cut[1]]) {
					t.Fatalf("%d bytes from %d of %d: got %d others", cut[1], cut[0], size, len(got))
				}
			}
		}
	})
}

func TestABlobThatIsNotThereCannotBeOpenedAndIsRemovedWithoutError(t *testing.T) {
	everyBlobs(t, func(t *testing.T, b Blobs) {
		id := write(t, b, []byte("x"))
		must(t, b.Remove(t.Context(), id))
		must(t, b.Remove(t.Context(), id))
		if body, err := b.Open(t.Context(), id, 0, 1); err == nil {
			t.Errorf("it was opened: %v", body)
		}
	})
}

func TestABlobThatIsNotWholeIsNeverRead(t *testing.T) {
	everyBlobs(t, func(t *testing.T, b Blobs) {
		w, err := b.Create(t.Context())
		must(t, err)
		_, err = w.Write(make([]byte, 2*chunkSize+1))
		must(t, err)
		if body, err := b.Open(t.Context(), w.ID(), 0, 1); err == nil {
			t.Errorf("it was opened: %v", body)
		}
		w.Abort()
		if n := count(t, b); n != 0 {
			t.Errorf("%d blobs are left", n)
		}
	})
}

// Nobody aborts a blob whose server was killed.
func TestStraysNamesOldBlobsAndRemovesThoseThatWereNeverWhole(t *testing.T) {
	everyBlobs(t, func(t *testing.T, b Blobs) {
		whole := map[string]bool{}
		for range 3 {
			whole[write(t, b, []byte("x"))] = true
		}
		half, err := b.Create(t.Context())
		must(t, err)
		_, err = half.Write(make([]byte, 2*chunkSize))
		must(t, err)

		found := func(before time.Time) (n int) {
			must(t, b.Strays(t.Context(), before, func(id string) error {
				if !whole[id] {
					t.Errorf("%s is named", id)
				}
				n++
				return nil
			}))
			return n
		}
		if n := found(time.Now().Add(-time.Hour)); n != 0 || count(t, b) != 4 {
			t.Errorf("%d young blobs are named, %d are kept", n, count(t, b))
		}
		if n := found(time.Now().Add(time.Hour)); n != 3 || count(t, b) != 3 {
			t.Errorf("%d old blobs are named, %d are kept", n, count(t, b))
		}
	})
}

func TestAServerReadsWhatAnotherOnTheSameDatabaseWrote(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if !d.IsPostgres() {
			t.Skip("one server alone uses SQLite")
		}
		k := open(t, d)
		_, err := k.Put(t.Context(), account, "kept", "k", strings.NewReader("from the first"), Meta{})
		must(t, err)
		blobs, err := NewBlobs(d, t.TempDir())
		must(t, err)
		other := *k.Store
		other.blobs = blobs
		_, body, err := other.Get(t.Context(), account, "kept", "k")
		must(t, err)
		if got, err := io.ReadAll(body); string(got) != "from the first" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestBlobsOfAFolderAreStillReadAfterTheyMovedToTheDatabase(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		files := newFiles(t)
		id := write(t, files, []byte("old"))
		rows := NewRows(d, files)
		body, err := rows.Open(t.Context(), id, 1, 2)
		must(t, err)
		if got, err := io.ReadAll(body); string(got) != "ld" {
			t.Errorf("got %q, %v", got, err)
		}
		must(t, body.Close())
		must(t, rows.Remove(context.WithoutCancel(t.Context()), id))
		if n := count(t, rows); n != 0 {
			t.Errorf("%d blobs are left", n)
		}
	})
}
