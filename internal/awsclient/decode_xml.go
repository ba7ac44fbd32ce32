package awsclient

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"plumb/internal/model"
)

// A node is an XML element. Names are without their namespace.
type node struct {
	name     string
	text     string
	attrs    map[string]string
	children []*node
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// parseXML reads one document to its end: half a document is an error, and so is none.
func parseXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *node
	var open []*node
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil && len(open) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the answer is not a whole XML document: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := start(t)
			if len(open) > 0 {
				parent := open[len(open)-1]
				parent.children = append(parent.children, n)
			} else if root != nil {
				return nil, fmt.Errorf("the answer has <%s> behind its document", n.name)
			} else {
				root = n
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			}
		}
	}
}

func start(t xml.StartElement) *node {
	n := &node{name: t.Name.Local}
	for _, a := range t.Attr {
		if n.attrs == nil {
			n.attrs = map[string]string{}
		}
		n.attrs[a.Name.Local] = a.Value
	}
	return n
}

func xmlStructure(shape *model.Shape, n *node) (map[string]any, error) {
	out := map[string]any{}
	for _, m := range shape.Members {
		if m.Location != "" {
			continue
		}
		v, err := xmlMember(m, n)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[m.Name] = v
		}
	}
	return out, nil
}

func xmlMember(m *model.Member, n *node) (any, error) {
	name := orElse(m.LocationName, m.Name)
	if m.XMLAttribute {
		if _, local, ok := cutColon(name); ok {
			name = local
		}
		if s, ok := n.attrs[name]; ok {
			return value(&m.Ref, s)
		}
		return nil, nil
	}
	if flattened(&m.Ref) && (m.Shape.Type == "list" || m.Shape.Type == "map") {
		return xmlFlattened(m, name, n)
	}
	c := n.child(name)
	if c == nil {
		return nil, nil
	}
	v, err := xmlValue(&m.Ref, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func cutColon(s string) (string, string, bool) {
	for i := range len(s) {
		if s[i] == ':' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// xmlFlattened collects the elements that stand beside each other without one around them. A list that has none is
// absent: nothing in the document tells it from an empty one.
func xmlFlattened(m *model.Member, name string, n *node) (any, error) {
	if m.Shape.Type == "list" && m.Shape.Member.LocationName != "" {
		name = m.Shape.Member.LocationName
	}
	around := &node{}
	for _, c := range n.children {
		if c.name == name {
			around.children = append(around.children, c)
		}
	}
	if len(around.children) == 0 {
		return nil, nil
	}
	return xmlValue(&m.Ref, around)
}

func xmlValue(ref *model.Ref, n *node) (any, error) {
	switch ref.Shape.Type {
	case "structure":
		return xmlStructure(ref.Shape, n)
	case "list":
		list := make([]any, 0, len(n.children))
		for _, c := range n.children {
			v, err := xmlValue(ref.Shape.Member, c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case "map":
		return xmlMap(ref.Shape, n)
	}
	return value(ref, n.text)
}

func xmlMap(shape *model.Shape, n *node) (any, error) {
	out := make(map[string]any, len(n.children))
	for _, entry := range n.children {
		key := entry.child(orElse(shape.Key.LocationName, "key"))
		val := entry.child(orElse(shape.Value.LocationName, "value"))
		if key == nil || val == nil {
			return nil, fmt.Errorf("a map entry without key or value")
		}
		v, err := xmlValue(shape.Value, val)
		if err != nil {
			return nil, err
		}
		out[key.text] = v
	}
	return out, nil
}
