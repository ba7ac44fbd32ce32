package logs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A fieldPattern is a pattern of space-delimited fields:
//
//	[ip, user, ..., status = 4* || status = 5*, bytes > 1000]
type fieldPattern struct {
	fields []field
	gap    int // where the fields are that have no names; -1 if there are none
}

// A field has a name and what it must be; the alternatives each have conditions that
// hold together.
type field struct {
	name         string
	alternatives [][]func(text string) bool
}

// fieldTerm is one condition of a field, or its name alone.
var fieldTerm = regexp.MustCompile(`^([\w$@./-]+)\s*(?:(!=|<=|>=|=|<|>)\s*(.+))?$`)

func parseFields(text string) (*fieldPattern, error) {
	if !strings.HasSuffix(text, "]") {
		return nil, fmt.Errorf("a bracket is missing")
	}
	p := &fieldPattern{gap: -1}
	for i, part := range splitOutside(text[1:len(text)-1], ",") {
		part = strings.TrimSpace(part)
		if part == "..." {
			if p.gap >= 0 {
				return nil, fmt.Errorf("a pattern has one ellipsis at the most")
			}
			p.gap = i
			continue
		}
		f, err := parseField(part)
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, f)
	}
	return p, nil
}

// splitOutside splits a text where a separator stands outside of quotation marks and
// regular expressions.
func splitOutside(text, separator string) (out []string) {
	var in byte
	from := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case in != 0:
			if c == in {
				in = 0
			}
		case c == '"' || c == '%':
			in = c
		case strings.HasPrefix(text[i:], separator):
			out = append(out, text[from:i])
			i += len(separator) - 1
			from = i + 1
		}
	}
	return append(out, text[from:])
}

func parseField(text string) (f field, err error) {
	for _, alternative := range splitOutside(text, "||") {
		var all []func(string) bool
		for _, term := range splitOutside(alternative, "&&") {
			m := fieldTerm.FindStringSubmatch(strings.Trim(strings.TrimSpace(term), "() "))
			if m == nil {
				return f, fmt.Errorf("the field %q is not understood", text)
			}
			if f.name == "" {
				f.name = m[1]
			}
			if f.name != m[1] {
				return f, fmt.Errorf("the condition of %s speaks of %s", f.name, m[1])
			}
			if m[2] == "" {
				continue
			}
			c, err := fieldCondition(m[2], strings.TrimSpace(m[3]))
			if err != nil {
				return f, err
			}
			all = append(all, c)
		}
		f.alternatives = append(f.alternatives, all)
	}
	return f, nil
}

func fieldCondition(operator, value string) (func(string) bool, error) {
	if operator == "=" || operator == "!=" {
		equal, err := textMatcher(value)
		if err != nil || operator == "=" {
			return equal, err
		}
		return func(text string) bool { return !equal(text) }, nil
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil, fmt.Errorf("%s compares numbers, and %q is none", operator, value)
	}
	return func(text string) bool {
		have, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			return false
		case operator == "<":
			return have < number
		case operator == "<=":
			return have <= number
		case operator == ">":
			return have > number
		}
		return have >= number
	}, nil
}

// textMatcher reads a phrase in quotation marks, a regular expression, or a word in
// which * stands for anything.
func textMatcher(value string) (func(string) bool, error) {
	switch {
	case strings.HasPrefix(value, "%"):
		if len(value) < 2 || !strings.HasSuffix(value, "%") {
			return nil, fmt.Errorf("a regular expression has no end")
		}
		re, err := regexp.Compile(value[1 : len(value)-1])
		if err != nil {
			return nil, fmt.Errorf("the regular expression %q: %w", value, err)
		}
		return re.MatchString, nil
	case strings.HasPrefix(value, `"`):
		phrase, rest, err := quoted(value)
		if err == nil && rest != "" {
			err = fmt.Errorf("%q is not understood", rest)
		}
		if err != nil {
			return nil, err
		}
		value = phrase
	}
	return func(text string) bool { return matchStars(value, text) }, nil
}

// match returns the fields of a message by their names, if it has what the pattern
// wants.
func (p *fieldPattern) match(message string) (values map[string]string, ok bool) {
	words := fieldsOf(message)
	if len(words) < len(p.fields) || p.gap < 0 && len(words) > len(p.fields) {
		return nil, false
	}
	values = map[string]string{}
	if p.gap >= 0 {
		last := len(words) - (len(p.fields) - p.gap)
		words = append(words[:p.gap:p.gap], words[last:]...)
	}
	for i, f := range p.fields {
		if !f.holds(words[i]) {
			return nil, false
		}
		values["$"+f.name] = words[i]
	}
	return values, true
}

func (f field) holds(text string) bool {
	for _, all := range f.alternatives {
		holds := true
		for _, c := range all {
			holds = holds && c(text)
		}
		if holds {
			return true
		}
	}
	return false
}

// fieldsOf splits a message at its blanks. What stands in quotation marks or brackets
// is one field, without them.
func fieldsOf(message string) (out []string) {
	for rest := strings.TrimLeft(message, " \t\r\n"); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		end := byte(' ')
		switch rest[0] {
		case '"':
			end = '"'
		case '[':
			end = ']'
		}
		if end != ' ' {
			if i := strings.IndexByte(rest[1:], end); i >= 0 {
				out, rest = append(out, rest[1:1+i]), rest[i+2:]
				continue
			}
		}
		i := strings.IndexAny(rest, " \t\r\n")
		if i < 0 {
			i = len(rest)
		}
		out, rest = append(out, rest[:i]), rest[i:]
	}
	return out
}
