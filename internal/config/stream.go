package config

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// A Stream reads a JSON text that may be larger than memory: it enters objects and
// lists, and returns the values in them one by one, as they are written.
//
//	s := NewStream(r)
//	ok, err := s.Enter('{')
//	for s.More() {
//		name, err := s.Name()
//		value, err := s.Value()
//	}
//	err = s.Leave()
type Stream struct{ d *jsontext.Decoder }

// NewStream returns a stream of what r reads.
func NewStream(r io.Reader) *Stream {
	return &Stream{jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// Enter enters the object or list that comes next, by its first character, and reports
// false if something else does.
func (s *Stream) Enter(first byte) (bool, error) {
	t, err := s.d.ReadToken()
	if err != nil {
		return false, streamError(err)
	}
	return t.Kind() == jsontext.Kind(first), nil
}

// More reports whether something follows in the object or list; also an error.
func (s *Stream) More() bool {
	k := s.d.PeekKind()
	return k != jsontext.KindEndObject && k != jsontext.KindEndArray
}

// Leave leaves an object or list without more.
func (s *Stream) Leave() error {
	_, err := s.d.ReadToken()
	return streamError(err)
}

// Name returns the name of the next member of an object.
func (s *Stream) Name() (string, error) {
	t, err := s.d.ReadToken()
	if err != nil {
		return "", streamError(err)
	}
	return t.String(), nil
}

// Value returns the next value. It is overwritten by the next call.
func (s *Stream) Value() ([]byte, error) {
	v, err := s.d.ReadValue()
	return v, streamError(err)
}

// streamError says that a text ends where it must not.
func streamError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read JSON: %w", err)
}
