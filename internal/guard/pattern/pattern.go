// Package pattern is the regular expressions of Guard. They are written in the
// flavour of Rust's fancy-regex: the linear-time syntax that Go's own regexp
// speaks almost word for word, and look-around and back references on top.
//
// What Go's regexp can run is run by it, in linear time. Only the rest is handed
// to a backtracking engine, with a time limit for each match. The package stores
// nothing; a compiled pattern is safe for concurrent use.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

const (
	// matchTimeout bounds one match of a backtracking pattern.
	matchTimeout = 200 * time.Millisecond
	// maxExtract bounds what Extract may make of a text.
	maxExtract = 1 << 20
)

// errTooLong is a text that would grow without end.
var errTooLong = errors.New("the result is longer than 1 MiB")

// A Pattern is a compiled regular expression.
type Pattern struct {
	source string
	linear *regexp.Regexp
	fancy  *regexp2.Regexp
}

// Compile reads a pattern. The error says what is wrong with it.
func Compile(source string) (*Pattern, error) {
	if strings.Contains(source, "&&") && strings.Contains(source, "[") {
		// Neither engine knows it, and both would read it as a plain list of characters.
		return nil, fmt.Errorf("regular expression /%s/: && between character classes is not supported", source)
	}
	if !needsBacktracking(source) {
		if re, err := regexp.Compile(unicodeClasses(source)); err == nil {
			return &Pattern{source: source, linear: re}, nil
		}
	}
	re, err := regexp2.Compile(source, regexp2.RE2)
	if err != nil {
		return nil, fmt.Errorf("regular expression /%s/: %w", source, err)
	}
	re.MatchTimeout = matchTimeout
	return &Pattern{source: source, fancy: re}, nil
}

// needsBacktracking tells the constructs that Go's regexp refuses.
func needsBacktracking(source string) bool {
	for _, mark := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if strings.Contains(source, mark) {
			return true
		}
	}
	return false
}

// String gives the pattern as it was written.
func (p *Pattern) String() string { return p.source }

// Match tells whether the pattern is found anywhere in s. The error is a match
// that took too long.
func (p *Pattern) Match(s string) (bool, error) {
	if p.linear != nil {
		return p.linear.MatchString(s), nil
	}
	ok, err := p.fancy.MatchString(s)
	if err != nil {
		return false, fmt.Errorf("matching /%s/: %w", p.source, err)
	}
	return ok, nil
}

// Extract finds every match of the pattern in s and returns the template filled
// with each match's groups, one after the other. Text between matches is dropped:
// it is what Guard's regex_replace does.
func (p *Pattern) Extract(s, template string) (string, error) {
	var b strings.Builder
	if p.linear != nil {
		for _, m := range p.linear.FindAllStringSubmatchIndex(s, -1) {
			expand(&b, template, func(name string) string { return p.linearGroup(s, m, name) })
			if b.Len() > maxExtract {
				return "", errTooLong
			}
		}
		return b.String(), nil
	}
	m, err := p.fancy.FindStringMatch(s)
	for m != nil && err == nil {
		found := m
		expand(&b, template, func(name string) string {
			if g := found.GroupByName(name); g != nil {
				return g.String()
			}
			return ""
		})
		if b.Len() > maxExtract {
			return "", errTooLong
		}
		m, err = p.fancy.FindNextMatch(m)
	}
	if err != nil {
		return "", fmt.Errorf("matching /%s/: %w", p.source, err)
	}
	return b.String(), nil
}

// linearGroup is the text of a group, by name or number, in one match.
func (p *Pattern) linearGroup(s string, match []int, name string) string {
	n := p.linear.SubexpIndex(name)
	if n < 0 {
		var err error
		if n, err = strconv.Atoi(name); err != nil {
			return ""
		}
	}
	if n < 0 || 2*n+1 >= len(match) || match[2*n] < 0 {
		return ""
	}
	return s[match[2*n]:match[2*n+1]]
}
