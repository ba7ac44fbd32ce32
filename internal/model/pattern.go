package model

import (
	"regexp"
	"sync"
)

// A Pattern is a regular expression of the model. Text is AWS's, in Java's dialect, and is what failures print; what is
// matched is its translation, compiled at first use because a server uses few of the hundreds there are.
type Pattern struct {
	Text    string
	compile func() *regexp.Regexp
}

// NewPattern takes the text and its translation to Go's dialect, which the generator has compiled once.
func NewPattern(text, expression string) *Pattern {
	return &Pattern{Text: text, compile: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(Anchored(expression))
	})}
}

// Match says whether the whole of v is in the pattern's language.
func (p *Pattern) Match(v string) bool { return p.compile().MatchString(v) }

// Anchored makes an expression match a whole string or nothing, as AWS uses them.
func Anchored(expression string) string { return `\A(?:` + expression + `)\z` }
