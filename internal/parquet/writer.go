package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// groupBytes is how large a row group is, compressed, and groupRows how many rows it has
// at most.
const (
	groupBytes = 8 << 20
	groupRows  = 1 << 20
)

const magic = "PAR1"

// A Writer writes one file. It is not for concurrent use.
type Writer struct {
	out    io.Writer
	chunks []*chunk
	rows   int64 // in the row group
	at     int64 // bytes written
	groups [][]byte
	total  int64 // rows in groups
	err    error // of a write, after which there is no file
}

// NewWriter begins a file.
func NewWriter(out io.Writer, columns []Column) (*Writer, error) {
	w := &Writer{out: out}
	for _, c := range columns {
		w.chunks = append(w.chunks, &chunk{Column: c})
	}
	w.write([]byte(magic))
	return w, w.err
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.at += int64(n)
	w.err = err
}

// Row appends a row: a value for each column. After an error there is no file.
func (w *Writer) Row(values ...any) error {
	if w.err != nil {
		return w.err
	}
	if len(values) != len(w.chunks) {
		w.err = fmt.Errorf("a row has %d values for %d columns", len(values), len(w.chunks))
		return w.err
	}
	size := 0
	for i, c := range w.chunks {
		err := c.add(values[i])
		if err == nil && len(c.values)+len(c.there)/8 >= pageBytes {
			err = c.endPage()
		}
		if err != nil {
			w.err = err
			return err
		}
		size += c.pages.Len()
	}
	if w.rows++; size >= groupBytes || w.rows >= groupRows {
		return w.endGroup()
	}
	return nil
}

// endGroup writes the row group that was gathered.
func (w *Writer) endGroup() error {
	if w.rows == 0 {
		return w.err
	}
	var columns [][]byte
	var size int64
	for _, c := range w.chunks {
		if err := c.endPage(); err != nil {
			w.err = errors.Join(w.err, err)
			return w.err
		}
		columns = append(columns, c.metadata(w.at))
		w.write(c.pages.Bytes())
		size += c.raw
		c.pages.Reset()
		c.rows, c.raw = 0, 0
	}
	rows := w.rows
	w.groups = append(w.groups, structOf(func(r *record) {
		r.list(1, typeStruct, columns...)
		r.i64(2, size)
		r.i64(3, rows)
	}))
	w.total, w.rows = w.total+rows, 0
	return w.err
}

// Close ends the file; it does not close what the file is written to.
func (w *Writer) Close() error {
	if err := w.endGroup(); err != nil {
		return err
	}
	elements := [][]byte{structOf(func(r *record) {
		r.text(4, "schema")
		r.i32(5, len(w.chunks))
	})}
	for _, c := range w.chunks {
		elements = append(elements, c.schema())
	}
	footer := structOf(func(r *record) {
		r.i32(1, 1) // the version of the format
		r.list(2, typeStruct, elements...)
		r.i64(3, w.total)
		r.list(4, typeStruct, w.groups...)
		r.text(6, "plumb")
	})
	w.write(footer)
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(len(footer))))
	w.write([]byte(magic))
	return w.err
}
