package parquet

import "encoding/binary"

// The metadata of a file is in Thrift's compact protocol: a struct is its fields, each
// with a type and how far its number is from that of the field before, and a zero byte.

// The types of fields and elements.
const (
	typeTrue   = 1
	typeI32    = 5
	typeI64    = 6
	typeBinary = 8
	typeList   = 9
	typeStruct = 12
)

// A record is a struct that is being written.
type record struct {
	b    []byte
	last int // the number of the field before
}

func (r *record) field(id int, kind byte) {
	r.b = append(r.b, byte(id-r.last)<<4|kind) // numbers grow, by less than 16
	r.last = id
}

func (r *record) i32(id int, v int)   { r.field(id, typeI32); r.b = binary.AppendVarint(r.b, int64(v)) }
func (r *record) i64(id int, v int64) { r.field(id, typeI64); r.b = binary.AppendVarint(r.b, v) }
func (r *record) yes(id int)          { r.field(id, typeTrue) }

func (r *record) text(id int, s string) {
	r.field(id, typeBinary)
	r.b = appendText(r.b, s)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// sub writes a field that is a struct.
func (r *record) sub(id int, fill func(*record)) {
	r.field(id, typeStruct)
	r.b = append(r.b, structOf(fill)...)
}

func structOf(fill func(*record)) []byte {
	var s record
	fill(&s)
	return append(s.b, 0)
}

// list writes a field that is a list of elements, each encoded already.
func (r *record) list(id int, kind byte, elements ...[]byte) {
	r.field(id, typeList)
	if n := len(elements); n < 15 {
		r.b = append(r.b, byte(n)<<4|kind)
	} else {
		r.b = binary.AppendUvarint(append(r.b, 0xf0|kind), uint64(n))
	}
	for _, e := range elements {
		r.b = append(r.b, e...)
	}
}
