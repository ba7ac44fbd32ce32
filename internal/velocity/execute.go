package velocity

import (
	"errors"
	"fmt"
	"maps"
	"strings"
)

// Limits bound an execution.
type Limits struct {
	Steps  int // parts of the template that are run, and rounds
	Output int // bytes, also of a text that is made on the way
}

// Why an execution ended early.
var (
	ErrSteps  = errors.New("the template takes too many steps")
	ErrOutput = errors.New("the template writes too much")
)

// An Object is a value with methods.
type Object interface {
	// Get returns a property; nil if there is none.
	Get(name string) any
	// Call calls a method; ok is false if there is none.
	Call(name string, args []any) (value any, ok bool, err error)
}

type execution struct {
	out    strings.Builder
	values map[string]any
	limits Limits
	steps  int
	left   bool // by #break, which ends the innermost loop
}

// Execute runs a template with values: nil, text, booleans, int64 and float64, []any,
// *Map and Objects.
func (t *Template) Execute(values map[string]any, l Limits) (string, error) {
	x := &execution{values: maps.Clone(values), limits: l}
	if x.values == nil {
		x.values = map[string]any{}
	}
	if err := x.run(t.nodes); err != nil {
		return "", err
	}
	return x.out.String(), nil
}

func (x *execution) step() error {
	if x.steps++; x.steps > x.limits.Steps {
		return ErrSteps
	}
	return nil
}

func (x *execution) run(nodes []node) error {
	for _, n := range nodes {
		if err := x.step(); err != nil {
			return err
		}
		if err := n.run(x); err != nil || x.left {
			return err
		}
	}
	return nil
}

func (x *execution) write(s string) error {
	if x.out.Len()+len(s) > x.limits.Output {
		return ErrOutput
	}
	x.out.WriteString(s)
	return nil
}

func (t text) run(x *execution) error { return x.write(string(t)) }

func (exit) run(x *execution) error {
	x.left = true
	return nil
}

func (r *reference) run(x *execution) error {
	v, err := r.eval(x)
	switch {
	case err != nil:
		return err
	case v != nil:
		s, err := x.text(v)
		if err != nil {
			return err
		}
		return x.write(s)
	case r.quiet:
		return nil
	}
	return x.write(r.source)
}

