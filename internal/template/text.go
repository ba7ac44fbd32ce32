package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// InputParameters makes the JSON text of a rule's parameters where a template has
// a mapping. The values that a rule takes are texts: numbers and booleans become
// theirs, lists are joined by commas, mappings are JSON themselves.
func InputParameters(m map[string]any) (string, error) {
	texts := make(map[string]string, len(m))
	for _, key := range sortedKeys(m) {
		s, err := parameterText(m[key])
		if err != nil {
			return "", fmt.Errorf("the parameter %s: %w", key, err)
		}
		texts[key] = s
	}
	return JSON(texts)
}

func parameterText(v any) (string, error) {
	if s, ok := Text(v); ok {
		return s, nil
	}
	list, ok := v.([]any)
	if !ok {
		return JSON(v)
	}
	parts := make([]string, len(list))
	for i, item := range list {
		if parts[i], ok = Text(item); !ok {
			return "", errors.New("the elements of a list must be strings")
		}
	}
	return strings.Join(parts, ","), nil
}

// JSON returns the JSON of a value as somebody would write it: < stays <.
func JSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSpace(b.String()), err
}
