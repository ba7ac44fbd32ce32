package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Matches reports whether a pattern matches a text to the letter: * stands for
// any characters, ? for exactly one.
func Matches(pattern, text string) bool {
	// On a mismatch it goes back to the last star only, so the time is bounded by
	// the product of the lengths.
	p, i, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, i = p+1, i+width(text[i:])
		case p < len(pattern) && plain(pattern[p]) == text[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark += width(text[mark:])
			p, i = star+1, mark
		default:
			return false
		}
	}
	return onlyStars(pattern[p:])
}

// width is how many bytes the first character of a text has.
func width(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// What stands in a pattern for a star and a question mark that are no wildcards.
const (
	literalStar = '\x01'
	literalMark = '\x02'
)

func plain(c byte) byte {
	switch c {
	case literalStar:
		return '*'
	case literalMark:
		return '?'
	}
	return c
}

// literal writes a text that is put into a pattern: it has no wildcards.
var literal = strings.NewReplacer("*", string(literalStar), "?", string(literalMark))

var unliteral = strings.NewReplacer(string(literalStar), "*", string(literalMark), "?")

// MatchesFold is Matches whatever the case, as actions are compared.
func MatchesFold(pattern, text string) bool {
	return Matches(strings.ToLower(pattern), strings.ToLower(text))
}

func onlyStars(s string) bool { return strings.Trim(s, "*") == "" }

// Overlaps reports whether some text matches both patterns.
func Overlaps(a, b string) bool {
	row := make([]bool, len(b)+1)
	for j := range row { // nothing of a is left: b must match the empty text
		row[j] = onlyStars(b[j:])
	}
	for i := len(a) - 1; i >= 0; i-- {
		next := make([]bool, len(b)+1)
		next[len(b)] = onlyStars(a[i:])
		for j := len(b) - 1; j >= 0; j-- {
			switch {
			case a[i] == '*':
				next[j] = row[j] || next[j+1]
			case b[j] == '*':
				next[j] = next[j+1] || row[j]
			case a[i] == '?' || b[j] == '?' || a[i] == b[j]:
				next[j] = row[j+1]
			}
		}
		row = next
	}
	return row[0]
}

// Covers reports whether every text that inner matches is matched by outer too:
// "s3:*" covers "s3:Get*", and not the other way round. A star of inner is only
// covered by a star of outer.
func Covers(outer, inner string) bool {
	outer, inner = normal(outer), normal(inner)
	row := make([]bool, len(inner)+1) // row[j]: the rest of outer covers inner[j:]
	row[len(inner)] = true
	for i := len(outer) - 1; i >= 0; i-- {
		next := make([]bool, len(inner)+1)
		next[len(inner)] = outer[i] == '*' && row[len(inner)]
		for j := len(inner) - 1; j >= 0; j-- {
			switch {
			case outer[i] == '*':
				next[j] = row[j] || next[j+1]
			case inner[j] == '*':
				next[j] = false
			case outer[i] == '?' || outer[i] == inner[j]:
				next[j] = row[j+1]
			}
		}
		row = next
	}
	return row[0]
}

// normal writes a run of wildcards in one way: the ?s, then at most one *.
func normal(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		if pattern[i] != '*' && pattern[i] != '?' {
			b.WriteByte(pattern[i])
			i++
			continue
		}
		end := i
		for end < len(pattern) && (pattern[end] == '*' || pattern[end] == '?') {
			end++
		}
		run := pattern[i:end]
		b.WriteString(strings.Repeat("?", strings.Count(run, "?")))
		if strings.Contains(run, "*") {
			b.WriteByte('*')
		}
		i = end
	}
	return b.String()
}

// CoversAllOf reports whether a resource pattern covers all resources of a service
// that are named so, in some account and region:
// "arn:aws:kms:us-east-1:*:key/*" covers all of kms named "key/*", and
// "arn:aws:kms:us-east-1:123456789012:key/1" does not.
func CoversAllOf(pattern, service, names string) bool {
	if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 {
		return parts[0] == "arn" && Matches(parts[2], service) && Covers(parts[5], names)
	}
	return coversEverywhere(pattern, service, names)
}

// coversEverywhere is CoversAllOf for every account and region.
func coversEverywhere(pattern, service, names string) bool {
	return Covers(pattern, "arn:"+partition(pattern)+":"+service+":*:*:"+names)
}

// namesSomeOf reports whether a resource pattern names any resource of a service
// that is named so.
func namesSomeOf(pattern, service, names string) bool {
	if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 {
		return Overlaps(parts[2], service) && Overlaps(parts[5], names)
	}
	return Overlaps(pattern, "arn:*:"+service+":*:*:"+names)
}

// partition returns the partition that a pattern names, which is one of several
// that exist; "*" where it names none.
func partition(pattern string) string {
	rest, ok := strings.CutPrefix(pattern, "arn:")
	name, _, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || strings.ContainsAny(name, "*?") {
		return "*"
	}
	return name
}

// fold puts what is compared whatever the case in lower case.
func fold(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

func anyCovers(patterns []string, inner string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Covers(p, inner) })
}

func anyOverlaps(patterns []string, other string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Overlaps(p, other) })
}

func anyMatches(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Matches(p, text) })
}
