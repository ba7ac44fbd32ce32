package template

import (
	"regexp"
	"strings"
)

// A subPart is a piece of Fn::Sub's text: a literal, or the name in ${Name}.
type subPart struct{ literal, name string }

var subName = regexp.MustCompile(`^[A-Za-z0-9_.:]+$`)

// splitSub takes a text apart. ${!Name} stands for ${Name} itself. odd is a name
// that cannot be one.
func splitSub(text string) (parts []subPart, odd string) {
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			return append(parts, subPart{literal: text}), ""
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(parts, subPart{literal: text}), ""
		}
		parts = append(parts, subPart{literal: before})
		if literal, ok := strings.CutPrefix(inner, "!"); ok {
			parts = append(parts, subPart{literal: "${" + literal + "}"})
		} else if subName.MatchString(inner) {
			parts = append(parts, subPart{name: inner})
		} else {
			return nil, inner
		}
		text = after
	}
}

// subArguments returns the text of Fn::Sub and the mapping beside it, which may be
// nil.
func subArguments(argument *node) (text string, variables *node, ok bool) {
	if text, ok = argument.text(); ok {
		return text, nil, true
	}
	if argument.kind != sequence || len(argument.items) != 2 {
		return "", nil, false
	}
	text, ok = argument.items[0].text()
	variables = argument.items[1]
	if _, _, call := variables.function(); call {
		return "", nil, false
	}
	return text, variables, ok && variables.kind == mapping
}
