package preview

import (
	"regexp"
	"strings"
)

// unknown begins a text that stands for a value which is not known before the
// resource is there; the address of what it comes from follows.
const unknown = "\x00unknown:"

// isUnknown reports whether a value is or holds one that is not known.
func isUnknown(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, unknown)
	case map[string]any:
		for k, inner := range v {
			if isUnknown(inner) || isUnknown(k) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if isUnknown(inner) {
				return true
			}
		}
	}
	return false
}

// comesFrom returns the address that a value which is not known comes from.
func comesFrom(v any) string {
	s, _ := v.(string)
	from, ok := strings.CutPrefix(s, unknown)
	if !ok {
		return ""
	}
	return from
}

// unknownPaths returns the paths below a value where something is not known.
func unknownPaths(v any, path []string) (all [][]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			all = append(all, unknownPaths(inner, append(path[:len(path):len(path)], k))...)
		}
	default:
		if isUnknown(v) { // a list as a whole: rules look through lists
			all = append(all, path)
		}
	}
	return all
}

// unknownKeys are the keys at which something that is not known stands; elements of
// a list stand at the list's.
func unknownKeys(v any, key string) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			all = append(all, unknownKeys(inner, k)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, unknownKeys(inner, key)...)
		}
	case string:
		if isUnknown(v) {
			all = append(all, key)
		}
	}
	return all
}

// moves are expressions that only move values: what is not known stays to be seen.
var moves = regexp.MustCompile(`^[\w.\[\]{}:,*@ \n"-]+$`)

// names are the attributes that an expression may read.
var names = regexp.MustCompile(`[A-Za-z_]\w*`)

// literals are values that stand in an expression.
var literals = regexp.MustCompile("`[^`]*`|'[^']*'")
