package kind

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/template"
)

// extraneous is what CloudFormation says of a property that a type does not have.
func extraneous(path []string, key string) error {
	return refuse(InvalidRequest, "Properties validation failed with message: #%s: extraneous key [%s] is not permitted", pointer(path), key)
}

func wrongType(path []string, want string, v any) error {
	return refuse(InvalidRequest, "Properties validation failed with message: #%s: expected type: %s, found: %s", pointer(path), want, typeName(v))
}

func pointer(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return "/" + strings.Join(path, "/")
}

func typeName(v any) string {
	switch v.(type) {
	case map[string]any:
		return "JSONObject"
	case []any:
		return "JSONArray"
	case json.Number, int, int64:
		return "Integer"
	case bool:
		return "Boolean"
	default:
		return "String"
	}
}

// fit puts a value into the kind that a member takes. Templates write numbers and
// booleans as texts, and texts as numbers; a document of JSON may be a mapping.
func fit(ref *model.Ref, v any, path []string) (any, error) {
	if ref == nil {
		return v, nil
	}
	switch s := ref.Shape; s.Type {
	case "structure":
		return fitStructure(s, v, path)
	case "map":
		m, ok := v.(map[string]any)
		if !ok {
			return nil, wrongType(path, "JSONObject", v)
		}
		out := make(map[string]any, len(m))
		for k, item := range m {
			var err error
			if out[k], err = fit(s.Value, item, append(path, k)); err != nil {
				return nil, err
			}
		}
		return out, nil
	case "list":
		return fitList(s, v, path)
	default:
		return fitScalar(s, v, path)
	}
}

func fitStructure(s *model.Shape, v any, path []string) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, wrongType(path, "JSONObject", v)
	}
	if s.Document {
		return v, nil
	}
	out := make(map[string]any, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		member := memberOf(s, key)
		if member == nil {
			return nil, extraneous(path, key)
		}
		var err error
		if out[member.Name], err = fit(&member.Ref, m[key], append(path, key)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// memberOf finds the member of a property. Some APIs begin names with a small
// letter, which templates never do.
func memberOf(s *model.Shape, key string) *model.Member {
	if m := s.Lookup(key); m != nil {
		return m
	}
	for _, m := range s.Members {
		if strings.EqualFold(m.Name, key) {
			return m
		}
	}
	return nil
}

// fitList takes a single value for a list of one, as CloudFormation does.
func fitList(s *model.Shape, v any, path []string) (any, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]any, len(list))
	for i, item := range list {
		var err error
		if out[i], err = fit(s.Member, item, append(path, strconv.Itoa(i))); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fitScalar(s *model.Shape, v any, path []string) (any, error) {
	if b, ok := v.([]byte); ok && s.Type == "blob" {
		return b, nil
	}
	text, ok := template.Text(v)
	if n, is := v.(int); is {
		text, ok = strconv.Itoa(n), true
	}
	switch {
	case !ok && s.Type == "string":
		return template.JSON(v)
	case !ok:
		return nil, wrongType(path, "String", v)
	}
	switch s.Type {
	case "boolean":
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, wrongType(path, "Boolean", v)
		}
		return b, nil
	case "integer", "long":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, wrongType(path, "Integer", v)
		}
		return n, nil
	case "float", "double":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, wrongType(path, "Number", v)
		}
		return f, nil
	}
	return text, nil
}
