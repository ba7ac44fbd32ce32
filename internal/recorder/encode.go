package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"plumb/internal/config"
)

// encodeItem returns the event form of an item whose configuration is given as
// text. That is most of an item, and is encoded once for the form and the digest.
func encodeItem(it config.Item, configuration []byte) ([]byte, error) {
	it.Configuration = nil
	form, err := it.KeptForm()
	if err != nil {
		return nil, err
	}
	const empty = `"configuration":null` // no text in the form has bare quotes
	before, after, ok := bytes.Cut(form, []byte(empty))
	if !ok {
		return nil, fmt.Errorf("the form of an item has no member %s", empty)
	}
	out := make([]byte, 0, len(form)+len(configuration))
	out = append(append(out, before...), empty[:len(empty)-len("null")]...)
	return append(append(out, configuration...), after...), nil
}

// appendJSON appends decoded JSON as encoding/json would write it, at a third of
// the price: configurations are most of what is encoded here, and they are made
// of seven types.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case string:
		return appendString(b, v)
	case []any:
		return appendList(b, v)
	case map[string]any:
		return appendObject(b, v)
	}
	text, err := json.Marshal(v) // float64, and what only a test hands over
	return append(b, text...), err
}

func appendList(b []byte, list []any) (_ []byte, err error) {
	if list == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, object map[string]any) (_ []byte, err error) {
	if object == nil {
		return append(b, "null"...), nil
	}
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, k); err != nil {
			return nil, err
		}
		if b, err = appendJSON(append(b, ':'), object[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			return append(b, text...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
