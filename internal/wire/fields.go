package wire

import (
	"reflect"
	"strings"
	"sync"
)

// A field is a member of a generated structure, with what its tags say.
type field struct {
	index int
	name  string // in JSON and, where query does not say otherwise, on awsQuery
	place string // outside the body: uri, query, header, headers, status, payload
	key   string // the name there
	flat  bool   // a list or map without a level of its own
	item  string // element of a list
	mapK  string
	mapV  string
	time  string // timestamp format
	query string
	xml   bool // the payload is XML
}

// A plans reads tags once per type.
type plans struct{ byType sync.Map }

func (p *plans) of(t reflect.Type) []field {
	if known, ok := p.byType.Load(t); ok {
		return known.([]field)
	}
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		fields = append(fields, readTags(i, t.Field(i)))
	}
	p.byType.Store(t, fields)
	return fields
}

func readTags(i int, f reflect.StructField) field {
	out := field{index: i, time: f.Tag.Get("time"), item: "member", mapK: "key", mapV: "value"}
	out.name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
	out.place, out.key, _ = strings.Cut(f.Tag.Get("bind"), ":")
	name, rest, _ := strings.Cut(f.Tag.Get("query"), ",")
	out.query = out.name
	if name != "" {
		out.query = name
	}
	if rest != "" {
		for part := range strings.SplitSeq(rest, ",") {
			key, value, _ := strings.Cut(part, "=")
			switch key {
			case "flat":
				out.flat = true
			case "item":
				out.item = value
			case "key":
				out.mapK = value
			case "value":
				out.mapV = value
			}
		}
	}
	return out
}
