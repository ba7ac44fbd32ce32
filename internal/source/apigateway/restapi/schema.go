package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumb/internal/model"
)

// maxChecks bounds what a schema may cost: each is one schema held against one value.
const maxChecks = 100_000

// maxDepth bounds how deep values and references go.
const maxDepth = 500

var errTooMuch = errors.New("the body takes too long to be checked against its model")

// modelURL is how a schema names another model of its API.
var modelURL = regexp.MustCompile(`^https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)(#.*)?$`)

// A checking holds a body against a model, whose schema is JSON Schema's draft 4. Formats are
// not looked at. The library for this knows no bound of its work.
type checking struct {
	def    *Definition
	parsed map[string]any // schemas by the names of models
	regexp map[string]*regexp.Regexp
	steps  int
}

// A place is a schema, and the model that its references begin at.
type place struct {
	model  string
	schema any
}

// checkBody returns what is wrong with a body; nothing if it is as the model says.
func (d *Definition) checkBody(name string, body []byte) ([]string, error) {
	v, err := decode(body)
	if err != nil {
		return []string{"the body is not JSON"}, nil
	}
	c := &checking{def: d, parsed: map[string]any{}, regexp: map[string]*regexp.Regexp{}}
	root, err := c.named(name)
	if err != nil {
		return nil, err
	}
	return c.check(root, v, 0)
}

// decode reads one value, with its numbers as they are written.
func decode(text []byte) (v any, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := in.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func (c *checking) named(name string) (place, error) {
	if s, ok := c.parsed[name]; ok {
		return place{name, s}, nil
	}
	m, err := c.def.Model(name)
	if err != nil {
		return place{}, fmt.Errorf("there is no model %s", name)
	}
	s, err := decode([]byte(model.Deref(m.Schema)))
	if err != nil {
		return place{}, fmt.Errorf("the schema of the model %s: %w", name, err)
	}
	c.parsed[name] = s
	return place{name, s}, nil
}

// resolve finds what a reference means.
func (c *checking) resolve(at place, ref string) (place, error) {
	pointer := ref
	if m := modelURL.FindStringSubmatch(ref); m != nil {
		at.model, pointer = m[1], m[2]
	}
	to, err := c.named(at.model)
	if err != nil {
		return to, err
	}
	pointer, ok := strings.CutPrefix(pointer, "#")
	if !ok && pointer != "" {
		return to, fmt.Errorf("the reference %s leads nowhere", ref)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch s := to.schema.(type) {
		case map[string]any:
			to.schema, ok = s[part]
		case []any:
			n, err := strconv.Atoi(part)
			if ok = err == nil && n >= 0 && n < len(s); ok {
				to.schema = s[n]
			}
		default:
			ok = false
		}
		if !ok {
			return to, fmt.Errorf("the reference %s leads nowhere", ref)
		}
	}
	return to, nil
}

// check holds a value against a schema.
func (c *checking) check(at place, v any, depth int) (wrong []string, err error) {
	s, ok := at.schema.(map[string]any)
	if !ok {
		return nil, errors.New("a schema is not an object")
	}
	enum, _ := s["enum"].([]any)
	required, _ := s["required"].([]any)
	if c.steps += 1 + len(enum) + len(required); c.steps > maxChecks || depth > maxDepth {
		return nil, errTooMuch
	}
	if ref, ok := s["$ref"].(string); ok {
		to, err := c.resolve(at, ref)
		if err != nil {
			return nil, err
		}
		return c.check(to, v, depth+1)
	}
	if text := typeFault(s["type"], v); text != "" {
		wrong = append(wrong, text)
	}
	if len(enum) > 0 && !slices.ContainsFunc(enum, func(x any) bool { return equal(x, v) }) {
		wrong = append(wrong, fmt.Sprintf("instance value (%s) not found in enum (possible values: %s)", jsonText(v), jsonText(enum)))
	}
	var more []string
	switch v := v.(type) {
	case string:
		more, err = c.checkText(s, v)
	case json.Number:
		more = checkNumber(s, v)
	case []any:
		more, err = c.checkList(at, s, v, depth)
	case map[string]any:
		more, err = c.checkObject(at, s, v, depth)
	}
	wrong = append(wrong, more...)
	if err != nil {
		return nil, err
	}
	more, err = c.combined(at, s, v, depth)
	return append(wrong, more...), err
}

// typeOf is the type of a value. An integer is a number without a fraction and an exponent.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	case []any:
		return "array"
	}
	return "object"
}

