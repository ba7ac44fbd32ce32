package rulefile

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"

	"plumb/internal/config"
	"plumb/internal/report"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/policy"
	"plumb/internal/textfile"
)

// Content returns the text of a policy or a rule file.
func (r Rule) Content() ([]byte, error) {
	if r.Text != "" {
		return []byte(r.Text), nil
	}
	return textfile.Read(r.Path)
}

// InputParameters returns the parameters as AWS Config has them; empty if there
// are none.
func (r Rule) InputParameters() (string, error) {
	if len(r.Parameters) == 0 {
		return "", nil
	}
	text, err := json.Marshal(r.Parameters)
	return string(text), err
}

// With returns the rule with more parameters, which take the place of its own.
func (r Rule) With(parameters map[string]string) Rule {
	if len(parameters) == 0 {
		return r
	}
	own := r.Parameters
	r.Parameters = maps.Clone(parameters)
	for k, v := range own {
		if _, ok := parameters[k]; !ok {
			r.Parameters[k] = v
		}
	}
	return r
}

// Evaluator compiles a rule that this program evaluates. A function is none.
func (r Rule) Evaluator(c *managed.Catalogue) (rule.Evaluator, error) {
	if r.Kind == Function {
		return nil, fmt.Errorf("%s is a function: only a server can evaluate it", r.Name)
	}
	parameters, err := r.InputParameters()
	if err != nil {
		return nil, err
	}
	if r.Kind == Managed {
		return c.Evaluator(r.Identifier, parameters)
	}
	text, err := r.Content()
	if err != nil {
		return nil, err
	}
	if r.Kind == Policy {
		return policy.Compile(config.Rule{Name: filepath.ToSlash(report.Relative(r.Path)), InputParameters: parameters, Source: config.Source{Policy: &config.Policy{Text: string(text)}}})
	}
	file, err := c.ParseFile(r.Path, text)
	if err != nil {
		return nil, err
	}
	return file.Evaluator(parameters)
}
