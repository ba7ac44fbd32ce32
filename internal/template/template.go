// Package template reads CloudFormation's templates: YAML or JSON with
// parameters, mappings, conditions, resources and outputs, and the intrinsic
// functions in them.
//
// Parse reads a template and checks all that can be known without values: every
// name that is used is declared, every function has the arguments that it takes,
// nothing leads back to itself. With parameters it becomes a Plan: the resources
// to make, in the order of their dependencies, and their properties. What a
// resource is called once it is made is asked of a func, so a caller can make
// one resource after the other.
//
//	t, err := template.Parse(text, template.Options{})
//	plan, err := t.Plan(template.Input{Parameters: given, Pseudo: pseudo})
//	for _, r := range plan.Resources() {
//		properties, err := plan.Properties(r.ID, made.attribute)
//		...
//	}
//
// The package knows no type of resource: what properties mean is the caller's to
// say, with Plan.Problem for the line. It looks nothing up: what other stacks
// export is asked of a func, too. It keeps nothing. Its errors are an *Error that names
// the line of each Problem.
package template

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Options say what else than CloudFormation's own a template may have.
type Options struct {
	ParameterTypes map[string]Kind // more types of parameters, by their names
	Attributes     []string        // more attributes of a resource beside Properties
	Stack          bool            // it is a stack's: Fn::ImportValue, Fn::GetAZs and transforms can be used
	// Authored is whether it is a stack's as its author has it, before it is packaged:
	// code may lie in folders, and what stacks do not make or check is left as it is.
	Authored bool
	// Values are what parameters and pseudo parameters are, for transforms. Without
	// them a template is read by its defaults.
	Values map[string]string
}

// A Template was read and checked. It is not changed any more, so it may be
// shared.
type Template struct {
	options    Options
	declared   Declared
	metadata   string // JSON
	parameters []Parameter
	mappings   map[string]*node
	conditions map[string]*node
	resources  []*resource
	byID       map[string]*resource
	outputs    []*output
	transforms []string
	processed  string   // JSON
	types      []string // of resources, before the transforms
}

// A resource as it was declared.
type resource struct {
	id, kind   string
	at         *node
	condition  string
	dependsOn  []reference
	properties *node            // nil if there are none
	attributes map[string]*node // those beside Properties, DependsOn and Condition
	uses       []reference      // of other resources in all of it
}

// A reference to a name, and where it stands.
type reference struct {
	name string
	at   *node
}

// An output as it was declared.
type output struct {
	name, description, condition string
	value, export                *node
	at                           *node
}

// Parse reads the text of a template. The error is an *Error.
func Parse(text []byte, o Options) (*Template, error) {
	root, err := read(text)
	if err != nil {
		return nil, err
	}
	t := &Template{options: o, mappings: map[string]*node{}, conditions: map[string]*node{}, byID: map[string]*resource{}}
	if root, err = t.expand(root); err != nil {
		return nil, err
	}
	var p problems
	t.sections(root, &p)
	if err := p.err(); err != nil {
		return nil, err // what follows would complain of what these left out
	}
	t.check(&p)
	return t, p.err()
}

// Parameters returns what the template asks for, in its order.
func (t *Template) Parameters() []Parameter { return t.parameters }

// Declared is what a template says of itself.
type Declared struct{ Version, Description string }

// Declared returns what the template says of itself.
func (t *Template) Declared() Declared { return t.declared }

// A Declaration is a resource as the template has it, whatever its condition.
type Declaration struct {
	ID, Type   string
	Properties []string // the names of those that it sets
}

// Declarations returns all resources, in the order of the template.
func (t *Template) Declarations() []Declaration {
	out := make([]Declaration, len(t.resources))
	for i, r := range t.resources {
		out[i] = Declaration{ID: r.id, Type: r.kind}
		if r.properties != nil {
			out[i].Properties = r.properties.keys
		}
	}
	return out
}

// Same reports whether two texts are the same template, however they are laid
// out. Texts that cannot be read are not.
func Same(a, b []byte) bool {
	x, err := read(a)
	if err != nil {
		return false
	}
	y, err := read(b)
	return err == nil && x.json() == y.json()
}

// Metadata returns the text of the template's section Metadata as JSON, empty if
// it has none.
func (t *Template) Metadata() string { return t.metadata }

// A Problem is one thing that is wrong with a template.
type Problem struct {
	Line    int    // counted from one; 0 if it stands nowhere
	Path    string // Resources.Logs.Properties, empty for the whole
	Message string
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// An Error is what is wrong with a template, in the order of its lines.
type Error struct {
	Problems  []Problem
	Transform string // that refuses the template, if one does
}

func (e *Error) Error() string {
	all := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		all[i] = p.String()
	}
	return strings.Join(all, "; ")
}

// maxProblems is how many problems of a template are named. More are seldom of
// use: the first ones explain the others.
const maxProblems = 20

// problems collects what is wrong.
type problems struct{ list []Problem }

func (p *problems) add(at *node, format string, args ...any) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, problem(at, format, args...))
	}
}

func problem(at *node, format string, args ...any) Problem {
	out := Problem{Message: fmt.Sprintf(format, args...)}
	if at != nil {
		out.Line, out.Path = at.line, at.path
	}
	return out
}

// failure is an Error of one problem.
func failure(at *node, format string, args ...any) error {
	return &Error{Problems: []Problem{problem(at, format, args...)}}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Problems: p.list}
}