func typeFault(want, v any) string {
	var list []string
	switch want := want.(type) {
	case string:
		list = []string{want}
	case []any:
		for _, w := range want {
			if name, ok := w.(string); ok {
				list = append(list, name)
			}
		}
	}
	have := typeOf(v)
	if len(list) == 0 || slices.Contains(list, have) || have == "integer" && slices.Contains(list, "number") {
		return ""
	}
	slices.Sort(list)
	return fmt.Sprintf("instance type (%s) does not match any allowed primitive type (allowed: %s)", have, jsonText(list))
}

// equal compares values; numbers by what they are.
func equal(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, both := b.(json.Number)
	if isNumber && both {
		return number(x) == number(y)
	}
	return reflect.DeepEqual(a, b)
}

// number is a number's value; what is too large is infinite.
func number(n json.Number) float64 {
	f, _ := strconv.ParseFloat(n.String(), 64)
	return f
}

// bound returns a number of a schema.
func bound(s map[string]any, name string) (float64, bool) {
	n, ok := s[name].(json.Number)
	return number(n), ok
}

func (c *checking) checkText(s map[string]any, v string) (wrong []string, err error) {
	n := float64(utf8.RuneCountInString(v))
	if most, ok := bound(s, "maxLength"); ok && n > most {
		wrong = append(wrong, fmt.Sprintf("string %s is too long (length: %v, maximum allowed: %v)", jsonText(v), n, most))
	}
	if least, ok := bound(s, "minLength"); ok && n < least {
		wrong = append(wrong, fmt.Sprintf("string %s is too short (length: %v, required minimum: %v)", jsonText(v), n, least))
	}
	if pattern, ok := s["pattern"].(string); ok {
		re, err := c.pattern(pattern)
		if err != nil {
			return nil, err
		}
		if !re.MatchString(v) {
			wrong = append(wrong, fmt.Sprintf("ECMA 262 regex %s does not match input string %s", jsonText(pattern), jsonText(v)))
		}
	}
	return wrong, nil
}

// pattern compiles an expression once. Those of ECMA 262 that Go has not are refused with the model.
func (c *checking) pattern(text string) (*regexp.Regexp, error) {
	if re, ok := c.regexp[text]; ok {
		return re, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the pattern %q of a schema: %w", text, err)
	}
	c.regexp[text] = re
	return re, nil
}

func checkNumber(s map[string]any, v json.Number) (wrong []string) {
	n := number(v)
	if most, ok := bound(s, "maximum"); ok && (n > most || n == most && s["exclusiveMaximum"] == true) {
		wrong = append(wrong, fmt.Sprintf("numeric instance is greater than the required maximum (maximum: %v, found: %s)", most, v))
	}
	if least, ok := bound(s, "minimum"); ok && (n < least || n == least && s["exclusiveMinimum"] == true) {
		wrong = append(wrong, fmt.Sprintf("numeric instance is lower than the required minimum (minimum: %v, found: %s)", least, v))
	}
	if unit, ok := bound(s, "multipleOf"); ok && unit > 0 {
		if q := n / unit; math.Abs(q-math.Round(q)) > 1e-9*math.Max(1, math.Abs(q)) {
			wrong = append(wrong, fmt.Sprintf("remainder of division is not zero (%s / %v)", v, unit))
		}
	}
	return wrong
}

// size holds a number of things against its bounds.
func size(s map[string]any, n int, what, least, most string) (wrong []string) {
	if m, ok := bound(s, most); ok && float64(n) > m {
		wrong = append(wrong, fmt.Sprintf("%s is too large: must have at most %v but instance has %d", what, m, n))
	}
	if m, ok := bound(s, least); ok && float64(n) < m {
		wrong = append(wrong, fmt.Sprintf("%s is too small: must have at least %v but instance has %d", what, m, n))
	}
	return wrong
}

func (c *checking) checkList(at place, s map[string]any, v []any, depth int) ([]string, error) {
	wrong := size(s, len(v), "array", "minItems", "maxItems")
	if s["uniqueItems"] == true {
		seen := map[string]bool{}
		for _, x := range v {
			text := jsonText(x)
			if seen[text] {
				wrong = append(wrong, "array must not contain duplicate elements")
				break
			}
			seen[text] = true
		}
	}
	for i, x := range v {
		schema := s["items"]
		if each, ok := schema.([]any); ok {
			if i < len(each) {
				schema = each[i]
			} else if schema = s["additionalItems"]; schema == false {
				return append(wrong, fmt.Sprintf("array is too large: must have at most %d but instance has %d", len(each), len(v))), nil
			}
		}
		if _, ok := schema.(map[string]any); !ok {
			continue
		}
		more, err := c.check(place{at.model, schema}, x, depth+1)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, more...)
	}
	return wrong, nil
}

