package awsclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"plumb/internal/config"
	"plumb/internal/model"
)

// decode reads a JSON object by its shape.
func (c jsonCodec) decode(ref *model.Ref, body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		if len(ref.Shape.Members) == 0 {
			return map[string]any{}, nil
		}
		return nil, errEmpty
	}
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("the answer is not a whole JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || doc == nil {
		return nil, errors.New("the answer is not one JSON object")
	}
	v, err := c.from(ref, doc)
	if err != nil {
		return nil, err
	}
	out, _ := v.(map[string]any)
	return out, nil
}

func (c jsonCodec) from(ref *model.Ref, v any) (any, error) {
	switch ref.Shape.Type {
	case "structure":
		if ref.Shape.Document {
			return document(v)
		}
		if m, ok := v.(map[string]any); ok {
			return c.fromStructure(ref.Shape, m)
		}
	case "list":
		if list, ok := v.([]any); ok {
			return c.fromList(ref, list)
		}
	case "map":
		if m, ok := v.(map[string]any); ok {
			out := make(map[string]any, len(m))
			for k, e := range m {
				var err error
				if out[k], err = c.from(ref.Shape.Value, e); err != nil {
					return nil, fmt.Errorf("%s: %w", k, err)
				}
			}
			return out, nil
		}
	default:
		return fromJSONScalar(ref, v)
	}
	return nil, fmt.Errorf("the answer has %T where the model has a %s", v, ref.Shape.Type)
}

func (c jsonCodec) fromStructure(shape *model.Shape, in map[string]any) (any, error) {
	out := make(map[string]any, len(in))
	for _, m := range shape.Members {
		v := in[c.name(m)]
		if v == nil || m.Location != "" {
			continue
		}
		var err error
		if out[m.Name], err = c.from(&m.Ref, v); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return out, nil
}

func (c jsonCodec) fromList(ref *model.Ref, list []any) (any, error) {
	out := make([]any, 0, len(list))
	for i, e := range list {
		if e == nil {
			continue // a null in a list is nothing, in SDKs too
		}
		v, err := c.from(ref.Shape.Member, e)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// fromJSONScalar is strict about kinds, except that numbers and times may come as text.
func fromJSONScalar(ref *model.Ref, v any) (any, error) {
	switch v := v.(type) {
	case bool:
		if ref.Shape.Type == "boolean" {
			return v, nil
		}
	case string:
		return value(ref, v)
	case json.Number:
		if ref.Shape.Type == "string" || ref.Shape.Type == "boolean" || ref.Shape.Type == "blob" {
			break
		}
		if i, ok := wholeNumber(ref, v); ok {
			return i, nil
		}
		return value(ref, v.String())
	}
	return nil, fmt.Errorf("the answer has %v where the model has a %s", v, ref.Shape.Type)
}

// wholeNumber takes 5.0 for 5 where the model has an integer: some servers write all numbers as floats.
func wholeNumber(ref *model.Ref, n json.Number) (int64, bool) {
	if ref.Shape.Type != "integer" && ref.Shape.Type != "long" {
		return 0, false
	}
	f, err := n.Float64()
	if i, intErr := n.Int64(); intErr == nil {
		return i, true
	}
	return int64(f), err == nil && f == float64(int64(f))
}

func document(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return config.Decode(b)
}
