package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"plumb/internal/model"
)

var javaEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// translate turns a Java expression into Go's dialect, which lacks look-around: for such patterns models/patches.json
// gives the expression to match.
func translate(java, matches string) (string, error) {
	expr := matches
	if expr == "" {
		expr = javaEscape.ReplaceAllString(java, `\x{$1}`)
	}
	if _, err := regexp.Compile(model.Anchored(expr)); err != nil {
		return "", fmt.Errorf("pattern %s needs a \"matches\" in patches.json: %w", java, err)
	}
	return expr, nil
}

func literal(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

func quoted(list []string) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = strconv.Quote(w)
	}
	return strings.Join(words, ", ")
}

// float writes a bound so that new() makes a pointer to a float of it.
func float(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if strings.Contains(text, ".") {
		return text
	}
	return text + ".0"
}
