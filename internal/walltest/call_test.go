package walltest

import (
	"encoding/base64"

	"plumb/internal/model"
)

// call makes a call as one of the accounts. Bytes are base64 in our inputs, as in JSON.
func (w *world) call(s *session, c call) (map[string]any, error) {
	in := c.in
	if op := w.operation(c.service, c.operation); op.Input != nil {
		in, _ = decoded(op.Input, in).(map[string]any)
	}
	return s.Call(w.t.Context(), c.service, c.operation, in)
}

func decoded(ref *model.Ref, v any) any {
	switch fields := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range fields {
			out[k] = e
			if m := ref.Shape.Lookup(k); m != nil {
				out[k] = decoded(&m.Ref, e)
			} else if ref.Shape.Value != nil {
				out[k] = decoded(ref.Shape.Value, e)
			}
		}
		return out
	case []any:
		out := make([]any, len(fields))
		for i, e := range fields {
			out[i] = e
			if ref.Shape.Member != nil {
				out[i] = decoded(ref.Shape.Member, e)
			}
		}
		return out
	case string:
		if b, err := base64.StdEncoding.DecodeString(fields); ref.Shape.Type == "blob" && err == nil {
			return b
		}
	}
	return v
}