func (c *checking) checkObject(at place, s map[string]any, v map[string]any, depth int) ([]string, error) {
	wrong := size(s, len(v), "object", "minProperties", "maxProperties")
	if missing := lacking(s["required"], v); len(missing) > 0 {
		wrong = append(wrong, fmt.Sprintf("object has missing required properties (%s)", jsonText(missing)))
	}
	properties, _ := s["properties"].(map[string]any)
	patterns, _ := s["patternProperties"].(map[string]any)
	var unknown []string
	for _, name := range keys(v) {
		var schemas []any
		if p, ok := properties[name]; ok {
			schemas = append(schemas, p)
		}
		for _, pattern := range keys(patterns) {
			re, err := c.pattern(pattern)
			if err != nil {
				return nil, err
			}
			c.steps++
			if re.MatchString(name) {
				schemas = append(schemas, patterns[pattern])
			}
		}
		if len(schemas) == 0 {
			switch more := s["additionalProperties"].(type) {
			case bool:
				if !more {
					unknown = append(unknown, name)
				}
			case map[string]any:
				schemas = append(schemas, more)
			}
		}
		for _, schema := range schemas {
			more, err := c.check(place{at.model, schema}, v[name], depth+1)
			if err != nil {
				return nil, err
			}
			wrong = append(wrong, more...)
		}
	}
	if len(unknown) > 0 {
		wrong = append(wrong, fmt.Sprintf("object instance has properties which are not allowed by the schema: %s", jsonText(unknown)))
	}
	more, err := c.dependencies(at, s, v, depth)
	return append(wrong, more...), err
}

func keys(m map[string]any) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// lacking returns the names of a list that an object has not.
func lacking(names any, v map[string]any) (out []string) {
	list, _ := names.([]any)
	for _, n := range list {
		name, _ := n.(string)
		if _, ok := v[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// dependencies: an object that has a member must be as another schema says, or have others.
func (c *checking) dependencies(at place, s map[string]any, v map[string]any, depth int) (wrong []string, err error) {
	all, _ := s["dependencies"].(map[string]any)
	for _, name := range keys(all) {
		if _, ok := v[name]; !ok {
			continue
		}
		if schema, ok := all[name].(map[string]any); ok {
			more, err := c.check(place{at.model, schema}, v, depth+1)
			if err != nil {
				return nil, err
			}
			wrong = append(wrong, more...)
		} else if missing := lacking(all[name], v); len(missing) > 0 {
			wrong = append(wrong, fmt.Sprintf("property %s of object has missing property dependencies (%s)", jsonText(name), jsonText(missing)))
		}
	}
	return wrong, nil
}

// combined holds a value against schemas of which all, some, one or none must fit.
func (c *checking) combined(at place, s map[string]any, v any, depth int) (wrong []string, err error) {
	fitting := func(name string) (n, of int, faults []string, err error) {
		list, _ := s[name].([]any)
		for _, schema := range list {
			more, err := c.check(place{at.model, schema}, v, depth+1)
			if err != nil {
				return 0, 0, nil, err
			}
			if len(more) == 0 {
				n++
			}
			faults = append(faults, more...)
		}
		return n, len(list), faults, nil
	}
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		n, of, faults, err := fitting(name)
		switch {
		case err != nil:
			return nil, err
		case of == 0:
		case name == "allOf":
			wrong = append(wrong, faults...)
		case n == 0:
			wrong = append(wrong, "instance failed to match "+map[string]string{"anyOf": "at least one", "oneOf": "exactly one"}[name]+" required schema among "+strconv.Itoa(of))
		case name == "oneOf" && n > 1:
			wrong = append(wrong, fmt.Sprintf("instance failed to match exactly one schema (matched %d out of %d)", n, of))
		}
	}
	if not, ok := s["not"].(map[string]any); ok {
		more, err := c.check(place{at.model, not}, v, depth+1)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			wrong = append(wrong, "instance matched a schema which it should not have")
		}
	}
	return wrong, nil
}
