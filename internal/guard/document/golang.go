package document

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// FromGo takes a decoded value: nil, bool, string, the integers and floats,
// json.Number, []any and map[string]any, in any nesting.
//
// A float64 without a fraction becomes an integer, because encoding/json decodes
// every number to float64. json.Number keeps what was written.
func FromGo(x any) (*Value, error) {
	var n slab
	if err := n.count(x, 0); err != nil {
		return nil, err
	}
	n.values = make([]Value, n.nodes)
	n.names = make([]Key, n.entries)
	root := n.take(1)
	if err := n.fill(&root[0], x); err != nil {
		return nil, err
	}
	return &root[0], nil
}

// maxNesting bounds how deep a document may go, so that nothing that walks it can
// run out of stack.
const maxNesting = 1000

// A slab is the room for a whole document, taken in two allocations.
type slab struct {
	nodes, entries int
	values         []Value
	names          []Key
}

// count measures how much room a value takes. Lists and maps count their children, so
// that only the root counts itself.
func (n *slab) count(x any, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("document is nested more than %d deep", maxNesting)
	}
	if depth == 0 {
		n.nodes++
	}
	switch x := x.(type) {
	case []any:
		n.nodes += len(x)
		for _, e := range x {
			if err := n.count(e, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		n.nodes += len(x)
		n.entries += len(x)
		for _, e := range x {
			if err := n.count(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *slab) take(count int) []Value {
	t := n.values[:count:count]
	n.values = n.values[count:]
	return t
}

// fill writes a value into its place. The children of a list or map lie side by side.
func (n *slab) fill(v *Value, x any) error {
	switch x := x.(type) {
	case []any:
		v.kind, v.items = List, n.take(len(x))
		for i, e := range x {
			if err := n.fill(&v.items[i], e); err != nil {
				return err
			}
		}
		v.link()
	case map[string]any:
		return n.fillMap(v, x)
	default:
		return fillScalar(v, x)
	}
	return nil
}

// fillMap sorts the keys, so that the same document always gives the same results
// in the same order.
func (n *slab) fillMap(v *Value, x map[string]any) error {
	v.kind, v.sorted = Map, true
	v.keys = n.names[:0:len(x)]
	n.names = n.names[len(x):]
	for k := range x {
		v.keys = append(v.keys, Key{Name: k})
	}
	slices.SortFunc(v.keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	v.items = n.take(len(x))
	for i, k := range v.keys {
		if err := n.fill(&v.items[i], x[k.Name]); err != nil {
			return err
		}
	}
	v.link()
	return nil
}

// fillScalar writes what has no children.
func fillScalar(v *Value, x any) error {
	switch x := x.(type) {
	case nil:
		v.kind = Null
	case string:
		v.kind, v.text = String, x
	case bool:
		v.kind = Bool
		if x {
			v.num = 1
		}
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			v.setInt(int64(x))
		} else {
			v.setFloat(x)
		}
	case float32:
		return fillScalar(v, float64(x))
	case int:
		v.setInt(int64(x))
	case int64:
		v.setInt(x)
	case int32:
		v.setInt(int64(x))
	case json.Number:
		return fillNumber(v, x)
	default:
		return fmt.Errorf("a document cannot hold a %T", x)
	}
	return nil
}

// fillNumber keeps an integer an integer, and 1.0 a float.
func fillNumber(v *Value, x json.Number) error {
	if i, err := x.Int64(); err == nil {
		v.setInt(i)
		return nil
	}
	f, err := x.Float64()
	if err != nil {
		return fmt.Errorf("reading number: %w", err)
	}
	v.setFloat(f)
	return nil
}

func (v *Value) setInt(i int64) { v.kind, v.num = Int, uint64(i) }

func (v *Value) setFloat(f float64) { v.kind, v.num = Float, math.Float64bits(f) }
