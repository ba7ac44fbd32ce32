package logs

import (
	"fmt"
	"regexp"
	"strings"
)

// A Pattern is a filter pattern of CloudWatch Logs: terms, quoted phrases,
// ?alternatives, -exclusions, %regular expressions%, and selectors of members of
// JSON messages in braces, or fields between blanks in brackets. The zero Pattern matches everything.
type Pattern struct {
	all, any, none []matcher
	json           condition
	fields         *fieldPattern
}

// A matcher looks for one term.
type matcher func(message string) bool

// ParsePattern reads a filter pattern.
func ParsePattern(text string) (p Pattern, err error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "{"):
		p.json, err = parseSelector(text)
		return p, err
	case strings.HasPrefix(text, "["):
		p.fields, err = parseFields(text)
		return p, err
	}
	for text != "" {
		into := &p.all
		switch text[0] {
		case '?':
			into, text = &p.any, text[1:]
		case '-':
			into, text = &p.none, text[1:]
		}
		var m matcher
		if m, text, err = parseTerm(text); err != nil {
			return p, err
		}
		*into = append(*into, m)
		text = strings.TrimSpace(text)
	}
	return p, nil
}

// Matches reports whether a message has what the pattern wants.
func (p Pattern) Matches(message string) bool {
	if p.json != nil {
		return p.json.matchesJSON(message)
	}
	if p.fields != nil {
		_, ok := p.fields.match(message)
		return ok
	}
	for _, m := range p.all {
		if !m(message) {
			return false
		}
	}
	for _, m := range p.none {
		if m(message) {
			return false
		}
	}
	// Beside terms that must be there, alternatives do not count.
	if len(p.all) > 0 || len(p.any) == 0 {
		return true
	}
	for _, m := range p.any {
		if m(message) {
			return true
		}
	}
	return false
}

// Fields returns the fields that the pattern names, of a message that it matches.
func (p Pattern) Fields(message string) map[string]string {
	if p.fields == nil {
		return nil
	}
	values, _ := p.fields.match(message)
	return values
}

// parseTerm reads a term at the beginning of text and returns what follows.
func parseTerm(text string) (m matcher, rest string, err error) {
	switch {
	case text == "":
		return nil, "", fmt.Errorf("a term is missing")
	case text[0] == '"':
		phrase, rest, err := quoted(text)
		return contains(phrase), rest, err
	case text[0] == '%':
		expression, rest, ok := strings.Cut(text[1:], "%")
		if !ok {
			return nil, "", fmt.Errorf("a regular expression has no end")
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			return nil, "", fmt.Errorf("the regular expression %q: %w", expression, err)
		}
		return re.MatchString, rest, nil
	}
	end := strings.IndexAny(text, " \t\n")
	if end < 0 {
		end = len(text)
	}
	term := text[:end]
	if i := strings.IndexFunc(term, func(c rune) bool { return !plain(c) }); i >= 0 {
		return nil, "", fmt.Errorf("the character %q of the term %s needs quotation marks", term[i], term)
	}
	return contains(term), text[end:], nil
}

func contains(term string) matcher {
	return func(message string) bool { return strings.Contains(message, term) }
}

// plain reports whether a character may stand in a term without quotation marks.
func plain(c rune) bool {
	return c == '_' || c == '.' || c == '/' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 127 || strings.ContainsRune("-:@#=,$*", c)
}

// quoted reads a phrase in quotation marks, in which a backslash takes the next
// character as it is.
func quoted(text string) (phrase, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
		case '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", fmt.Errorf("a quotation mark is missing")
}
