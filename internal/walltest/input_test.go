package walltest

import (
	"strings"
	"time"

	"plumb/internal/model"
)

// A filler makes inputs of operations: what is required, with the nouns of an account
// where a member's name or shape says that they fit.
type filler struct {
	nouns   *nouns
	service string
	round   int  // which of the nouns that fit
	more    bool // optional members that a noun fits, too
}

// maxDepth of structures within each other: some contain themselves.
const maxDepth = 6

func (f filler) input(op *model.Operation) map[string]any {
	if op.Input == nil {
		return map[string]any{}
	}
	return f.structure(op.Input.Shape, 0)
}

func (f filler) structure(s *model.Shape, depth int) map[string]any {
	out := map[string]any{}
	for _, m := range s.Members {
		scalar := m.Shape.Type == "string" || m.Shape.Type == "list" && m.Shape.Member.Shape.Type == "string"
		optional := f.more && depth == 0 && scalar && len(f.nouns.of(f.service, m.Name, m.ShapeName)) > 0
		union := s.Union && len(out) == 0
		if s.IsRequired(m.Name) || optional || union {
			if v := f.value(m.Name, &m.Ref, depth+1); v != nil {
				out[m.Name] = v
			}
		}
	}
	return out
}

func (f filler) value(name string, ref *model.Ref, depth int) any {
	s := ref.Shape
	if depth > maxDepth {
		return nil
	}
	switch s.Type {
	case "structure":
		return f.structure(s, depth)
	case "list":
		if v := f.value(name, s.Member, depth+1); v != nil {
			return []any{v}
		}
		return []any{}
	case "map":
		return map[string]any{f.text("key", s.Key): f.value(name, s.Value, depth+1)}
	case "integer", "long":
		return int64(least(s))
	case "float", "double":
		return least(s)
	case "boolean":
		return true
	case "timestamp":
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	case "blob":
		return "e30="
	}
	return f.text(name, ref)
}

func least(s *model.Shape) float64 {
	if s.Min != nil {
		return *s.Min
	}
	return 1
}

func (f filler) text(name string, ref *model.Ref) string {
	s := ref.Shape
	fit := f.nouns.of(f.service, name, s.Name)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[f.round%len(s.Enum)]
	case strings.Contains(strings.ToLower(name), "account") && strings.Contains(strings.ToLower(name), "id"):
		return alice
	case len(fit) > 0:
		return fit[len(fit)-1-f.round%len(fit)]
	case strings.Contains(name, "Policy") || strings.Contains(name, "Document"):
		return `{"Version":"2012-10-17","Statement":[]}`
	case strings.Contains(name, "Token") || s.Pattern == `\d{12}`:
		return alice
	}
	out := "alice"
	if s.Min != nil && float64(len(out)) < *s.Min {
		out += strings.Repeat("x", int(*s.Min)-len(out))
	}
	return out
}
