package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxItem is how large an item may be, as text. AWS's are below a few MiB.
const maxItem = 64 << 20

var (
	errItemTooLarge = fmt.Errorf("an item, or what stands between two, is larger than %d MiB", maxItem>>20)
	errNoItems      = errors.New("it is no file of AWS Config: it has no configurationItems")
)

// A bounded reader ends with an error where an item is too large.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errItemTooLarge
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// readItems calls each with every item of a file, by number from 1, and returns the
// location of the object that holds the item of an oversized message. An error of each
// ends it and is returned as it is.
func readItems(r io.Reader, each func(n int64, item json.RawMessage) error) (referred string, err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	r = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		zip, err := gzip.NewReader(buffered)
		if err != nil {
			return "", err
		}
		r = zip
	}
	b := &bounded{r, maxItem}
	f := &itemReader{bounded: b, d: json.NewDecoder(b), each: each}
	if err := f.open('{'); err != nil {
		return "", err
	}
	for f.d.More() {
		if err := f.member(); err != nil {
			return "", err
		}
	}
	if _, err := f.d.Token(); err != nil {
		return "", unexpected(err)
	}
	if !f.found && f.referred == "" {
		return "", errNoItems
	}
	if _, err := io.CopyN(io.Discard, r, maxItem); err != nil && !errors.Is(err, io.EOF) {
		return f.referred, err // the checksum of what was read is wrong
	}
	return f.referred, nil
}

// An itemReader walks through a file.
type itemReader struct {
	*bounded
	d        *json.Decoder
	each     func(int64, json.RawMessage) error
	n        int64
	found    bool
	referred string
}

func (f *itemReader) open(want json.Delim) error {
	f.left = maxItem
	t, err := f.d.Token()
	if err == nil && t != want {
		return errNoItems
	}
	return unexpected(err)
}

// member reads a member of the file's object.
func (f *itemReader) member() error {
	f.left = maxItem
	name, err := f.d.Token()
	if err != nil {
		return unexpected(err)
	}
	switch name {
	case "configurationItems":
		return f.items()
	case "configurationItem": // of a message, or of the object of an oversized one
		f.found = true
		return f.item()
	case "s3DeliverySummary":
		var s struct {
			Location string `json:"s3BucketLocation"`
		}
		err := f.d.Decode(&s)
		f.referred = s.Location
		return unexpected(err)
	}
	var skipped json.RawMessage
	return unexpected(f.d.Decode(&skipped))
}

func (f *itemReader) items() error {
	if err := f.open('['); err != nil {
		return err
	}
	f.found = true
	for f.d.More() {
		if err := f.item(); err != nil {
			return err
		}
	}
	_, err := f.d.Token()
	return unexpected(err)
}

func (f *itemReader) item() error {
	f.left = maxItem
	var item json.RawMessage
	if err := f.d.Decode(&item); err != nil {
		return unexpected(err)
	}
	f.n++
	return f.each(f.n, item)
}

// unexpected says that a file ends where it must not.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
