package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/model"
)

// checks writes a check method for every structure that a request can hold and that constrains something, and the rules
// that those methods use.
func (p *packagePlan) checks(t *packageText) error {
	t.use("plumb/internal/model")
	w := &checkWriter{packagePlan: p, t: t, rules: map[string]string{}}
	for _, s := range p.structs {
		if p.inputs[s] && p.constrained(s) {
			if err := w.method(s); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	if w.err != nil {
		return w.err
	}
	t.p("// Rules, one for each shape that constrains its values.\nvar (")
	for _, name := range slices.Sorted(maps.Keys(w.rules)) {
		t.p("%s = &model.Rule{%s}", name, w.rules[name])
	}
	t.p(")")
	return nil
}

// constrained says whether a structure, or anything below it, can break a rule. Recursive shapes are assumed to.
func (p *packagePlan) constrained(s *model.Shape) bool {
	return p.constrains(s, map[*model.Shape]bool{})
}

func (p *packagePlan) constrains(s *model.Shape, seen map[*model.Shape]bool) bool {
	if seen[s] {
		return false
	}
	seen[s] = true
	if len(s.Required) > 0 || ruled(s) {
		return true
	}
	for _, m := range s.Members {
		if p.constrains(m.Shape, seen) {
			return true
		}
	}
	for _, r := range []*model.Ref{s.Member, s.Key, s.Value} {
		if r != nil && p.constrains(r.Shape, seen) {
			return true
		}
	}
	return false
}

func ruled(s *model.Shape) bool {
	return s.Min != nil || s.Max != nil || s.Pattern != "" || len(s.Enum) > 0
}

type checkWriter struct {
	*packagePlan
	t     *packageText
	rules map[string]string
	err   error
}

func (w *checkWriter) method(s *model.Shape) error {
	w.t.p("func (v *%s) check(c *model.Checker) {", w.goName[s.Name])
	for _, m := range s.Members {
		field := "v." + upper(m.Name)
		if s.IsRequired(m.Name) {
			w.t.p("c.Required(%q, %s)", lower(m.Name), absent(&m.Ref, field))
		}
		if w.limits[s] && isPageSize(m) {
			w.t.p("c.PageSize(%q, %s, %s)", lower(m.Name), field, w.rule(&m.Ref))
			continue
		}
		if err := w.value(&m.Ref, lower(m.Name), field); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	w.t.p("}\n")
	return w.err
}

// isPageSize reports whether a member of a request bounds its page.
func isPageSize(m *model.Member) bool {
	return m.Shape.Type == "integer" && (strings.EqualFold(m.Name, "limit") || strings.EqualFold(m.Name, "maxResults"))
}

func absent(r *model.Ref, field string) string {
	if len(r.Shape.Enum) > 0 && r.Shape.Type == "string" {
		return field + ` == ""`
	}
	return field + " == nil"
}

// value writes the checks of one member that is a pointer, an enum, a list or a map.
func (w *checkWriter) value(r *model.Ref, name, field string) error {
	s := r.Shape
	switch {
	case !w.constrained(s):
		return nil
	case s.Type == "structure":
		w.t.p("if %s != nil {\nc.In(%q)\n%s.check(c)\nc.Out()\n}", field, name, field)
	case s.Type == "list":
		return w.list(r, name, field)
	case s.Type == "map":
		return w.mapping(r, name, field)
	case s.Type == "string" && len(s.Enum) > 0:
		w.t.p("c.Enum(%q, string(%s), %s)", name, field, w.rule(r))
	case s.Type == "string":
		w.t.p("c.String(%q, %s, %s)", name, field, w.rule(r))
	case s.Type == "blob":
		w.t.p("c.Blob(%q, %s, %s)", name, field, w.rule(r))
	case s.Type == "integer", s.Type == "long", s.Type == "double", s.Type == "float":
		w.t.p("model.Number(c, %q, %s, %s)", name, field, w.rule(r))
	default:
		return fmt.Errorf("no check for type %s", s.Type)
	}
	return nil
}

func (w *checkWriter) list(r *model.Ref, name, field string) error {
	s, e := r.Shape, r.Shape.Member.Shape
	if e.Type == "string" && ruled(e) {
		w.t.p("model.Strings(c, %q, %s, %s, %s)", name, field, w.rule(r), w.rule(s.Member))
		return nil
	}
	shape := ""
	if e.Type == "structure" {
		shape = e.Name
	}
	if ruled(s) {
		w.t.p("model.List(c, %q, %s, %s, %q)", name, field, w.rule(r), shape)
	}
	if !w.constrained(e) {
		return nil
	}
	w.t.p("for i := range %s {\nc.Item(%q, i)", field, name)
	if err := w.element(s.Member, field+"[i]"); err != nil {
		return err
	}
	w.t.p("c.Out()\n}")
	return nil
}

func (w *checkWriter) mapping(r *model.Ref, name, field string) error {
	s := r.Shape
	v := s.Value.Shape
	if v.Type == "string" {
		w.t.p("model.StringMap(c, %q, %s, %s, %s, %s)", name, field, w.rule(r), w.rule(s.Key), w.rule(s.Value))
		return nil
	}
	if v.Type == "integer" || v.Type == "long" || v.Type == "double" {
		w.t.p("model.NumberMap(c, %q, %s, %s, %s, %s)", name, field, w.rule(r), w.rule(s.Key), w.rule(s.Value))
		return nil
	}
	if ruled(s) {
		w.t.p("model.Map(c, %q, %s, %s)", name, field, w.rule(r))
	}
	if !w.constrained(v) {
		return nil
	}
	w.t.p("for _, k := range model.Keys(%s) {\nc.Entry(%q, k)\ne := %s[k]", field, name, field)
	if err := w.element(s.Value, "e"); err != nil {
		return err
	}
	w.t.p("c.Out()\n}")
	return nil
}

// element writes the checks of an element that is a structure, or a list or map of its own.
func (w *checkWriter) element(r *model.Ref, expr string) error {
	switch r.Shape.Type {
	case "structure":
		w.t.p("%s.check(c)", expr)
		return nil
	case "list":
		return w.list(r, "member", expr)
	case "map":
		return w.mapping(r, "member", expr)
	}
	return fmt.Errorf("no check for elements of type %s", r.Shape.Type)
}

// rule is the Go name of a shape's rule, or nil for a shape that constrains nothing.
func (w *checkWriter) rule(r *model.Ref) string {
	s := r.Shape
	if !ruled(s) {
		return "nil"
	}
	name := "rule" + upper(s.Name)
	if r.Open != "" {
		name += "Open"
	}
	if _, done := w.rules[name]; done {
		return name
	}
	var parts []string
	if s.Min != nil {
		parts = append(parts, "Min: new("+float(*s.Min)+")")
	}
	if s.Max != nil {
		parts = append(parts, "Max: new("+float(*s.Max)+")")
	}
	if s.Pattern != "" {
		parts = append(parts, "Pattern: "+w.pattern(s.Pattern, s.Matches))
	}
	if len(s.Enum) > 0 {
		parts = append(parts, fmt.Sprintf("Enum: []string{%s}", quoted(s.Enum)))
	}
	if r.Open != "" {
		parts = append(parts, "Open: "+w.pattern(r.Open, ""))
	}
	if s.Sensitive {
		parts = append(parts, "Sensitive: true")
	}
	w.rules[name] = strings.Join(parts, ", ")
	return name
}

func (w *checkWriter) pattern(java, matches string) string {
	expr, err := translate(java, matches)
	if err != nil {
		w.err = err
	}
	return fmt.Sprintf("model.NewPattern(%s, %s)", literal(java), literal(expr))
}
