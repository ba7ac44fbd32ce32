package pack_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"plumb/internal/pack"
)

// Any reader of gzip gets back what was written, from one member.
func TestGzipIsReadByOthers(t *testing.T) {
	for _, n := range []int{0, 1, 100, 1 << 20} {
		var want strings.Builder
		for want.Len() < n {
			want.WriteString([]string{"an item ", "another ", "\x00\xff"}[rand.IntN(3)])
		}
		var file bytes.Buffer
		z := pack.NewGzip(&file)
		if _, err := io.WriteString(z, want.String()); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		r.Multistream(false)
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want.String() || file.Len() != 0 {
			t.Errorf("%d bytes: read %d, %v, %d left", want.Len(), len(got), err, file.Len())
		}
	}
}
