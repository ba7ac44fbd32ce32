package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Flavour is how plain YAML words become values. The original reads templates
// and test files with two different readers, and rules depend on the difference.
type Flavour uint8

const (
	// Template is how data files are read: yes, no, on, off, y and n are booleans,
	// an empty value is an empty string, aliases are refused.
	Template Flavour = iota
	// Core is YAML 1.2's core schema, in which test files and json_parse are read.
	Core
)

// maxNodes bounds what aliases can blow a document up to.
const maxNodes = 2_000_000

// ErrEmpty is what Parse answers when the text holds no value.
var ErrEmpty = errors.New("the document is empty")

// Parse reads the first document of a YAML or JSON text. CloudFormation's short
// forms become their long ones: !Sub x is {"Fn::Sub": "x"}.
func Parse(text []byte, flavour Flavour) (*Value, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, ErrEmpty
	}
	if looksLikeJSON(text) {
		if v, err := parseJSON(text); err == nil {
			return v, nil
		}
		// What is almost JSON is often YAML: comments, trailing commas, short forms.
	}
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&root); err != nil {
		return nil, fmt.Errorf("reading document: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return fromNode(&root, flavour)
}

func fromNode(root *yaml.Node, flavour Flavour) (*Value, error) {
	if root.Kind == yaml.DocumentNode {
		if len(root.Content) == 0 {
			return nil, ErrEmpty
		}
		root = root.Content[0]
	}
	r := reader{flavour: flavour}
	return r.value(root, 0)
}

// A reader turns YAML's nodes into values.
type reader struct {
	flavour Flavour
	nodes   int
}

// value reads a node, and puts what its tag stands for around it.
func (r *reader) value(n *yaml.Node, depth int) (*Value, error) {
	if r.nodes++; depth > maxNesting || r.nodes > maxNodes {
		return nil, fmt.Errorf("line %d: document is nested too deeply or too large", n.Line)
	}
	v, err := r.bare(n, depth)
	if err != nil {
		return nil, err
	}
	v.at = at(n)
	if long := r.longForm(n); long != "" {
		whole := NewMap([]Key{{Name: long, At: at(n)}}, []*Value{v})
		whole.at = at(n)
		return whole, nil
	}
	return v, nil
}

// bare is the value without what its tag would make of it.
func (r *reader) bare(n *yaml.Node, depth int) (*Value, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		return r.sequence(n, depth)
	case yaml.AliasNode:
		if r.flavour == Template || n.Alias == nil {
			return nil, fmt.Errorf("line %d: YAML aliases are not supported", n.Line)
		}
		return r.value(n.Alias, depth+1)
	default:
		return r.scalar(n)
	}
}

func (r *reader) sequence(n *yaml.Node, depth int) (*Value, error) {
	elements := make([]*Value, len(n.Content))
	for i, c := range n.Content {
		v, err := r.value(c, depth+1)
		if err != nil {
			return nil, err
		}
		elements[i] = v
	}
	return NewList(elements), nil
}

// mapping reads a map. YAML allows any value as a key; a path could not name it.
func (r *reader) mapping(n *yaml.Node, depth int) (*Value, error) {
	keys := make([]Key, 0, len(n.Content)/2)
	values := make([]*Value, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := r.value(n.Content[i], depth+1)
		if err != nil {
			return nil, err
		}
		if k.kind != String {
			return nil, fmt.Errorf("line %d, column %d: a key must be a string, found %s %s (put it in quotes)",
				k.at.Line, k.at.Column, k.kind, k.Literal())
		}
		v, err := r.value(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		keys, values = append(keys, Key{Name: k.text, At: k.at}), append(values, v)
	}
	return NewMap(keys, values), nil
}

func at(n *yaml.Node) Pos { return Pos{Line: n.Line, Column: n.Column} }
