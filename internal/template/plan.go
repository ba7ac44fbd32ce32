package template

import (
	"slices"
	"strings"
)

// Input is what a template becomes a plan with.
type Input struct {
	Parameters map[string]string
	Pseudo     map[string]any // values of AWS::Region and its like; those that are not here have none
	// Import returns what is exported under a name, for Fn::ImportValue; nil where
	// nothing is.
	Import func(name string) (string, error)
}

// An Attribute returns what a resource is called (for Ref, where attribute is
// empty) or one of its attributes, once it was made.
type Attribute func(id, attribute string) (any, error)

// A Plan is a template with its parameters: what to make.
type Plan struct {
	template   *Template
	parameters map[string]any
	pseudo     map[string]any
	imports    func(name string) (string, error)
	conditions map[string]bool
	order      []Resource
	chosen     map[string]bool // resources whose condition is true
}

// A Resource is one that is to be made.
type Resource struct {
	ID, Type  string
	Line      int
	DependsOn []string // those of the plan that have to be there first
}

// Plan checks parameters and decides by them what is to be made. The error is an
// *Error.
func (t *Template) Plan(in Input) (*Plan, error) {
	p := &Plan{template: t, parameters: map[string]any{}, pseudo: in.Pseudo, imports: in.Import, conditions: map[string]bool{}, chosen: map[string]bool{}}
	if err := p.take(in.Parameters); err != nil {
		return nil, err
	}
	s := p.scope(nil)
	for _, name := range sortedKeys(t.conditions) {
		if _, err := s.condition(name); err != nil {
			return nil, err
		}
	}
	p.choose()
	return p, nil
}

// take checks the parameters that were given, and fills in the defaults.
func (p *Plan) take(given map[string]string) error {
	var wrong problems
	var unknown, missing []string
	for _, name := range sortedKeys(given) {
		if p.template.parameter(name) == nil {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		wrong.add(nil, "Parameters: [%s] do not exist in the template", strings.Join(unknown, ", "))
	}
	for i := range p.template.parameters {
		d := &p.template.parameters[i]
		text, ok := given[d.Name]
		switch {
		case ok:
		case d.Default == nil:
			missing = append(missing, d.Name)
			continue
		default:
			text = *d.Default
		}
		v, err := d.value(text)
		if err != nil {
			wrong.add(d.at, "Parameter '%s' %s", d.Name, err)
		}
		p.parameters[d.Name] = v
	}
	if len(missing) > 0 {
		wrong.add(nil, "Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return wrong.err()
}

// choose puts the resources whose condition is true in order: each after those
// that it depends on, and else as they stand.
func (p *Plan) choose() {
	for _, r := range p.template.resources {
		p.chosen[r.id] = r.condition == "" || p.conditions[r.condition]
	}
	w := p.template.resourceWalk()
	for _, r := range p.template.resources {
		w.visit(r.id)
	}
	for _, id := range w.order {
		if !p.chosen[id] {
			continue
		}
		r := p.template.byID[id]
		out := Resource{ID: id, Type: r.kind, Line: r.at.line}
		for _, u := range r.uses {
			if p.chosen[u.name] && !slices.Contains(out.DependsOn, u.name) {
				out.DependsOn = append(out.DependsOn, u.name)
			}
		}
		p.order = append(p.order, out)
	}
}

// Parameter returns what a reference to a parameter is.
func (p *Plan) Parameter(name string) any { return p.parameters[name] }

// Resources returns what is to be made, each after those that it depends on.
func (p *Plan) Resources() []Resource { return p.order }

// Properties returns the properties of a resource with all functions replaced by
// their values: texts, booleans, json.Number, lists and maps. The error is an
// *Error.
func (p *Plan) Properties(id string, of Attribute) (map[string]any, error) {
	r := p.template.byID[id]
	if r == nil || r.properties == nil {
		return map[string]any{}, nil
	}
	v, err := p.scope(of).value(r.properties)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// Attribute returns another attribute of a resource than its properties, and
// whether it has it.
func (p *Plan) Attribute(id, name string, of Attribute) (any, bool, error) {
	r := p.template.byID[id]
	if r == nil || r.attributes[name] == nil {
		return nil, false, nil
	}
	v, err := p.scope(of).value(r.attributes[name])
	return v, err == nil && v != noValue{}, err
}

// An Output is a value that a template gives back.
type Output struct{ Name, Value, Description, Export string }

// Outputs returns the outputs whose condition is true, in the order of the
// template. The error is an *Error.
func (p *Plan) Outputs(of Attribute) ([]Output, error) {
	var out []Output
	s := p.scope(of)
	for _, o := range p.template.outputs {
		if o.condition != "" && !p.conditions[o.condition] {
			continue
		}
		made := Output{Name: o.name, Description: o.description}
		var err error
		if made.Value, err = s.text(o.value, "The Value of an output"); err != nil {
			return nil, err
		}
		if o.export != nil {
			if made.Export, err = s.text(o.export, "The Name of an export"); err != nil {
				return nil, err
			}
		}
		out = append(out, made)
	}
	return out, nil
}

// Problem returns a problem with a resource's declaration, at the deepest of the
// keys that the template has: Problem("Logs", []string{"Properties", "Name"}, ...).
func (p *Plan) Problem(id string, keys []string, message string) Problem {
	r := p.template.byID[id]
	if r == nil {
		return Problem{Message: message}
	}
	at := r.at
	for _, k := range keys {
		below := at.get(k)
		if below == nil {
			break
		}
		at = below
	}
	return problem(at, "%s", message)
}