func (r *reference) eval(x *execution) (any, error) {
	v := x.values[r.name]
	for _, s := range r.steps {
		if v == nil {
			return nil, nil
		}
		if err := x.step(); err != nil {
			return nil, err
		}
		var err error
		if v, err = x.follow(v, s); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (x *execution) follow(v any, s step) (any, error) {
	if s.index != nil {
		i, err := s.index.eval(x)
		if err != nil {
			return nil, err
		}
		return at(v, i), nil
	}
	if !s.call {
		return property(v, s.name), nil
	}
	args := make([]any, len(s.args))
	for i, a := range s.args {
		var err error
		if args[i], err = a.eval(x); err != nil {
			return nil, err
		}
	}
	return x.call(v, s.name, args)
}

func (s set) run(x *execution) error {
	v, err := s.value.eval(x)
	if err != nil {
		return err
	}
	if len(s.target.steps) == 0 {
		x.values[s.target.name] = v
		return nil
	}
	last := len(s.target.steps) - 1
	holder := &reference{name: s.target.name, steps: s.target.steps[:last]}
	to, err := holder.eval(x)
	if err != nil {
		return err
	}
	m, ok := to.(*Map)
	if !ok {
		return nil // nothing is there to be set
	}
	key := any(s.target.steps[last].name)
	if s.target.steps[last].index != nil {
		if key, err = s.target.steps[last].index.eval(x); err != nil {
			return err
		}
	}
	name, err := x.text(key)
	if err != nil {
		return err
	}
	m.Set(name, v)
	return nil
}

func (b branch) run(x *execution) error {
	for i, c := range b.conditions {
		v, err := c.eval(x)
		if err != nil {
			return err
		}
		if truth(v) {
			return x.run(b.bodies[i])
		}
	}
	if len(b.bodies) > len(b.conditions) {
		return x.run(b.bodies[len(b.bodies)-1])
	}
	return nil
}

func (l loop) run(x *execution) error {
	over, err := l.over.eval(x)
	if err != nil {
		return err
	}
	items := elements(over)
	before, outer, count := x.values[l.name], x.values["foreach"], x.values["velocityCount"]
	for i, item := range items {
		if err := x.step(); err != nil {
			return err
		}
		about := NewMap()
		about.Set("index", int64(i))
		about.Set("count", int64(i+1))
		about.Set("hasNext", i+1 < len(items))
		about.Set("first", i == 0)
		about.Set("last", i+1 == len(items))
		if outer != nil {
			about.Set("parent", outer)
		}
		x.values[l.name], x.values["foreach"], x.values["velocityCount"] = item, about, int64(i+1)
		if err := x.run(l.body); err != nil {
			return err
		}
		if x.left {
			x.left = false
			break
		}
	}
	x.values[l.name], x.values["foreach"], x.values["velocityCount"] = before, outer, count
	return nil
}

func (l literal) eval(*execution) (any, error) { return l.value, nil }

func (i interpolated) eval(x *execution) (any, error) {
	inner := &execution{values: x.values, limits: x.limits, steps: x.steps}
	err := inner.run(i.nodes)
	x.steps = inner.steps
	return inner.out.String(), err
}

func (l list) eval(x *execution) (any, error) {
	out := make([]any, len(l.items))
	for i, e := range l.items {
		var err error
		if out[i], err = e.eval(x); err != nil {
			return nil, err
		}
	}
	return &List{out}, x.step()
}

func (s span) eval(x *execution) (any, error) {
	from, err := s.from.eval(x)
	if err != nil {
		return nil, err
	}
	to, err := s.to.eval(x)
	if err != nil {
		return nil, err
	}
	a, ok := whole(from)
	b, ok2 := whole(to)
	if !ok || !ok2 {
		return nil, nil
	}
	by := int64(1)
	if b < a {
		by = -1
	}
	out := &List{}
	for i := a; ; i += by {
		if err := x.step(); err != nil {
			return nil, err
		}
		out.Items = append(out.Items, i)
		if i == b {
			return out, nil
		}
	}
}

func (d dictionary) eval(x *execution) (any, error) {
	out := NewMap()
	for i, k := range d.keys {
		key, err := k.eval(x)
		if err != nil {
			return nil, err
		}
		name, err := x.text(key)
		if err != nil {
			return nil, err
		}
		v, err := d.values[i].eval(x)
		if err != nil {
			return nil, err
		}
		out.Set(name, v)
	}
	return out, x.step()
}

func (u unary) eval(x *execution) (any, error) {
	v, err := u.of.eval(x)
	if err != nil {
		return nil, err
	}
	if u.op == "!" {
		return !truth(v), nil
	}
	switch v := v.(type) {
	case int64:
		return -v, nil
	case float64:
		return -v, nil
	}
	return nil, nil
}

func (b binary) eval(x *execution) (any, error) {
	if err := x.step(); err != nil {
		return nil, err
	}
	left, err := b.left.eval(x)
	if err != nil {
		return nil, err
	}
	if b.op == "&&" && !truth(left) || b.op == "||" && truth(left) {
		return b.op == "||", nil
	}
	right, err := b.right.eval(x)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "&&", "||":
		return truth(right), nil
	case "==", "!=":
		same, err := x.equal(left, right)
		return same == (b.op == "=="), err
	case "<", ">", "<=", ">=":
		return ordered(b.op, left, right), nil
	case "+":
		_, l := left.(string)
		_, r := right.(string)
		if l || r {
			return x.joined(left, right)
		}
	}
	return arithmetic(b.op, left, right), nil
}

func (x *execution) joined(left, right any) (any, error) {
	a, err := x.text(left)
	if err != nil {
		return nil, err
	}
	b, err := x.text(right)
	if err != nil {
		return nil, err
	}
	if len(a)+len(b) > x.limits.Output {
		return nil, ErrOutput
	}
	return a + b, nil
}

func (x *execution) equal(a, b any) (bool, error) {
	if l, ok := number(a); ok {
		if r, ok := number(b); ok {
			return l == r, nil
		}
	}
	if a == nil || b == nil {
		return a == nil && b == nil, nil
	}
	l, err := x.text(a)
	if err != nil {
		return false, err
	}
	r, err := x.text(b)
	if err != nil {
		return false, err
	}
	return l == r, nil
}

// text writes a value, as Java does, within the bound of the output.
func (x *execution) text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	var b strings.Builder
	err := x.print(&b, v, 0)
	return b.String(), err
}

func (x *execution) print(b *strings.Builder, v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("a value is nested more than %d deep", maxDepth)
	}
	if b.Len() > x.limits.Output {
		return ErrOutput
	}
	if err := x.step(); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case *List:
		return x.printList(b, v.Items, depth)
	case *Map:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(k + "=")
			if err := x.print(b, v.values[k], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		b.WriteString(plain(v))
	}
	return nil
}

func (x *execution) printList(b *strings.Builder, items []any, depth int) error {
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := x.print(b, item, depth+1); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}
