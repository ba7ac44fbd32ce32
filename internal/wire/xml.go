package wire

import (
	"bytes"
	"encoding/xml"
	"reflect"
	"slices"
	"strings"
)

// An xmlWriter writes awsQuery's answers. The names are generated or fixed; only the text between is escaped.
type xmlWriter struct {
	bytes.Buffer
	plans *plans
}

func (w *xmlWriter) open(name string)  { w.WriteString("<" + name + ">") }
func (w *xmlWriter) close(name string) { w.WriteString("</" + name + ">") }

func (w *xmlWriter) leaf(name, text string) {
	w.open(name)
	xml.EscapeText(w, []byte(text)) // a bytes.Buffer takes every write
	w.close(name)
}

// structure writes the members of a structure, without an element around them.
func (w *xmlWriter) structure(v reflect.Value) {
	for _, f := range w.plans.of(v.Type()) {
		w.member(f, v.Field(f.index))
	}
}

func (w *xmlWriter) member(f field, v reflect.Value) {
	switch {
	case isScalar(v.Type()):
		if text, ok := scalarText(v, f.time); ok {
			w.leaf(f.query, text)
		}
	case v.IsZero():
	case v.Kind() == reflect.Pointer:
		w.open(f.query)
		w.structure(v.Elem())
		w.close(f.query)
	case v.Kind() == reflect.Slice:
		w.list(f, v)
	case v.Kind() == reflect.Map:
		w.mapping(f, v)
	}
}

func (w *xmlWriter) list(f field, v reflect.Value) {
	item := f.item
	if f.flat && item == "member" {
		item = f.query
	}
	if !f.flat {
		w.open(f.query)
		defer w.close(f.query)
	}
	for i := range v.Len() {
		w.element(item, v.Index(i), f.time)
	}
}

func (w *xmlWriter) mapping(f field, v reflect.Value) {
	entry := "entry"
	if f.flat {
		entry = f.query
	} else {
		w.open(f.query)
		defer w.close(f.query)
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		w.open(entry)
		w.leaf(f.mapK, k.String())
		w.element(f.mapV, v.MapIndex(k), f.time)
		w.close(entry)
	}
}

// element writes what stands in a list or a map, where an empty string is still an element.
func (w *xmlWriter) element(name string, v reflect.Value, timeFormat string) {
	if isScalar(v.Type()) {
		text, _ := scalarText(v, timeFormat)
		w.leaf(name, text)
		return
	}
	w.open(name)
	if v.Kind() == reflect.Struct {
		w.structure(v)
	}
	w.close(name)
}
