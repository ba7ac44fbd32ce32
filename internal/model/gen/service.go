package main

import (
	"fmt"
	"strings"

	"plumb/internal/model"
)

// service writes the registry of the service: one method per operation, which takes its handler.
func (p *packagePlan) service(t *packageText) error {
	t.use("context")
	t.use("plumb/internal/model")
	t.p("// A Service is %s with the operations that have a handler. Bind them before serving.", p.api.Metadata.ServiceFullName)
	t.p("type Service struct{ registry *model.Registry }\n")
	t.p("// NewService has no handlers: every operation answers NotImplementedException.")
	t.p("func NewService() *Service {\nreturn &Service{model.NewRegistry(info(), routes())}\n}\n")
	t.p("// Registry is what the wire serves.")
	t.p("func (s *Service) Registry() *model.Registry { return s.registry }\n")
	for _, op := range p.ops {
		name := upper(op.Name)
		t.p("// %s binds %s.", name, p.route(op))
		t.p("func (s *Service) %s(handle func(context.Context, *%sInput) (*%sOutput, error)) {", name, name, name)
		t.p("model.Bind(s.registry, %q, handle, %s)\n}\n", op.Name, p.checkOf(op))
	}
	p.info(t)
	t.p("func routes() []model.Route {\nreturn []model.Route{")
	for _, op := range p.ops {
		t.p("{%s},", routeLiteral(op))
	}
	t.p("}\n}")
	return nil
}

func (p *packagePlan) route(op *model.Operation) string {
	if p.api.Metadata.Protocol == "rest-json" {
		return op.Method + " " + op.URI
	}
	return "the operation of that name"
}

// checkOf is the check function of an operation's input; an input that constrains nothing has an empty one.
func (p *packagePlan) checkOf(op *model.Operation) string {
	name := upper(op.Name) + "Input"
	if op.Input != nil && p.constrained(op.Input.Shape) {
		return fmt.Sprintf("(*%s).check", name)
	}
	return fmt.Sprintf("func(*%s, *model.Checker) {}", name)
}

func (p *packagePlan) info(t *packageText) {
	m := p.api.Metadata
	t.p("func info() model.Info {\nreturn model.Info{")
	for _, f := range [][2]string{
		{"Name", p.api.Name}, {"Title", m.ServiceFullName}, {"Signing", m.Signing()}, {"Protocol", m.Protocol},
		{"JSONVersion", m.JSONVersion}, {"TargetPrefix", m.TargetPrefix}, {"APIVersion", m.APIVersion},
		{"XMLNamespace", m.XMLNamespace}, {"ValidationCode", m.ValidationCode}, {"ShapePackage", m.ShapePackage},
		{"MalformedCode", m.MalformedCode}, {"MissingCode", m.MissingCode},
	} {
		if f[1] != "" {
			t.p("%s: %q,", f[0], f[1])
		}
	}
	if m.QueryCompatible {
		t.p("QueryCompatible: true,")
	}
	if m.ListNotNull {
		t.p("ListNotNull: true,")
	}
	if m.NoNUL {
		t.p("NoNUL: true,")
	}
	if p.isoTimes() {
		t.p("ISOTimes: true,")
	}
	t.p("}\n}\n")
}

// isoTimes reports whether the bodies of a service have times as text. No service has them in both forms.
func (p *packagePlan) isoTimes() bool {
	if p.api.Metadata.Protocol != "rest-json" {
		return false
	}
	for _, s := range p.api.Shapes {
		if s.Type == "timestamp" && s.TimestampFormat == "iso8601" {
			return true
		}
	}
	return false
}

func routeLiteral(op *model.Operation) string {
	parts := []string{
		fmt.Sprintf("Operation: %q, Method: %q, URI: %q, Status: %d", op.Name, op.Method, op.URI, op.Status),
	}
	if op.Output == nil {
		parts = append(parts, "NoOutput: true")
	} else if op.Output.ResultWrapper != "" {
		parts = append(parts, fmt.Sprintf("ResultWrapper: %q", op.Output.ResultWrapper))
	}
	return strings.Join(parts, ", ")
}
