package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	reader "github.com/parquet-go/parquet-go"

	"plumb/internal/parquet"
)

var columns = []parquet.Column{{Name: "id", Kind: parquet.Text}, {Name: "n", Kind: parquet.Int}, {Name: "at", Kind: parquet.Time}}

// A row as a library reads it that we did not write.
type row struct {
	ID *string    `parquet:"id,optional"`
	N  *int64     `parquet:"n,optional"`
	At *time.Time `parquet:"at,optional,timestamp(millisecond)"`
}

// read returns the rows of a file.
func read(t *testing.T, file []byte) []row {
	t.Helper()
	if _, err := reader.OpenFile(bytes.NewReader(file), int64(len(file))); err != nil {
		t.Fatal(err)
	}
	rows, err := reader.Read[row](bytes.NewReader(file), int64(len(file)))
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return rows
}

func write(t *testing.T, n int, values func(i int) []any) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, columns)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Row(values(i)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func shown(r row) string {
	var id, n, at any
	if r.ID != nil {
		id = len(*r.ID)
		if len(*r.ID) < 100 {
			id = *r.ID
		}
	}
	if r.N != nil {
		n = *r.N
	}
	if r.At != nil {
		at = r.At.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%v %v %v", id, n, at)
}

func TestAnotherLibraryReadsWhatIsWritten(t *testing.T) {
	at := time.Date(2016, 9, 7, 18, 39, 39, 853e6, time.UTC)
	for name, c := range map[string]struct {
		n      int
		values func(i int) []any
		want   func(i int) string
	}{
		"no rows":    {0, nil, nil},
		"one row":    {1, func(int) []any { return []any{"a", int64(7), at} }, func(int) string { return "a 7 2016-09-07T18:39:39.853Z" }},
		"all absent": {9, func(int) []any { return []any{nil, nil, nil} }, func(int) string { return "<nil> <nil> <nil>" }},
		"some absent": {1000, func(i int) []any {
			return []any{pick(i%3 > 0, fmt.Sprint(i)), pick(i%5 > 0, int64(i)), pick(i%7 > 0, at)}
		}, nil},
		"empty texts": {3, func(int) []any { return []any{"", int64(math.MinInt64), time.UnixMilli(-1)} }, func(int) string { return " -9223372036854775808 1969-12-31T23:59:59.999Z" }},
		"bytes":       {2, func(int) []any { return []any{[]byte("größe\x00"), int64(math.MaxInt64), nil} }, func(int) string { return "größe\x00 9223372036854775807 <nil>" }},
		"large texts": {40, func(i int) []any { return []any{strings.Repeat("x", i<<16), int64(i), nil} }, nil},
		"many pages": {300000, func(i int) []any {
			return []any{fmt.Sprintf("i-%017x", i), int64(i), at.Add(time.Duration(i) * time.Millisecond)}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rows := read(t, write(t, c.n, c.values))
			if len(rows) != c.n {
				t.Fatalf("%d rows, want %d", len(rows), c.n)
			}
			for i, r := range rows {
				want := ""
				if c.want != nil {
					want = c.want(i)
				} else {
					want = shown(of(c.values(i)))
				}
				if got := shown(r); got != want {
					t.Fatalf("row %d: %q, want %q", i, got, want)
				}
			}
		})
	}
}

func pick(there bool, v any) any {
	if there {
		return v
	}
	return nil
}

func of(values []any) (r row) {
	if s, ok := values[0].(string); ok {
		r.ID = &s
	}
	if n, ok := values[1].(int64); ok {
		r.N = &n
	}
	if at, ok := values[2].(time.Time); ok {
		r.At = &at
	}
	return r
}

func TestARowThatDoesNotFitEndsTheFile(t *testing.T) {
	for _, values := range [][]any{{"a"}, {int64(1), int64(1), nil}, {"a", "b", nil}, {"a", time.Now(), nil}, {"a", int64(1), int64(1)}, {1.5, nil, nil}} {
		w, err := parquet.NewWriter(io.Discard, columns)
		if err != nil {
			t.Fatal(err)
		}
		if w.Row(values...) == nil || w.Row("a", nil, nil) == nil || w.Close() == nil {
			t.Errorf("%v was taken", values)
		}
	}
}

// A full writes some bytes, and fails.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.left {
		return 0, io.ErrShortWrite
	}
	f.left -= len(b)
	return len(b), nil
}

func TestAFailedWriteIsTold(t *testing.T) {
	for _, room := range []int{0, 4, 50, 200} {
		w, err := parquet.NewWriter(&full{room}, columns)
		if err == nil {
			err = errors.Join(w.Row("a", int64(1), nil), w.Close())
		}
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
}
