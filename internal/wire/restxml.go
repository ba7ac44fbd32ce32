package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"plumb/internal/model"
)

// An xmlNode is an element of a body.
type xmlNode struct {
	name     string
	text     []byte
	children []*xmlNode
}

// How many elements a body may have, and how deep they may stand in each other.
const (
	maxXMLElements = 100_000
	maxXMLDepth    = 32
)

// parseXML reads a body into elements.
func parseXML(body []byte) (*xmlNode, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := &xmlNode{}
	at, elements := []*xmlNode{root}, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := at[len(at)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if elements++; elements > maxXMLElements || len(at) > maxXMLDepth {
				return nil, errors.New("there are too many elements, or they stand too deep in each other")
			}
			n := &xmlNode{name: t.Name.Local}
			top.children = append(top.children, n)
			at = append(at, n)
		case xml.EndElement:
			at = at[:len(at)-1]
		case xml.CharData:
			if len(top.children) == 0 {
				top.text = append(top.text, t...)
			}
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("the body has no root element")
	}
	return root.children[0], nil
}

// fillXML fills a structure from an element. What the structure does not have is left out.
func (p *plans) fillXML(n *xmlNode, v reflect.Value) error {
	for _, f := range p.of(v.Type()) {
		if f.place != "" {
			continue
		}
		for _, child := range n.children {
			if child.name != f.query {
				continue
			}
			if err := p.setXML(child, f, v.Field(f.index)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *plans) setXML(n *xmlNode, f field, v reflect.Value) error {
	switch {
	case isScalar(v.Type()):
		if err := setScalar(v, string(n.text), f.time); err != nil {
			return malformedXML(fmt.Errorf("%s: %w", n.name, err))
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return p.fillXML(n, v.Elem())
	case v.Kind() == reflect.Slice && f.flat:
		return p.appendXML(n, f, v)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, len(n.children)))
		for _, item := range n.children {
			if item.name != f.item {
				continue
			}
			if err := p.appendXML(item, f, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *plans) appendXML(n *xmlNode, f field, v reflect.Value) error {
	item := reflect.New(v.Type().Elem()).Elem()
	var err error
	if isScalar(item.Type()) {
		err = p.setXML(n, f, item)
	} else {
		err = p.fillXML(n, item)
	}
	v.Set(reflect.Append(v, item))
	return err
}

// malformedXML is the answer to a body that cannot be read.
func malformedXML(err error) error {
	return model.Errorf(model.Error{Code: "MalformedXML", Status: http.StatusBadRequest}, "The XML you provided was not well-formed: %s", err)
}

// bindXML fills the payload of an input.
func (h *Handler) bindXML(v reflect.Value, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	root, err := parseXML(body)
	if err != nil {
		return malformedXML(err)
	}
	v.Set(reflect.New(v.Type().Elem()))
	return h.plans.fillXML(root, v.Elem())
}

// payloadXML writes the payload of an output, under the name of its member.
func (h *Handler) payloadXML(name, namespace string, v reflect.Value) []byte {
	x := &xmlWriter{plans: &h.plans}
	x.WriteString(xml.Header)
	x.WriteString("<" + name + ` xmlns="` + namespace + `">`)
	x.structure(v.Elem())
	x.close(name)
	return x.Bytes()
}
