package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// treeOf returns decoded JSON as a tree, objects by their keys. blame returns the
// address that says since when a leaf is as it is; it may be nil.
func treeOf(value any, blame func(path string) string) []branch {
	return branches("", value, blame, 0)
}

// maxTree bounds the members of one object or list that a page shows.
const maxTree = 500

func branches(path string, value any, blame func(string) string, depth int) []branch {
	var out []branch
	add := func(name string, member any) {
		if len(out) < maxTree {
			out = append(out, branchOf(path, name, member, blame, depth))
		}
	}
	total := 0
	switch value := value.(type) {
	case map[string]any:
		total = len(value)
		for _, key := range sortedKeys(value) {
			add(key, value[key])
		}
	case []any:
		total = len(value)
		for i, member := range value {
			add(strconv.Itoa(i), member)
		}
	}
	if total > len(out) {
		out = append(out, branch{Name: "…", Value: fmt.Sprintf("and %d more", total-len(out))})
	}
	return out
}

func branchOf(path, name string, value any, blame func(string) string, depth int) branch {
	full := joined(path, name)
	b := branch{Name: name, Kind: kindOf(value), Value: leaf(value), Open: depth < 2}
	switch value := value.(type) {
	case map[string]any:
		if len(value) > 0 {
			b.Value, b.Children = fmt.Sprintf("{%d}", len(value)), branches(full, value, blame, depth+1)
		}
	case []any:
		if len(value) > 0 {
			b.Value, b.Children = fmt.Sprintf("[%d]", len(value)), branches(full, value, blame, depth+1)
		}
	}
	if blame != nil && b.Children == nil {
		b.Blame = blame(full)
	}
	return b
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case nil:
		return "null"
	case bool:
		return "bool"
	}
	return "number"
}

// leaf writes a value for a line: texts as they are, the rest as JSON.
func leaf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// A graph is a resource with what is next to it, drawn.
type graph struct {
	Width, Height int
	Label         string
	Nodes         []node
	Edges         []edge
}

type node struct {
	Name, Kind, Href, Class    string
	X, Y, W, TX, TY1, TY2, Mid int
}

type edge struct{ X1, Y1, X2, Y2 int }

// Sizes of a graph, in its own units.
const (
	nodeWidth  = 210
	nodeHeight = 34
	nodeGap    = 12
	graphWidth = 560
)

// neighborGraph puts a resource on the left and its neighbors on the right.
func neighborGraph(self node, others []node) graph {
	g := graph{Width: graphWidth, Height: max(1, len(others))*(nodeHeight+nodeGap) + nodeGap, Label: "The resource and what is next to it"}
	place := func(n node, x, y int) node {
		n.X, n.Y, n.W, n.TX, n.TY1, n.TY2, n.Mid = x, y, nodeWidth, x+10, y+14, y+27, y+nodeHeight/2
		return n
	}
	self.Class = strings.TrimSpace("self " + self.Class)
	self = place(self, 6, g.Height/2-nodeHeight/2)
	for i, n := range others {
		n = place(n, graphWidth-nodeWidth-6, nodeGap+i*(nodeHeight+nodeGap))
		g.Nodes = append(g.Nodes, n)
		g.Edges = append(g.Edges, edge{self.X + nodeWidth, self.Mid, n.X, n.Mid})
	}
	g.Nodes = append(g.Nodes, self)
	return g
}

// curveOf draws values from 0 to 100 from left to right.
func curveOf(values []int64, label string) curve {
	c := curve{Width: 600, Height: 70, Label: label}
	if len(values) == 0 {
		return c
	}
	if len(values) == 1 {
		values = []int64{values[0], values[0]}
	}
	var b strings.Builder
	for i, n := range values {
		fmt.Fprintf(&b, "%c%d %d", "ML"[min(i, 1)], i*c.Width/(len(values)-1), c.Height-2-int(n)*(c.Height-4)/100)
	}
	c.Path = b.String()
	c.Area = fmt.Sprintf("%sL%d %dL0 %dZ", c.Path, c.Width, c.Height, c.Height)
	return c
}
