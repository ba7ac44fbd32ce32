package resource

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	jpfunctions "github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"go.yaml.in/yaml/v3"
)

// An expression is JMESPath over a resource's document: the members of the resource as the service answered them, and
// beside them "place" (account, region, partition), "answer" (the page or list it came from) and the answers of its calls.
type expression struct {
	text string
	node parsing.ASTNode
}

// functions is the one table of JMESPath's functions. jmespath.Compile makes one for each expression, which costs 94 KB a
// type.
var functions = sync.OnceValue(func() interpreter.FunctionCaller {
	return interpreter.NewFunctionCaller(jpfunctions.GetDefaultFunctions()...)
})

// UnmarshalYAML compiles the expression, so that a file with a mistake does not load.
func (e *expression) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	compiled, err := compile(text, n.Line)
	*e = compiled
	return err
}

// words are the literals of an expression, its names, and its functions with their parenthesis.
var words = regexp.MustCompile("'[^']*'|`[^`]*`|\"[^\"]*\"|\\$?[A-Za-z_][A-Za-z0-9_]*\\(?")

// members are the names of the members that an expression speaks of, for people who read no JMESPath.
func (e *expression) members() (out []string) {
	for _, w := range words.FindAllString(e.text, -1) {
		switch name := strings.Trim(w, `"`); {
		case strings.ContainsAny(w[:1], "'`$"), strings.HasSuffix(w, "("), w == "let", w == "in", slices.Contains(out, name):
		default:
			out = append(out, name)
		}
	}
	return out
}

func compile(text string, line int) (expression, error) {
	node, err := parsing.NewParser().Parse(text)
	if err != nil {
		return expression{}, fmt.Errorf("line %d: %q: %w", line, text, err)
	}
	return expression{text, node}, nil
}

func (e *expression) eval(doc map[string]any) (any, error) {
	v, err := interpreter.NewInterpreter(doc, functions(), nil).Execute(e.node, doc)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", e.text, err)
	}
	return v, nil
}

// orTrue is holds, and true where a form has no expression.
func (e *expression) orTrue(doc map[string]any) (bool, error) {
	if e == nil {
		return true, nil
	}
	return e.holds(doc)
}

// holds says whether the value counts as true in JMESPath: empty things are false.
func (e *expression) holds(doc map[string]any) (bool, error) {
	v, err := e.eval(doc)
	switch v := v.(type) {
	case bool:
		return v, err
	case string:
		return v != "", err
	case []any:
		return len(v) > 0, err
	case map[string]any:
		return len(v) > 0, err
	}
	return v != nil, err
}

// A template is any YAML value whose texts may have {expressions} in them. A text that is one expression and nothing
// else keeps the kind of its value; null inside a longer text is empty.
type template struct{ value any }

// A mixed text is pieces of text and expressions.
type mixed []any

// UnmarshalYAML compiles every text of the value.
func (t *template) UnmarshalYAML(n *yaml.Node) error {
	var v any
	if err := n.Decode(&v); err != nil {
		return err
	}
	var err error
	t.value, err = compileAll(v, n.Line)
	return err
}

func compileAll(v any, line int) (any, error) {
	var err error
	switch v := v.(type) {
	case string:
		return compileText(v, line)
	case []any:
		for i := range v {
			if v[i], err = compileAll(v[i], line); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = compileAll(v[k], line); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// compileText splits at braces. An expression may have braces and quoted braces of its own.
func compileText(s string, line int) (any, error) {
	var parts mixed
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			parts = append(parts, s)
			break
		}
		if open > 0 {
			parts = append(parts, s[:open])
		}
		end := closing(s[open:])
		if end < 0 {
			return nil, fmt.Errorf("line %d: %q: the brace is not closed", line, s)
		}
		text := s[open+1 : open+end]
		e, err := compile(text, line)
		if err != nil {
			return nil, err
		}
		parts = append(parts, &e)
		s = s[open+end+1:]
	}
	return parts, nil
}

// closing finds the brace that ends the expression at the start of s.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// fill returns the value with every expression in its place.
func (t template) fill(doc map[string]any) (any, error) { return fill(t.value, doc) }

func fill(v any, doc map[string]any) (any, error) {
	switch v := v.(type) {
	case mixed:
		return v.fill(doc)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = fill(e, doc); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			var err error
			if out[k], err = fill(e, doc); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func (m mixed) fill(doc map[string]any) (any, error) {
	var b strings.Builder
	for _, part := range m {
		e, ok := part.(*expression)
		if !ok {
			b.WriteString(part.(string))
			continue
		}
		v, err := e.eval(doc)
		if err != nil {
			return nil, err
		}
		if len(m) == 1 {
			return v, nil
		}
		if v != nil {
			fmt.Fprint(&b, v)
		}
	}
	return b.String(), nil
}

// text is fill for values that must come out as text.
func (t template) text(doc map[string]any) (string, error) {
	v, err := t.fill(doc)
	if err != nil || v == nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}
