package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/model"
)

// types writes the structures. Their tags carry what the wire needs: json the member's name, bind its place outside the
// body, query its spelling on awsQuery and in XML.
func (p *packagePlan) types(t *packageText) error {
	t.p("// Package %s is %s as Go types: inputs, outputs, enums, errors, constraint checks, and the Service that",
		p.name, p.api.Metadata.ServiceFullName)
	t.p("// binds operations to handlers. It is generated, holds no behaviour and stores nothing.")
	doc := t.String()
	t.Reset()
	for _, s := range p.structs {
		if err := p.structure(t, s); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	for _, name := range p.empty {
		t.p("// %s has no members in the model.\ntype %s struct{}\n", name, name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.alias)) {
		t.p("// %s is a shape that other operations share.\ntype %s = %s\n", name, name, p.goName[p.alias[name]])
	}
	t.doc = doc
	return nil
}

func (p *packagePlan) structure(t *packageText, s *model.Shape) error {
	name := p.goName[s.Name]
	t.p("// %s %s.", name, p.describe(s))
	t.p("type %s struct {", name)
	for _, m := range s.Members {
		typ, err := p.goType(t, &m.Ref, true)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		t.p("%s %s %s", upper(m.Name), typ, p.tag(s, m))
	}
	t.p("}\n")
	return nil
}

// describe says in half a sentence where the structure is used.
func (p *packagePlan) describe(s *model.Shape) string {
	for _, op := range p.ops {
		switch {
		case op.Input != nil && op.Input.Shape == s:
			return "is what " + op.Name + " reads"
		case op.Output != nil && op.Output.Shape == s:
			return "is what " + op.Name + " answers"
		}
	}
	if len(s.Required) > 0 {
		return "needs " + strings.Join(s.Required, ", ")
	}
	return "has only optional members"
}

var scalars = map[string]string{
	"string": "string", "integer": "int32", "long": "int64", "float": "float64", "double": "float64",
	"boolean": "bool", "timestamp": "time.Time",
}

// goType is the Go type of a member or an element. Scalars and structures that are members are pointers, so that absent
// and zero differ; elements are values.
func (p *packagePlan) goType(t *packageText, r *model.Ref, member bool) (string, error) {
	star := ""
	if member {
		star = "*"
	}
	s := r.Shape
	switch s.Type {
	case "structure":
		return star + p.goName[s.Name], nil
	case "list":
		element, err := p.goType(t, s.Member, false)
		return "[]" + element, err
	case "map":
		value, err := p.goType(t, s.Value, false)
		return "map[string]" + value, err
	case "blob":
		return "[]byte", nil
	case "timestamp":
		t.use("time")
	}
	if len(s.Enum) > 0 && s.Type == "string" {
		return p.goName[s.Name], nil
	}
	scalar, ok := scalars[s.Type]
	if !ok {
		return "", fmt.Errorf("type %q is not known", s.Type)
	}
	return star + scalar, nil
}

func (p *packagePlan) tag(s *model.Shape, m *model.Member) string {
	var tags []string
	bind := p.bind(s, m)
	if bind == "" {
		absent := "omitzero"
		if m.Shape.Type == "timestamp" {
			absent = "omitempty" // year 1 is a time that clients send, and Go's zero
		}
		tags = append(tags, fmt.Sprintf(`json:"%s,%s"`, p.spelling(m), absent))
	} else {
		tags = append(tags, `json:"-"`, fmt.Sprintf(`bind:"%s"`, bind))
	}
	if q := p.query(m); q != "" {
		tags = append(tags, fmt.Sprintf(`query:"%s"`, q))
	}
	for _, f := range []string{m.TimestampFormat, m.Shape.TimestampFormat} {
		if f != "" {
			tags = append(tags, fmt.Sprintf(`time:"%s"`, f))
			break
		}
	}
	return "`" + strings.Join(tags, " ") + "`"
}

// spelling is a member's name in a JSON body.
func (p *packagePlan) spelling(m *model.Member) string {
	if p.api.Metadata.Protocol == "rest-json" && m.LocationName != "" {
		return m.LocationName
	}
	return m.Name
}

// bind names the place of a member outside the body.
func (p *packagePlan) bind(s *model.Shape, m *model.Member) string {
	name := m.LocationName
	if name == "" {
		name = m.Name
	}
	switch m.Location {
	case "uri", "header", "headers":
		return m.Location + ":" + name
	case "querystring":
		return "query:" + name
	case "statusCode":
		return "status"
	}
	if s.Payload == m.Name {
		return "payload"
	}
	return ""
}

// query spells a member on awsQuery and in XML where that is not simply its name: name, then flat, item=, key=, value=.
func (p *packagePlan) query(m *model.Member) string {
	meta := p.api.Metadata
	if meta.Protocol != "query" && meta.Protocol != "rest-xml" && !meta.QueryCompatible {
		return ""
	}
	name := ""
	for _, n := range []string{m.QueryName, m.LocationName} {
		if n != "" && n != m.Name && name == "" {
			name = n
		}
	}
	parts := []string{name}
	if m.Flattened || m.Shape.Flattened {
		parts = append(parts, "flat")
	}
	for key, r := range map[string]*model.Ref{"item": m.Shape.Member, "key": m.Shape.Key, "value": m.Shape.Value} {
		if r != nil && r.LocationName != "" {
			parts = append(parts, key+"="+r.LocationName)
		}
	}
	slices.Sort(parts[1:])
	return strings.TrimSuffix(strings.Join(parts, ","), ",")
}
