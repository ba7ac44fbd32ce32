package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/model"
)

// errors writes a constructor for each exception that an operation of the service can answer.
func (p *packagePlan) errors(t *packageText) error {
	t.use("plumb/internal/model")
	names := map[string]bool{}
	for _, op := range p.ops {
		for _, e := range op.Errors {
			names[e] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		s := p.api.Shapes[name]
		if s == nil {
			return fmt.Errorf("exception %s has no shape", name)
		}
		t.p("// %s is answered by %s.", upper(name), p.answeredBy(name))
		t.p("func %s(format string, args ...any) *model.Error {", upper(name))
		t.p("return model.Errorf(model.Error{%s}, format, args...)\n}\n", kind(s))
	}
	return nil
}

func (p *packagePlan) answeredBy(name string) string {
	var ops []string
	for _, op := range p.ops {
		if slices.Contains(op.Errors, name) {
			ops = append(ops, op.Name)
		}
	}
	if len(ops) > 3 {
		return fmt.Sprintf("%s and %d more operations", ops[0], len(ops)-1)
	}
	return strings.Join(ops, ", ")
}

// kind is everything of an error but its message.
func kind(s *model.Shape) string {
	e := model.ErrorTrait{HTTPStatusCode: 400}
	if s.Error != nil {
		e = *s.Error
	}
	if e.Code == "" {
		e.Code = s.Name
	}
	if e.HTTPStatusCode == 0 {
		e.HTTPStatusCode = 400
	}
	parts := []string{fmt.Sprintf("Code: %q", e.Code)}
	if e.QueryCode != "" {
		parts = append(parts, fmt.Sprintf("QueryCode: %q", e.QueryCode))
	}
	parts = append(parts, fmt.Sprintf("Status: %d", e.HTTPStatusCode))
	if s.Fault || e.HTTPStatusCode >= 500 {
		parts = append(parts, "Fault: true")
	}
	if m := s.Lookup("Message"); m != nil && (m.LocationName == "" || m.LocationName == "Message") {
		parts = append(parts, `MessageKey: "Message"`)
	}
	if s.Lookup("Type") != nil {
		parts = append(parts, "Typed: true")
	}
	return strings.Join(parts, ", ")
}
