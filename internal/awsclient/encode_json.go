package awsclient

import (
	"encoding/json"
	"fmt"

	"plumb/internal/model"
)

// A jsonCodec maps values to JSON and back. Only REST services rename members on the wire; in the RPC protocols the
// models' other names are those of the query protocol, which some services also speak.
type jsonCodec struct{ rest bool }

func (c jsonCodec) name(m *model.Member) string {
	if c.rest {
		return orElse(m.LocationName, m.Name)
	}
	return m.Name
}

func encodeJSON(r *request, api *model.API, op *model.Operation, in map[string]any) error {
	body := any(map[string]any{})
	if op.Input != nil {
		var err error
		if body, err = (jsonCodec{}).value("", op.Input, orEmpty(in)); err != nil {
			return err
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the input: %w", err)
	}
	r.method, r.body = "POST", b
	r.header.Set("Content-Type", "application/x-amz-json-"+orElse(api.Metadata.JSONVersion, "1.0"))
	r.header.Set("X-Amz-Target", api.Metadata.TargetPrefix+"."+op.Name)
	return nil
}

func orEmpty(in map[string]any) map[string]any {
	if in == nil {
		return map[string]any{}
	}
	return in
}

// value turns an input value into what the wire's JSON has in its place. Members bound to headers and the like are
// left out.
func (c jsonCodec) value(at string, ref *model.Ref, v any) (any, error) {
	switch ref.Shape.Type {
	case "structure":
		if ref.Shape.Document {
			return v, nil
		}
		return c.structure(at, ref, v)
	case "list":
		list, ok := asList(v)
		if !ok {
			return nil, fmt.Errorf("%s: %T is no list", at, v)
		}
		return c.list(at, ref, list)
	case "map":
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: %T is no map", at, v)
		}
		out := make(map[string]any, len(m))
		for k, e := range m {
			var err error
			if out[k], err = c.value(at+"."+k, ref.Shape.Value, e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return jsonScalar(at, ref, v)
}

func (c jsonCodec) structure(at string, ref *model.Ref, v any) (any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %T is no structure", at, v)
	}
	out := make(map[string]any, len(in))
	for k, e := range in {
		m := ref.Shape.Lookup(k)
		if m == nil {
			return nil, fmt.Errorf("%s.%s: the operation has no such input", at, k)
		}
		if e == nil || m.Location != "" {
			continue
		}
		var err error
		if out[c.name(m)], err = c.value(at+"."+k, &m.Ref, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c jsonCodec) list(at string, ref *model.Ref, list []any) (any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		var err error
		if out[i], err = c.value(fmt.Sprintf("%s[%d]", at, i), ref.Shape.Member, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// jsonScalar keeps numbers and booleans as they are once text has checked their kind; the rest is text in JSON too.
func jsonScalar(at string, ref *model.Ref, v any) (any, error) {
	s, err := text(ref, v, formatUnix)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	switch ref.Shape.Type {
	case "boolean":
		return v, nil
	case "integer", "long", "float", "double":
		return json.Number(s), nil
	case "timestamp":
		if timeFormatOf(ref, formatUnix) == formatUnix {
			return json.Number(s), nil
		}
	}
	return s, nil
}
