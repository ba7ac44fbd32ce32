package managed

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"
)

// A Mutant is a rule with one thing broken, or its examples with one parameter
// left out. Examples that all still pass say nothing about that thing.
type Mutant struct {
	What string // for people: check: "Enabled" -> "Enabled~"
	file *File
}

// Survives reports whether every example still passes.
func (m Mutant) Survives() bool {
	for _, e := range m.file.Examples {
		if m.file.Run(e) != nil {
			return false
		}
	}
	return true
}

// Mutants breaks each literal, path and operator of a rule's file in turn, and
// leaves each optional parameter out of the examples. content is what the file
// was parsed from.
func (c *Catalogue) Mutants(f *File, content []byte) ([]Mutant, error) {
	var texts struct{ Applicable, Check string }
	if err := yaml.Unmarshal(content, &texts); err != nil {
		return nil, err
	}
	env, err := c.env()
	if err != nil {
		return nil, err
	}
	if env, err = declare(env, f.Parameters); err != nil {
		return nil, err
	}
	var out []Mutant
	add := func(key, text string, set func(*File, cel.Program)) {
		for _, b := range breaks(text) {
			program, err := compile(env, text[:b.at]+b.with+text[b.at+len(b.what):], cel.BoolType, cel.NullableType(cel.BoolType))
			if err != nil {
				continue // it does not compile: nobody would ship it
			}
			changed := *f
			set(&changed, program)
			out = append(out, Mutant{fmt.Sprintf("%s: %s -> %s", key, b.what, b.with), &changed})
		}
	}
	add("applicable", texts.Applicable, func(f *File, p cel.Program) { f.applicable = p })
	add("check", texts.Check, func(f *File, p cel.Program) { f.check = p })
	for _, p := range f.Parameters {
		if p.Optional && (!p.Ignored || strings.Contains(texts.Applicable+texts.Check, p.Name)) {
			out = append(out, Mutant{"examples without " + p.Name, f.without(p.Name)})
		}
	}
	return out, nil
}

// without returns the file with a parameter left out of every example.
func (f *File) without(name string) *File {
	changed := *f
	changed.Examples = nil
	for _, e := range f.Examples {
		e.Parameters = withoutParameter(e.Parameters, name)
		changed.Examples = append(changed.Examples, e)
	}
	return &changed
}

// withoutParameter leaves a member out of a flat JSON object of texts.
func withoutParameter(parameters, name string) string {
	values := map[string]string{}
	if err := json.Unmarshal([]byte(parameters), &values); err != nil {
		return parameters
	}
	delete(values, name)
	text, err := json.Marshal(values)
	if err != nil {
		return parameters
	}
	return string(text)
}

// A broken part of an expression.
type broken struct {
	at         int
	what, with string
}

var (
	literals = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\b\d+\b|\b(?:true|false)\b`)
	paths    = regexp.MustCompile(`\.([A-Za-z][A-Za-z0-9]*)\b(\s*\()?`)
	symbols  = regexp.MustCompile(`&&|\|\||==|!=|<=|>=|<|>|!`)
)

// breaks returns each way to break one part of an expression. Names of
// parameters stay: leaving them out of the examples asks about them.
func breaks(text string) []broken {
	var out []broken
	inText := make([]bool, len(text))
	for _, at := range literals.FindAllStringIndex(text, -1) {
		what := text[at[0]:at[1]]
		if what[0] == '"' {
			for i := at[0]; i < at[1]; i++ {
				inText[i] = true
			}
		}
		if !strings.HasSuffix(text[:at[0]], "cannotTell(") { // a reason decides nothing
			out = append(out, broken{at[0], what, otherLiteral(what)})
		}
	}
	for _, at := range paths.FindAllStringSubmatchIndex(text, -1) {
		isCall, isParameter := at[4] >= 0, strings.HasSuffix(text[:at[0]], "parameters")
		if !isCall && !isParameter && !inText[at[0]] {
			out = append(out, broken{at[2], text[at[2]:at[3]], text[at[2]:at[3]] + "X"})
		}
	}
	others := map[string]string{"&&": "||", "||": "&&", "==": "!=", "!=": "==", "<=": ">", ">=": "<", "<": ">=", ">": "<=", "!": ""}
	for _, at := range symbols.FindAllStringIndex(text, -1) {
		if what := text[at[0]:at[1]]; !inText[at[0]] {
			out = append(out, broken{at[0], what, others[what]})
		}
	}
	return out
}

func otherLiteral(what string) string {
	switch {
	case what == "true":
		return "false"
	case what == "false":
		return "true"
	case what[0] == '"':
		return `"~` + what[1:]
	}
	return "1" + what
}
