package resource

import (
	"slices"
	"strings"
	"unicode"

	"plumb/internal/model"
)

// spellings turn a model's member name into the one in a configuration item. They are those of the Java beans that AWS
// Config serialises: one generation lowers the first letter, the other every capital that the name begins with. The newest
// types have CloudFormation's names, which begin with a capital where the service's do not.
var spellings = map[string]func(string) string{
	"same":    func(s string) string { return s },
	"bean":    lowerFirst,
	"jackson": lowerLeading,
	"pascal":  upperFirst,
}

// lowerFirst: DBInstanceIdentifier becomes dBInstanceIdentifier.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// upperFirst: containerDefinitions becomes ContainerDefinitions.
func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// lowerLeading: SSEDescription becomes ssedescription, KMSKeyArn kmskeyArn.
func lowerLeading(s string) string {
	n := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsUpper(r) })
	if n < 0 {
		n = len(s)
	}
	return strings.ToLower(s[:n]) + s[n:]
}

// A speller rewrites a value in the spelling of configuration items. The value is left as it was: a new one is made.
type speller struct {
	key       func(string) string
	withNulls bool
	blank     []string // members that count as unset, wherever they are
	respell   map[string]string
}

// value walks the value along its shape. Maps keep their keys: those are the user's and not the model's.
func (s speller) value(shape *model.Shape, v any) any {
	switch v := v.(type) {
	case map[string]any:
		switch shape.Type {
		case "structure":
			return s.structure(shape, v)
		case "map":
			return s.mapping(shape, v)
		}
	case []any:
		of := shape // a form may have made a list of a structure, as items have it
		if shape.Type == "list" {
			of = shape.Member.Shape
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.value(of, e)
		}
		return out
	}
	return v
}

func (s speller) mapping(shape *model.Shape, in map[string]any) map[string]any {
	out := make(map[string]any, len(in))
	for k, e := range in {
		out[k] = s.value(shape.Value.Shape, e)
	}
	return out
}

// structure also says what is not there: beans have empty lists where a service answered none, and nulls.
func (s speller) structure(shape *model.Shape, in map[string]any) map[string]any {
	out := make(map[string]any, len(shape.Members))
	for _, m := range shape.Members {
		key, v := s.name(m.Name), in[m.Name]
		if slices.Contains(s.blank, m.Name) || s.hollow(m.Shape, v) {
			v = nil
		}
		switch {
		case v != nil:
			out[key] = s.value(m.Shape, v)
		case m.Shape.Type == "list":
			out[key] = []any{}
		case s.withNulls:
			out[key] = nil
		}
	}
	return out
}

// name is the member's name in items.
func (s speller) name(member string) string {
	if name := s.respell[member]; name != "" {
		return name
	}
	return s.key(member)
}

// hollow reports whether a structure is there without anything in it, as imitations of AWS answer what AWS leaves out.
// A rule that looks whether an interface has an association would take a bean full of nulls for one.
func (s speller) hollow(shape *model.Shape, v any) bool {
	m, ok := v.(map[string]any)
	return ok && len(m) == 0 && s.withNulls && shape.Type == "structure" && len(shape.Members) > 0
}
