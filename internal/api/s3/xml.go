package s3

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// A node is an element of a document that is kept as it came, without its
// namespace and blanks.
type node struct {
	name     string
	text     string
	children []*node
}

// maxDepth is deeper than any of S3's documents.
const maxDepth = 24

// parse reads a document whose root must have one of the names.
func parse(body []byte, roots ...string) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*node
	var root *node
	var text []byte // since the last tag
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, malformedXML()
		}
		switch t := tok.(type) {
		case xml.StartElement:
			text = text[:0] // blanks between elements
			n := &node{name: t.Name.Local}
			if len(stack) == maxDepth || (len(stack) == 0 && root != nil) {
				return nil, malformedXML()
			}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, n)
			} else {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack[len(stack)-1].text = string(text)
			text, stack = text[:0], stack[:len(stack)-1]
		case xml.CharData:
			text = append(text, t...)
		case xml.Comment, xml.Directive:
			return nil, malformedXML() // no client sends any, and they cut texts into pieces
		}
	}
	for _, name := range roots {
		if root != nil && root.name == name {
			return root, nil
		}
	}
	return nil, malformedXML()
}

// xml writes the node with S3's namespace on its root.
func (n *node) xml() string {
	var b bytes.Buffer
	b.WriteString("<" + n.name + ` xmlns="` + namespace + `">`)
	n.inner(&b)
	b.WriteString("</" + n.name + ">")
	return b.String()
}

func (n *node) inner(b *bytes.Buffer) {
	if len(n.children) == 0 {
		_ = xml.EscapeText(b, []byte(n.value())) // a Buffer takes everything
		return
	}
	for _, child := range n.children {
		b.WriteString("<" + child.name + ">")
		child.inner(b)
		b.WriteString("</" + child.name + ">")
	}
}

// value is the text of a leaf.
func (n *node) value() string { return strings.TrimSpace(n.text) }

// child returns the first child of a name, or an empty node.
func (n *node) child(names ...string) *node {
	for _, name := range names {
		next := &node{}
		for _, c := range n.children {
			if c.name == name {
				next = c
				break
			}
		}
		n = next
	}
	return n
}

// all returns the children of a name.
func (n *node) all(name string) (out []*node) {
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// set gives n a first child with a text.
func (n *node) set(name, text string) {
	n.children = append([]*node{{name: name, text: text}}, n.children...)
}

func oneOf(s string, values ...string) bool {
	for _, v := range values {
		if s == v {
			return true
		}
	}
	return false
}
