package document

import "go.yaml.in/yaml/v3"

// CloudFormation's intrinsic functions by their short forms. Some take one word,
// some a list, some both.
func longName(tag string) (long string, word, list bool) {
	switch tag {
	case "!Ref", "!Condition":
		return tag[1:], true, false
	case "!Base64", "!GetAZs", "!ImportValue", "!RefAll":
		return "Fn::" + tag[1:], true, false
	case "!GetAtt", "!Sub":
		return "Fn::" + tag[1:], true, true
	case "!Select", "!Split", "!Join", "!FindInMap", "!And", "!Equals", "!Contains",
		"!EachMemberIn", "!EachMemberEquals", "!ValueOf", "!If", "!Not", "!Or":
		return "Fn::" + tag[1:], false, true
	}
	return "", false, false
}

// longForm is the function that a node's tag stands for, or nothing.
func (r *reader) longForm(n *yaml.Node) string {
	if n.Style&yaml.TaggedStyle == 0 {
		return ""
	}
	long, word, list := longName(n.Tag)
	switch {
	case r.flavour == Core,
		n.Kind == yaml.ScalarNode && word,
		n.Kind == yaml.SequenceNode && list:
		return long
	}
	return ""
}
