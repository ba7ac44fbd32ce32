package stack

import (
	"context"
	"maps"

	"plumb/internal/stack/kind"
)

// request is what a type's funcs are called with.
func (s *Stacks) request(st Stack, r Resource, again bool) *kind.Request {
	q := &kind.Request{
		Place: st.Place, Name: r.Name, Physical: r.Physical, Properties: r.Properties,
		Attributes: maps.Clone(r.Attributes), Tags: tagMap(st.Tags), OldTags: map[string]string{}, Again: again, APIs: s.APIs,
		Call: func(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
			return s.Call(ctx, st.caller(), service, operation, in)
		},
	}
	if r.Properties == nil {
		q.Properties = map[string]any{}
	}
	if before := tagMap(st.Operation.Before.Tags); r.Do == doUpdate {
		q.OldTags = before
	} else if r.Do == doRevert {
		q.Tags, q.OldTags = before, q.Tags
	}
	return q
}

func tagMap(tags []Tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[t.Key] = t.Value
	}
	return out
}

// caller is for whom calls are made: the stack's role, or who asked for it.
func (st Stack) caller() Who {
	if st.Role != "" {
		return Who{Place: st.Place, Principal: st.Role, UserID: st.UserID}
	}
	return st.who()
}
