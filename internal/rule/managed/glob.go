package managed

import "strings"

// globAny reports whether one of the patterns matches the text. * stands for any
// characters, ? for one; case does not matter, as in IAM's actions.
func globAny(s string, patterns []string) bool {
	for _, p := range patterns {
		if glob(strings.ToLower(p), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

// glob matches in time proportional to the product of the lengths: on a
// mismatch it goes back to the last star only.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// overlap reports whether some text matches both patterns: an action pattern of
// a policy grants something of what is asked about.
func overlap(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]bool, len(b)+1)
	for j := range row { // nothing of a left: b must match the empty text
		row[j] = strings.Trim(b[j:], "*") == ""
	}
	for i := len(a) - 1; i >= 0; i-- {
		next := make([]bool, len(b)+1)
		next[len(b)] = strings.Trim(a[i:], "*") == ""
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
