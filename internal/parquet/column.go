package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"time"
)

// A Kind is what the values of a column are.
type Kind int

// The kinds.
const (
	Text Kind = iota // string or []byte, in UTF-8
	Int              // int64
	Time             // time.Time, to the millisecond
)

// A Column is a column of a file. Values may be absent: nil.
type Column struct {
	Name string
	Kind Kind
}

// Parquet's numbers for what columns are.
const (
	physicalInt64     = 2
	physicalByteArray = 6
	optional          = 1
	convertedUTF8     = 0
	convertedMillis   = 9
	encodingPlain     = 0
	encodingRLE       = 3
	codecGzip         = 2
)

func (c Column) physical() int {
	if c.Kind == Text {
		return physicalByteArray
	}
	return physicalInt64
}

// schema is the column's SchemaElement.
func (c Column) schema() []byte {
	return structOf(func(r *record) {
		r.i32(1, c.physical())
		r.i32(3, optional)
		r.text(4, c.Name)
		switch c.Kind {
		case Text:
			r.i32(6, convertedUTF8)
			r.sub(10, func(r *record) { r.sub(1, func(*record) {}) })
		case Time:
			r.i32(6, convertedMillis)
			r.sub(10, func(r *record) {
				r.sub(8, func(r *record) {
					r.yes(1) // adjusted to UTC
					r.sub(2, func(r *record) { r.sub(1, func(*record) {}) })
				})
			})
		}
	})
}

// pageBytes is how large a page is before it is compressed; a larger value is a page by
// itself.
const pageBytes = 1 << 20

// A chunk is the values of a column in a row group.
type chunk struct {
	Column
	there  []bool // of the page: which values are not absent
	values []byte // of the page: those, encoded
	pages  bytes.Buffer
	rows   int64 // in pages
	raw    int64 // bytes of pages before compression
	zip    *gzip.Writer
}

// add takes the value of the next row.
func (c *chunk) add(v any) error {
	var n int64
	switch v := v.(type) {
	case nil:
		c.there = append(c.there, false)
		return nil
	case string:
		return c.addText(v)
	case []byte:
		return c.addText(string(v))
	case int64:
		n = v
	case time.Time:
		n = v.UnixMilli()
	default:
		return fmt.Errorf("column %s takes no %T", c.Name, v)
	}
	if _, isTime := v.(time.Time); isTime != (c.Kind == Time) || c.Kind == Text {
		return fmt.Errorf("column %s takes no %T", c.Name, v)
	}
	c.values = binary.LittleEndian.AppendUint64(c.values, uint64(n))
	c.there = append(c.there, true)
	return nil
}

func (c *chunk) addText(s string) error {
	if c.Kind != Text {
		return fmt.Errorf("column %s takes no text", c.Name)
	}
	c.values = append(binary.LittleEndian.AppendUint32(c.values, uint32(len(s))), s...)
	c.there = append(c.there, true)
	return nil
}

// endPage compresses the page and keeps it.
func (c *chunk) endPage() error {
	if len(c.there) == 0 {
		return nil
	}
	levels := packed(c.there)
	var body bytes.Buffer
	if c.zip == nil {
		c.zip, _ = gzip.NewWriterLevel(&body, gzip.BestSpeed) // a level that there is
	}
	c.zip.Reset(&body)
	for _, part := range [][]byte{binary.LittleEndian.AppendUint32(nil, uint32(len(levels))), levels, c.values} {
		if _, err := c.zip.Write(part); err != nil {
			return err
		}
	}
	if err := c.zip.Close(); err != nil {
		return err
	}
	raw := 4 + len(levels) + len(c.values)
	header := structOf(func(r *record) {
		r.i32(1, 0) // a data page
		r.i32(2, raw)
		r.i32(3, body.Len())
		r.sub(5, func(r *record) {
			r.i32(1, len(c.there))
			r.i32(2, encodingPlain)
			r.i32(3, encodingRLE)
			r.i32(4, encodingRLE)
		})
	})
	c.pages.Write(header)
	c.pages.Write(body.Bytes())
	c.rows += int64(len(c.there))
	c.raw += int64(len(header) + raw)
	c.there, c.values = c.there[:0], c.values[:0]
	if cap(c.values) > 4*pageBytes {
		c.values = nil // of a value that was large
	}
	return nil
}

// packed is the definition levels of a page, which say of each value whether it is there:
// one run of groups of eight bits.
func packed(there []bool) []byte {
	groups := (len(there) + 7) / 8
	head := binary.AppendUvarint(nil, uint64(groups)<<1|1)
	out := append(head, make([]byte, groups)...)
	for i, yes := range there {
		if yes {
			out[len(head)+i/8] |= 1 << (i % 8)
		}
	}
	return out
}

// metadata is the chunk's ColumnChunk, when it begins at an offset of the file.
func (c *chunk) metadata(offset int64) []byte {
	return structOf(func(r *record) {
		r.i64(2, offset)
		r.sub(3, func(r *record) {
			r.i32(1, c.physical())
			r.list(2, typeI32, binary.AppendVarint(nil, encodingPlain), binary.AppendVarint(nil, encodingRLE))
			r.list(3, typeBinary, appendText(nil, c.Name))
			r.i32(4, codecGzip)
			r.i64(5, c.rows)
			r.i64(6, c.raw)
			r.i64(7, int64(c.pages.Len()))
			r.i64(9, offset)
		})
	})
}
