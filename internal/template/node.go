package template

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A kindOf says what a node is.
type kindOf uint8

const (
	scalar kindOf = iota
	sequence
	mapping
)

// A node is a part of a template's text. Short forms of functions were made long
// ones.
type node struct {
	kind  kindOf
	line  int
	path  string // Resources.Logs.Properties
	value any    // of a scalar: string, bool, json.Number or nil
	keys  []string
	items []*node // of a mapping in the order of keys, or of a sequence
}

// get returns the value under a key, or nil.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return n.items[i]
		}
	}
	return nil
}

// text returns a scalar as a text, and whether it is a scalar that has one.
func (n *node) text() (string, bool) {
	if n == nil || n.kind != scalar {
		return "", false
	}
	return Text(n.value)
}

// function returns the name and the argument of a call: a mapping of nothing but
// one function.
func (n *node) function() (name string, argument *node, ok bool) {
	if n.kind != mapping || len(n.keys) != 1 || !isFunction(n.keys[0]) {
		return "", nil, false
	}
	return n.keys[0], n.items[0], true
}

func isFunction(key string) bool { return key == "Ref" || strings.HasPrefix(key, "Fn::") }

// describe says what a node is, for messages.
func (n *node) describe() string {
	switch {
	case n.kind == mapping:
		return "a mapping"
	case n.kind == sequence:
		return "a list"
	case n.value == nil:
		return "null"
	default:
		s, _ := n.text()
		return strconv.Quote(s)
	}
}

// json returns the text of a node as it was written, functions in their long form.
func (n *node) json() string {
	b, err := json.Marshal(n.plain())
	if err != nil {
		return ""
	}
	return string(b)
}

// plain returns a node as it was written.
func (n *node) plain() any {
	switch n.kind {
	case sequence:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = item.plain()
		}
		return out
	case mapping:
		out := make(map[string]any, len(n.items))
		for i, item := range n.items {
			out[n.keys[i]] = item.plain()
		}
		return out
	default:
		return n.value
	}
}

// Text returns a scalar value as CloudFormation writes it where a text is
// wanted: numbers as they stand in the template, booleans as true and false. Only
// texts, numbers and booleans have one.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// number reads a plain word as a number that JSON could write as well. Others,
// such as the account 012345678901, are texts.
func number(word string) (json.Number, bool) {
	if !json.Valid([]byte(word)) || !strings.ContainsAny(word[:1], "-0123456789") {
		return "", false
	}
	return json.Number(word), true
}
