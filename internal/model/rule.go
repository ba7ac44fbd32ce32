package model

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Rule is the constraints of a shape, in the order in which AWS words them. Matches stands in for Pattern, which is a
// Java expression, when it is matched.
type Rule struct {
	Min, Max  *float64
	Pattern   *Pattern
	Enum      []string
	Open      *Pattern // values outside Enum that are taken all the same
	Sensitive bool     // values are not printed
}

// each calls fail for every constraint that a string breaks.
func (r *Rule) each(v string, fail func(constraint string)) {
	if r == nil {
		return
	}
	if r.Min != nil || r.Max != nil {
		r.span(float64(utf8.RuneCountInString(v)), "have length", fail)
	}
	if r.Pattern != nil && !r.Pattern.Match(v) {
		fail("Member must satisfy regular expression pattern: " + r.Pattern.Text)
	}
	if r.Enum != nil && !slices.Contains(r.Enum, v) && (r.Open == nil || !r.Open.Match(v)) {
		fail(r.enumWords())
	}
}

func (r *Rule) span(n float64, verb string, fail func(constraint string)) {
	switch {
	case r == nil:
	case r.Max != nil && n > *r.Max:
		fail("Member must " + verb + " less than or equal to " + number(*r.Max))
	case r.Min != nil && n < *r.Min:
		fail("Member must " + verb + " greater than or equal to " + number(*r.Min))
	}
}

func (r *Rule) holds(v string) bool {
	ok := true
	r.each(v, func(string) { ok = false })
	return ok
}

// words lists all constraints of an element, whose length or value is bounded.
func (r *Rule) words(of string) []string {
	var words []string
	if r.Max != nil {
		words = append(words, "Member must have "+of+" less than or equal to "+number(*r.Max))
	}
	if r.Min != nil {
		words = append(words, "Member must have "+of+" greater than or equal to "+number(*r.Min))
	}
	if r.Pattern != nil {
		words = append(words, "Member must satisfy regular expression pattern: "+r.Pattern.Text)
	}
	if r.Enum != nil {
		words = append(words, r.enumWords())
	}
	return words
}

func (r *Rule) enumWords() string {
	return "Member must satisfy enum value set: [" + strings.Join(r.Enum, ", ") + "]"
}

func number[T int32 | int64 | float64](v T) string {
	return strconv.FormatFloat(float64(v), 'f', -1, 64)
}
