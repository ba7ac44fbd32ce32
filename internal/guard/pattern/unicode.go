package pattern

import "strings"

// The Perl classes of the original's engine are Unicode's; Go's are ASCII's.
const (
	digits = `\p{Nd}`
	words  = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}`
	spaces = `\s\x0b\x85\p{Z}`
)

// unicodeClasses rewrites \d, \w and \s, and their negations outside of brackets,
// to the Unicode classes that they stand for.
func unicodeClasses(source string) string {
	if !strings.ContainsAny(source, `\`) {
		return source
	}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\' && i+1 < len(source):
			i++
			b.WriteString(escape(source[i], inClass))
		default:
			if c == '[' {
				inClass = true
			} else if c == ']' {
				inClass = false
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escape writes what follows a backslash. A negated class within brackets stays ASCII's:
// it cannot be written as a list of members.
func escape(c byte, inClass bool) string {
	members := map[byte]string{'d': digits, 'w': words, 's': spaces, 'D': digits, 'W': words, 'S': spaces}[c]
	negated := c == 'D' || c == 'W' || c == 'S'
	switch {
	case members == "" || inClass && negated:
		return `\` + string(c)
	case inClass:
		return members
	case negated:
		return "[^" + members + "]"
	default:
		return "[" + members + "]"
	}
}
