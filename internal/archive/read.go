package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"plumb/internal/config"
	"plumb/internal/pack"
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
// location of the object that holds the item of an oversized message. An item is
// overwritten by the next one. An error of each ends it and is returned as it is.
func readItems(r io.Reader, each func(n int64, item []byte) error) (referred string, err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	r = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if r, err = pack.NewGunzip(buffered); err != nil {
			return "", err
		}
	}
	b := &bounded{r, maxItem}
	f := &itemReader{bounded: b, s: config.NewStream(b), each: each}
	if err := f.enter('{'); err != nil {
		return "", err
	}
	for f.s.More() {
		if err := f.member(); err != nil {
			return "", err
		}
	}
	if err := f.s.Leave(); err != nil {
		return "", err
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
	s        *config.Stream
	each     func(int64, []byte) error
	n        int64
	found    bool
	referred string
}

func (f *itemReader) enter(first byte) error {
	f.left = maxItem
	ok, err := f.s.Enter(first)
	if err == nil && !ok {
		return errNoItems
	}
	return err
}

// member reads a member of the file's object.
func (f *itemReader) member() error {
	f.left = maxItem
	name, err := f.s.Name()
	if err != nil {
		return err
	}
	switch name {
	case "configurationItems":
		return f.items()
	case "configurationItem": // of a message, or of the object of an oversized one
		f.found = true
		return f.item()
	}
	value, err := f.s.Value()
	if err != nil || name != "s3DeliverySummary" {
		return err
	}
	var s struct {
		Location string `json:"s3BucketLocation"`
	}
	err = json.Unmarshal(value, &s)
	f.referred = s.Location
	return err
}

func (f *itemReader) items() error {
	if err := f.enter('['); err != nil {
		return err
	}
	f.found = true
	for f.s.More() {
		if err := f.item(); err != nil {
			return err
		}
	}
	return f.s.Leave()
}

func (f *itemReader) item() error {
	f.left = maxItem
	item, err := f.s.Value()
	if err != nil {
		return err
	}
	f.n++
	return f.each(f.n, item)
}
