package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth is how deep a template may be nested.
const maxDepth = 100

// read returns the root of a text, which is JSON or YAML.
func read(text []byte) (*node, error) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, failure(nil, "The template is empty.")
	}
	if trimmed[0] == '{' {
		// YAML reads most of JSON, but neither all of its escapes nor its tabs.
		if n, err := readJSON(text); err == nil {
			return n, nil
		} else if e := (*Error)(nil); errors.As(err, &e) {
			return nil, err
		}
	}
	return readYAML(text)
}

func readYAML(text []byte) (*node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, failure(nil, "The template is empty.")
	} else if err != nil {
		return nil, syntaxError(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, failure(nil, "The template must be a single YAML document.")
	}
	return fromYAML(document.Content[0], "", 0)
}

// syntaxError names the line that YAML's reader complains of.
func syntaxError(err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	at := &node{}
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		at.line, _ = strconv.Atoi(number)
		message = what
	}
	return failure(at, "YAML not well-formed: %s", message)
}

// fromYAML makes a node of YAML's, with the long form of a function that its tag
// stands for.
func fromYAML(y *yaml.Node, path string, depth int) (*node, error) {
	n := &node{line: y.Line, path: path}
	switch {
	case depth > maxDepth:
		return nil, failure(n, "The template is nested more than %d levels deep.", maxDepth)
	case y.Kind == yaml.AliasNode:
		return nil, failure(n, "YAML aliases are not supported in CloudFormation templates.")
	}
	if tag := y.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		return shortForm(y, path, depth)
	}
	switch y.Kind {
	case yaml.MappingNode:
		return yamlMapping(n, y, depth)
	case yaml.SequenceNode:
		n.kind = sequence
		for i, c := range y.Content {
			item, err := fromYAML(c, below(path, strconv.Itoa(i)), depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, nil
	default:
		n.value = yamlScalar(y)
		return n, nil
	}
}

func yamlMapping(n *node, y *yaml.Node, depth int) (*node, error) {
	n.kind = mapping
	seen := make(map[string]bool, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		at := &node{line: k.Line, path: n.path}
		switch {
		case k.Kind != yaml.ScalarNode || strings.HasPrefix(k.Tag, "!") && !strings.HasPrefix(k.Tag, "!!"):
			return nil, failure(at, "The keys of a mapping must be texts.")
		case k.Tag == "!!merge":
			return nil, failure(at, "YAML merge keys are not supported in CloudFormation templates.")
		case seen[k.Value]:
			return nil, failure(at, "The key %q is given more than once.", k.Value)
		}
		seen[k.Value] = true
		item, err := fromYAML(y.Content[i+1], below(n.path, k.Value), depth+1)
		if err != nil {
			return nil, err
		}
		item.line = k.Line // of a folded text, too
		n.keys, n.items = append(n.keys, k.Value), append(n.items, item)
	}
	return n, nil
}

// yamlScalar reads a word: a quoted one is a text, a plain one what it looks like.
// Dates stay texts, as they were written.
func yamlScalar(y *yaml.Node) any {
	switch y.Tag {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if y.Decode(&b) == nil {
			return b
		}
	case "!!int", "!!float":
		if n, ok := number(y.Value); ok {
			return n
		}
	}
	return y.Value
}

// shortForm makes {"Fn::Sub": x} of !Sub x.
func shortForm(y *yaml.Node, path string, depth int) (*node, error) {
	n := &node{kind: mapping, line: y.Line, path: path}
	name := "Fn::" + y.Tag[1:]
	if y.Tag == "!Ref" || y.Tag == "!Condition" {
		name = y.Tag[1:]
	}
	bare := *y
	bare.Tag = ""
	if y.Kind == yaml.ScalarNode {
		bare.Tag = "!!str"
	}
	argument, err := fromYAML(&bare, path, depth+1)
	if err != nil {
		return nil, err
	}
	if text, ok := argument.text(); ok && name == "Fn::GetAtt" {
		argument = dotted(argument, text)
	}
	n.keys, n.items = []string{name}, []*node{argument}
	return n, nil
}

// dotted makes the list that Fn::GetAtt takes of its short form, Resource.Attribute.
func dotted(at *node, text string) *node {
	id, attribute, found := strings.Cut(text, ".")
	if !found {
		return at
	}
	part := func(s string) *node { return &node{line: at.line, path: at.path, value: s} }
	return &node{kind: sequence, line: at.line, path: at.path, items: []*node{part(id), part(attribute)}}
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return fmt.Sprintf("%s.%s", path, key)
}
