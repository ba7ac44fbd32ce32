package pattern

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The kinds of token.
const (
	endOfText   = 0
	beginObject = '{'
	endObject   = '}'
	beginArray  = '['
	endArray    = ']'
	fieldName   = 'k'
	text        = 's'
	number      = '0'
	literal     = 't' // true, false, null
)

// A token is its kind and its text: of a string the characters it stands for.
type token struct {
	kind byte
	text string
}

// A scanner reads JSON token by token, because EventBridge tells where it stopped
// reading. It stands where AWS's reader would stand: with a field name, the value
// after it has been looked at; of a string that is a value, only the first quote
// has been read until its text is wanted.
type scanner struct {
	src     string
	pos     int
	open    []place // objects and arrays that are open
	fresh   bool    // nothing was read yet in the innermost of them
	pending *token
	lazy    bool // a string begins before pos
}

type place struct {
	kind byte
	pos  int
}

func (s *scanner) next() (token, error) {
	if t := s.pending; t != nil {
		s.pending = nil
		return *t, nil
	}
	if err := s.finish(nil); err != nil {
		return token{}, err
	}
	if len(s.open) == 0 {
		return s.outside()
	}
	in := s.open[len(s.open)-1]
	c, err := s.peek()
	if err != nil {
		return token{}, err
	}
	if c == in.kind+2 { // the codes of { } and of [ ] are two apart
		s.pos++
		s.open, s.fresh = s.open[:len(s.open)-1], false
		return token{kind: c}, nil
	}
	if !s.fresh {
		if c != ',' {
			return token{}, s.unexpected("was expecting comma to separate " + in.name() + " entries")
		}
		s.pos++
	}
	s.fresh = false
	if in.kind == beginObject {
		return s.name()
	}
	return s.value()
}

// outside reads what is not in the outermost object: the object itself, or
// nothing.
func (s *scanner) outside() (token, error) {
	s.skip()
	if s.pos == len(s.src) {
		return token{}, nil
	}
	return s.value()
}

// name reads a field name and looks at its value.
func (s *scanner) name() (token, error) {
	if c, err := s.peek(); err != nil || c != '"' {
		return token{}, orElse(err, s.unexpected("was expecting double-quote to start field name"))
	}
	s.pos++
	s.lazy = true
	t := token{kind: fieldName}
	if err := s.finish(&t.text); err != nil {
		return t, err
	}
	if c, err := s.peek(); err != nil || c != ':' {
		return t, orElse(err, s.unexpected("was expecting a colon to separate field name and value"))
	}
	s.pos++
	v, err := s.value()
	s.pending = &v
	return t, err
}

const valid = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

func (s *scanner) value() (token, error) {
	c, err := s.peek()
	if err != nil {
		return token{}, err
	}
	switch {
	case c == '"':
		s.pos++
		s.lazy = true
		return token{kind: text}, nil
	case c == beginObject || c == beginArray:
		s.open = append(s.open, place{c, s.pos})
		s.pos++
		s.fresh = true
		if len(s.open) > maxDepth {
			return token{}, s.fail(fmt.Sprintf("Document nesting depth (%d) exceeds the maximum allowed (%d)",
				len(s.open), maxDepth))
		}
		return token{kind: c}, nil
	}
	end := s.pos
	for end < len(s.src) && isWord(s.src[end]) {
		end++
	}
	word := s.src[s.pos:end]
	if word == "" {
		return token{}, s.unexpected("expected a valid value " + valid)
	}
	s.pos = end
	switch {
	case word == "true" || word == "false" || word == "null":
		return token{literal, word}, nil
	case json.Valid([]byte(word)): // what is left is a number
		return token{number, word}, nil
	}
	return token{}, s.fail("Unrecognized token '" + word + "': was expecting " + valid)
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' ||
		c == '.' || c == '$' || c >= utf8.RuneSelf
}

// read returns the text of a token.
func (s *scanner) read(t token) (string, error) {
	if t.kind != text {
		if t.kind == number || t.kind == literal {
			return t.text, nil
		}
		return string(t.kind), nil
	}
	err := s.finish(&t.text)
	return t.text, err
}

// finish reads the rest of a string.
func (s *scanner) finish(into *string) error {
	if !s.lazy {
		return nil
	}
	s.lazy = false
	begin := s.pos - 1
	for ; s.pos < len(s.src); s.pos++ {
		switch c := s.src[s.pos]; {
		case c == '\\':
			s.pos++
		case c < ' ':
			return s.fail(fmt.Sprintf("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using "+
				"backslash to be included in string value", c))
		case c == '"':
			s.pos++
			if into == nil {
				into = new(string)
			}
			if err := json.Unmarshal([]byte(s.src[begin:s.pos]), into); err != nil {
				return s.fail("Unrecognized character escape")
			}
			return nil
		}
	}
	s.pos = len(s.src)
	return s.fail("Unexpected end-of-input: was expecting closing quote for a string value")
}

func (s *scanner) skip() {
	for s.pos < len(s.src) && strings.IndexByte(" \t\r\n", s.src[s.pos]) >= 0 {
		s.pos++
	}
}

// peek returns the next character that is not white space.
func (s *scanner) peek() (byte, error) {
	s.skip()
	if s.pos < len(s.src) {
		return s.src[s.pos], nil
	}
	in := s.open[len(s.open)-1]
	return 0, s.fail("Unexpected end-of-input: expected close marker for " + in.name() + " (start marker at " +
		s.location(in.pos) + ")")
}

func (p place) name() string {
	if p.kind == beginObject {
		return "Object"
	}
	return "Array"
}

func (s *scanner) unexpected(expected string) error {
	if s.pos >= len(s.src) {
		return nil
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.pos:])
	return s.fail(fmt.Sprintf("Unexpected character ('%c' (code %d)): %s", r, r, expected))
}

// fail is a reason with the place that was reached.
func (s *scanner) fail(reason string) error {
	return reasonError(reason + "\n at " + s.location(s.pos))
}

// location is a place in the text, whose beginning is repeated.
func (s *scanner) location(pos int) string {
	pos = min(pos, len(s.src))
	const longest = 500
	src, rest := []rune(s.src), ""
	if len(src) > longest {
		rest = fmt.Sprintf("[truncated %d chars]", len(src)-longest)
		src = src[:longest]
	}
	before := s.src[:pos]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[1+strings.LastIndexByte(before, '\n'):])
	return fmt.Sprintf("[Source: (String)\"%s\"%s; line: %d, column: %d]", string(src), rest, line, column)
}

// A reasonError says why a text is no pattern.
type reasonError string

func (e reasonError) Error() string { return string(e) }

func orElse(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
