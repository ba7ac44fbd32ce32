package memory

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSharesOfOneBudgetAreBoundTogether(t *testing.T) {
	b := New(100)
	one, other := b.Share(), b.Share()
	if err := errors.Join(one.Take(60), other.Take(40)); err != nil {
		t.Fatal(err)
	}
	if err := other.Take(1); !errors.Is(err, ErrNone) || b.Used() != 100 {
		t.Errorf("beyond the budget: %v, %d held", err, b.Used())
	}
	one.Release()
	one.Release() // twice gives back once
	if err := other.Take(60); err != nil || b.Used() != 100 {
		t.Errorf("after a release: %v, %d held", err, b.Used())
	}
}

func TestAReaderTakesWhatItReads(t *testing.T) {
	b := New(10)
	s := b.Share()
	text, err := io.ReadAll(s.Reader(iotest.OneByteReader(strings.NewReader("12345678"))))
	if err != nil || string(text) != "12345678" || b.Used() != 8 {
		t.Errorf("read %q, %v; %d held", text, err, b.Used())
	}
	if text, err := io.ReadAll(s.Reader(iotest.OneByteReader(strings.NewReader("abc")))); !errors.Is(err, ErrNone) || string(text) != "ab" {
		t.Errorf("beyond the budget: %q, %v", text, err)
	}
	if s.Release(); b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Used())
	}
}
