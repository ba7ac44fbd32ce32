package automation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"plumb/internal/config"
)

// A ParameterError says what is wrong with what an execution was given.
type ParameterError string

// Error is the reason.
func (e ParameterError) Error() string { return string(e) }

func wrongParameter(format string, args ...any) error {
	return ParameterError(fmt.Sprintf(format, args...))
}

// Bind returns the values of a document's parameters, with its defaults. What is
// given is lists of texts, as in StartAutomationExecution.
func (d *Document) Bind(given map[string][]string) (map[string]any, error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := d.Parameters[name]; !ok {
			return nil, wrongParameter("The document has no parameter %s.", name)
		}
	}
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		p := d.Parameters[name]
		texts, ok := given[name]
		if !ok {
			if !p.optional {
				return nil, wrongParameter("The parameter %s is required.", name)
			}
			values[name] = p.Default
			continue
		}
		v, err := p.value(name, texts)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

func (p Parameter) value(name string, texts []string) (any, error) {
	for _, t := range texts {
		if err := p.allows(name, t); err != nil {
			return nil, err
		}
	}
	kind := p.kind()
	if kind == "StringList" || kind == "MapList" {
		if p.MinItems > 0 && len(texts) < p.MinItems || p.MaxItems > 0 && len(texts) > p.MaxItems {
			return nil, wrongParameter("The parameter %s has %d values, which is not between %d and %d.", name, len(texts), p.MinItems, p.MaxItems)
		}
		list := make([]any, len(texts))
		for i, t := range texts {
			list[i] = t
			if kind == "MapList" {
				v, err := object(name, t)
				if err != nil {
					return nil, err
				}
				list[i] = v
			}
		}
		return list, nil
	}
	if len(texts) != 1 {
		return nil, wrongParameter("The parameter %s takes one value, and %d are given.", name, len(texts))
	}
	switch kind {
	case "Integer":
		n, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil {
			return nil, wrongParameter("The parameter %s is an integer, and '%s' is none.", name, texts[0])
		}
		return n, nil
	case "Boolean":
		switch texts[0] {
		case "true", "True":
			return true, nil
		case "false", "False":
			return false, nil
		}
		return nil, wrongParameter("The parameter %s is true or false, and not '%s'.", name, texts[0])
	case "StringMap":
		return object(name, texts[0])
	default:
		return texts[0], nil
	}
}

func object(name, text string) (any, error) {
	v, err := config.Decode([]byte(text))
	if _, ok := v.(map[string]any); err != nil || !ok {
		return nil, wrongParameter("The parameter %s takes JSON objects, and '%s' is none.", name, text)
	}
	return v, nil
}

func (p Parameter) allows(name, text string) error {
	if len(p.AllowedValues) > 0 && !slices.ContainsFunc(p.AllowedValues, func(v any) bool { return fmt.Sprint(v) == text }) {
		return wrongParameter("The value '%s' of the parameter %s is not one of %v.", text, name, p.AllowedValues)
	}
	if p.AllowedPattern != "" {
		if ok, err := regexp.MatchString(p.AllowedPattern, text); err != nil || !ok {
			return wrongParameter("The value '%s' of the parameter %s does not match %s.", text, name, p.AllowedPattern)
		}
	}
	n := utf8.RuneCountInString(text)
	if p.MinChars > 0 && n < p.MinChars || p.MaxChars > 0 && n > p.MaxChars {
		return wrongParameter("The value of the parameter %s has %d characters, which is not between %d and %d.", name, n, p.MinChars, p.MaxChars)
	}
	return nil
}
