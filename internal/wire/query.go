package wire

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
)

// maxDepth bounds how far a parameter name may nest; the deepest that AWS has is six.
const maxDepth = 16

// A node is a parameter, or what the parameters below a dotted name make together.
type node struct {
	value string
	set   bool
	below map[string]*node
}

// parameters arranges Attributes.entry.1.key and the like as a tree.
func parameters(form url.Values) *node {
	root := &node{}
	for name, values := range form {
		if len(values) == 0 || strings.Count(name, ".") >= maxDepth {
			continue
		}
		at := root
		for part := range strings.SplitSeq(name, ".") {
			if at.below == nil {
				at.below = map[string]*node{}
			}
			if at.below[part] == nil {
				at.below[part] = &node{}
			}
			at = at.below[part]
		}
		at.value, at.set = values[0], true
	}
	return root
}

// items are the children with a number for a name, in the order of the numbers, gaps and all.
func (n *node) items() []*node {
	var numbers []int
	for name := range n.below {
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && strconv.Itoa(i) == name {
			numbers = append(numbers, i)
		}
	}
	slices.Sort(numbers)
	items := make([]*node, len(numbers))
	for i, number := range numbers {
		items[i] = n.below[strconv.Itoa(number)]
	}
	return items
}

// decodeQuery reads the parameters of an awsQuery request into a pointer to an input.
func (p *plans) decodeQuery(form url.Values, into any) error {
	if err := p.fromNode(parameters(form), reflect.ValueOf(into).Elem()); err != nil {
		return model.Errorf(model.Error{Code: "MalformedInput", Status: 400}, "%s", err)
	}
	return nil
}

func (p *plans) fromNode(n *node, v reflect.Value) error {
	for _, f := range p.of(v.Type()) {
		child := n.below[f.query]
		field := v.Field(f.index)
		if f.flat && field.Kind() == reflect.Slice && f.item != "member" {
			child = n.below[f.item] // a flat list goes by the name of its elements
		}
		if child == nil {
			continue
		}
		if err := p.memberFromNode(child, field, f); err != nil {
			return fmt.Errorf("%s: %w", f.query, err)
		}
	}
	return nil
}

func (p *plans) memberFromNode(n *node, v reflect.Value, f field) error {
	switch {
	case isScalar(v.Type()):
		if !n.set {
			return nil
		}
		return setScalar(v, n.value, f.time)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return p.fromNode(n, v.Elem())
	case v.Kind() == reflect.Slice:
		if !f.flat {
			n = n.below[f.item]
		}
		return p.listFromNode(n, v, f)
	case v.Kind() == reflect.Map:
		if !f.flat {
			n = n.below["entry"]
		}
		return p.mapFromNode(n, v, f)
	}
	return p.fromNode(n, v)
}

func (p *plans) listFromNode(n *node, v reflect.Value, f field) error {
	if n == nil {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // "Names=" is an empty list
		return nil
	}
	items := n.items()
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := p.memberFromNode(item, v.Index(i), field{item: "member", mapK: "key", mapV: "value", time: f.time}); err != nil {
			return err
		}
	}
	return nil
}

func (p *plans) mapFromNode(n *node, v reflect.Value, f field) error {
	v.Set(reflect.MakeMap(v.Type()))
	if n == nil {
		return nil
	}
	for _, item := range n.items() {
		key := item.below[f.mapK]
		if key == nil || !key.set {
			return fmt.Errorf("an entry has no %s", f.mapK)
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if below := item.below[f.mapV]; below != nil {
			inner := field{item: "member", mapK: "key", mapV: "value", time: f.time}
			if err := p.memberFromNode(below, value, inner); err != nil {
				return err
			}
		}
		v.SetMapIndex(reflect.ValueOf(key.value), value)
	}
	return nil
}
