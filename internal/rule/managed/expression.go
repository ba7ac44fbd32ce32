package managed

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"plumb/internal/resource/typename"
)

// expressions compiles the CEL of a file, with the file's parameters declared.
func (p *fileParser) expressions(env *cel.Env) {
	env, err := declare(env, p.file.Parameters)
	if err != nil {
		p.fail(p.nodes["parameters"].Line, "declare the parameters: %v", err)
		return
	}
	p.file.applicable = p.compile(env, "applicable")
	p.file.check = p.compile(env, "check")
	p.annotation(env)
}

// declare returns the language with a rule's parameters as variables.
func declare(env *cel.Env, parameters []Parameter) (*cel.Env, error) {
	var declared []cel.EnvOption
	for _, parameter := range parameters {
		if checkKind(parameter.Kind) == nil {
			declared = append(declared, cel.Variable("parameters."+parameter.Name, parameter.celType()))
		}
	}
	return env.Extend(declared...)
}

func (p *fileParser) compile(env *cel.Env, key string) cel.Program {
	node := p.nodes[key]
	if node == nil {
		return nil
	}
	// Without the line break that | leaves, an error at the end is on the last line.
	text := strings.TrimRight(p.text(node, key), "\n")
	checked, err := parse(env, text, cel.BoolType, cel.NullableType(cel.BoolType))
	if err != nil {
		p.explain(node, key, err)
		return nil
	}
	for _, t := range finds(checked) {
		if err := typename.Check(t); err != nil {
			p.fail(node.Line, "%v", err)
		}
		if !slices.Contains(p.file.Finds, t) {
			p.file.Finds = append(p.file.Finds, t)
		}
	}
	program, err := plan(env, checked)
	if err != nil {
		p.explain(node, key, err)
	}
	return program
}

// explain puts the places of CEL's errors into the lines of the file.
func (p *fileParser) explain(node *yaml.Node, key string, err error) {
	var failed *expressionError
	if !errors.As(err, &failed) {
		p.fail(node.Line, "%s: %v", key, err)
		return
	}
	first := node.Line
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		first++ // the text begins on the line after | or >
	}
	for _, e := range failed.issues.Errors() {
		line := first
		if node.Style&yaml.LiteralStyle != 0 {
			line += e.Location.Line() - 1
		}
		p.fail(line, "%s, column %d: %s%s", key, e.Location.Column()+1, e.Message, hint(e.Message))
	}
}

// hint says what to do about the errors that authors meet most.
func hint(message string) string {
	if strings.Contains(message, "undeclared reference to 'parameters") {
		return "; declare it under parameters"
	}
	if strings.Contains(message, "undeclared reference") {
		return "; an item has configuration, supplementaryConfiguration, tags, relationships, " +
			strings.Join(textVariables(), ", ") + "; docs/how-to/managed-rule.md lists the functions"
	}
	return ""
}

// An expressionError is what CEL found wrong with a text.
type expressionError struct{ issues *cel.Issues }

func (e *expressionError) Error() string { return e.issues.String() }

// A template is an annotation: text with ${...} expressions in it.
type template struct{ parts []templatePart }

type templatePart struct {
	text    string
	program cel.Program // instead of text
}

func (p *fileParser) annotation(env *cel.Env) {
	node := p.nodes["annotation"]
	rest := p.text(node, "annotation")
	for rest != "" {
		before, after, found := strings.Cut(rest, "${")
		if before != "" {
			p.file.annotation.parts = append(p.file.annotation.parts, templatePart{text: before})
		}
		if !found {
			return
		}
		end := closing(after)
		if end < 0 {
			p.fail(node.Line, "annotation: ${ is not closed by }")
			return
		}
		program, err := compile(env, "text("+after[:end]+")", cel.StringType)
		if err != nil {
			p.explain(node, "annotation", err)
		}
		p.file.annotation.parts = append(p.file.annotation.parts, templatePart{program: program})
		rest = after[end+1:]
	}
}

// closing returns the index of the brace that ends an expression, or -1.
func closing(s string) int {
	depth := 0
	for i, r := range s {
		switch r {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// render fills the template. A part that fails stays empty: the verdict stands
// without it.
func (t template) render(vars *itemVars) string {
	var b strings.Builder
	for _, part := range t.parts {
		if part.program == nil {
			b.WriteString(part.text)
			continue
		}
		if v, _, err := part.program.Eval(vars); err == nil {
			fmt.Fprint(&b, v.Value())
		}
	}
	return b.String()
}
