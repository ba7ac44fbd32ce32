package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error says where an expression is wrong, and why.
type Error struct {
	Line, Column int // from 1, in characters
	Reason       string
}

// Error begins as AWS's text does.
func (e *Error) Error() string {
	return fmt.Sprintf("syntax error at line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

type kind int

const (
	end  kind = iota
	word      // a keyword or a path
	quoted
	number
	symbol // = <> <= ( , *
)

// A token is a part of the expression that means something.
type token struct {
	kind kind
	text string // of a quoted one what it stands for
	at   int    // offset in the expression
}

// is reports whether the token is that keyword or symbol.
func (t token) is(text string) bool {
	return t.kind == word && strings.EqualFold(t.text, text) || t.kind == symbol && t.text == text
}

// String is how an error names the token.
func (t token) String() string {
	const longest = 40
	text := t.text
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	switch t.kind {
	case end:
		return "the end"
	case quoted:
		return "'" + text + "'"
	}
	return text
}

// A lexer cuts an expression into tokens.
type lexer struct {
	text string
	next int
}

func (l *lexer) errorAt(at int, format string, args ...any) *Error {
	before := l.text[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &Error{line, column, fmt.Sprintf(format, args...)}
}

// token returns the next token.
func (l *lexer) token() (token, error) {
	for l.next < len(l.text) && strings.IndexByte(" \t\r\n\f\v", l.text[l.next]) >= 0 {
		l.next++
	}
	if l.next == len(l.text) {
		return token{kind: end, at: l.next}, nil
	}
	switch c := l.text[l.next]; {
	case isLetter(c):
		return l.while(word, func(c byte) bool { return isLetter(c) || isDigit(c) || strings.IndexByte("-/:.", c) >= 0 }), nil
	case isDigit(c), c == '-' || c == '.':
		return l.number()
	case c == '\'':
		return l.quoted()
	}
	return l.symbol()
}

func (l *lexer) while(k kind, in func(byte) bool) token {
	at := l.next
	for l.next < len(l.text) && in(l.text[l.next]) {
		l.next++
	}
	return token{k, l.text[at:l.next], at}
}

func (l *lexer) number() (token, error) {
	t := l.while(number, func(c byte) bool { return isDigit(c) || isLetter(c) || c == '.' || c == '-' || c == '+' })
	if _, ok := parseNumber(t.text); !ok {
		return t, l.errorAt(t.at, "%s is not a number", t)
	}
	return t, nil
}

// quoted reads a text in single quotes; two of them stand for one.
func (l *lexer) quoted() (token, error) {
	at := l.next
	var b strings.Builder
	for i := at + 1; i < len(l.text); i++ {
		if l.text[i] != '\'' {
			b.WriteByte(l.text[i])
			continue
		}
		if i+1 == len(l.text) || l.text[i+1] != '\'' {
			l.next = i + 1
			return token{quoted, storedText(b.String()), at}, nil
		}
		b.WriteByte('\'')
		i++
	}
	return token{}, l.errorAt(at, "the quote is never closed")
}

// storedText returns a text as it would be kept: without what is no UTF-8, nor
// U+0000, for which U+FFFD stands.
func storedText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

func (l *lexer) symbol() (token, error) {
	for _, s := range []string{"<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",", "*"} {
		if strings.HasPrefix(l.text[l.next:], s) {
			l.next += len(s)
			return token{symbol, s, l.next - len(s)}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(l.text[l.next:])
	return token{}, l.errorAt(l.next, "%q has no meaning here", r)
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
