package sql

import (
	"fmt"
	"strings"
)

// The kinds of tokens.
const (
	end    = iota
	name   // also words of the language
	number // 12, 1.5e3
	text   // 'a', "a"
	symbol // ( ) , . * = <> ...
)

type token struct {
	kind int
	text string
	at   int // where it begins in the source
}

// is reports whether the token is a word of the language or a symbol.
func (t token) is(word string) bool {
	return t.kind == name && strings.EqualFold(t.text, word) || t.kind == symbol && t.text == word
}

// String is for error messages.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q at %d", t.text, t.at+1)
}

// symbols are tried in this order.
var symbols = []string{"<>", "!=", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", ",", ".", ":"}

// lex cuts a text into tokens, with an end behind them.
func lex(s string) (out []token, err error) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'' || c == '"':
			value, next, err := quoted(s, i)
			if err != nil {
				return nil, err
			}
			out = append(out, token{text, value, i})
			i = next
		case isDigit(c):
			next := numberEnd(s, i)
			out = append(out, token{number, s[i:next], i})
			i = next
		case isLetter(c):
			next := i
			for next < len(s) && (isLetter(s[next]) || isDigit(s[next])) {
				next++
			}
			out = append(out, token{name, s[i:next], i})
			i = next
		default:
			found := ""
			for _, y := range symbols {
				if strings.HasPrefix(s[i:], y) {
					found = y
					break
				}
			}
			if found == "" {
				return nil, fmt.Errorf("unexpected character %q at %d", s[i], i+1)
			}
			out = append(out, token{symbol, found, i})
			i += len(found)
		}
	}
	return append(out, token{kind: end, at: len(s)}), nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

// quoted reads a text between quotes. A quote in it is written twice.
func quoted(s string, at int) (value string, next int, err error) {
	quote := s[at]
	var b strings.Builder
	for i := at + 1; i < len(s); i++ {
		switch {
		case s[i] != quote:
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == quote:
			b.WriteByte(quote)
			i++
		default:
			return b.String(), i + 1, nil
		}
	}
	return "", 0, fmt.Errorf("the text that begins at %d does not end", at+1)
}

func numberEnd(s string, i int) int {
	digits := func() {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	digits()
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		i++
		digits()
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		begin := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if i >= len(s) || !isDigit(s[i]) {
			return begin
		}
		digits()
	}
	return i
}
