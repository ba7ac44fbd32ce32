package syntax

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"plumb/internal/guard/document"
)

// An Error is a rule file that cannot be read: where, what was found there, and
// what could have stood there instead.
type Error struct {
	File     string
	At       document.Pos
	Found    string
	Expected []string // what would have been understood
	Reason   string   // shown instead of Expected where more is known
	Line     string   // the line of the file
}

// Message says what is wrong, without the place.
func (e *Error) Message() string {
	if e.Reason != "" {
		return e.Reason
	}
	return fmt.Sprintf("found %s, expected %s", e.Found, list(e.Expected))
}

// Error says all of it, and quotes the line with a mark under the place.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	fmt.Fprintf(&b, "%d:%d: %s", e.At.Line, e.At.Column, e.Message())
	prefix := fmt.Sprintf("%5d | ", e.At.Line)
	fmt.Fprintf(&b, "\n%s%s\n%s%s^", prefix, e.Line, strings.Repeat(" ", len(prefix)-2)+"| ", e.indent())
	return b.String()
}

// indent is the room before the mark; tabs stay tabs so that it stands under the
// right character.
func (e *Error) indent() string {
	var b strings.Builder
	column := 1
	for _, c := range e.Line {
		if column >= e.At.Column {
			break
		}
		column++
		if c == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func list(words []string) string {
	switch len(words) {
	case 0:
		return "a clause"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// explain makes the error from what the parser remembers: what it gave up on, or
// the farthest place that it reached and what it looked for there.
func (p *parser) explain() *Error {
	e := &Error{File: p.file}
	offset := p.far
	if p.failed {
		offset = max(p.failedAt, p.far)
	}
	switch {
	case p.reason != "" && p.reasonAt >= p.lineStart(offset):
		offset, e.Reason = p.reasonAt, p.reason
	default:
		e.Expected = p.wanted()
	}
	e.At, e.Line, e.Found = p.position(offset), p.lineAt(offset), p.found(offset)
	return e
}

// wanted is what was looked for in vain, each once. How a path goes on is left out
// where something else was looked for as well.
func (p *parser) wanted() []string {
	seen := map[string]bool{"'.'": true, "'['": true, "'('": true}
	var words []string
	for _, w := range p.wants {
		if !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return p.wants
	}
	sort.Strings(words)
	return words
}

// found is the word at an offset, in quotes.
func (p *parser) found(offset int) string {
	rest := p.src[offset:]
	if rest == "" {
		return "the end of the file"
	}
	if rest[0] == '\n' || rest[0] == '\r' {
		return "the end of the line"
	}
	end := strings.IndexAny(rest, " \t\r\n")
	if end <= 0 {
		end = len(rest)
	}
	word := rest[:end]
	if utf8.RuneCountInString(word) > 20 {
		word = string([]rune(word)[:20]) + "..."
	}
	return fmt.Sprintf("%q", word)
}

func (p *parser) lineStart(offset int) int {
	return strings.LastIndexByte(p.src[:offset], '\n') + 1
}

func (p *parser) lineAt(offset int) string {
	line, _, _ := strings.Cut(p.src[p.lineStart(offset):], "\n")
	return strings.TrimSuffix(line, "\r")
}
