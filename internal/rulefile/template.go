package rulefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/template"
	"plumb/internal/textfile"
)

// templateNames are what a folder's template is called.
var templateNames = []string{"template.yaml", "template.yml", "template.json"}

// templateIn returns the rules that the template of a folder declares.
func templateIn(folder string) ([]Rule, error) {
	for _, name := range templateNames {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err == nil {
			return fromTemplate(path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil
}

const ruleType = "AWS::Config::ConfigRule"

// fromTemplate returns the rules that a template declares; none if the file is no
// template.
func fromTemplate(path string) ([]Rule, error) {
	if !slices.Contains(templateNames, filepath.Base(path)) {
		return nil, nil
	}
	text, err := textfile.Read(path)
	if err != nil {
		return nil, err
	}
	t, err := template.Parse(text, template.Options{Stack: true, Authored: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	plan, err := t.Plan(template.Input{Parameters: placeholders(t), Pseudo: map[string]any{
		"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::StackName": "stack",
		"AWS::StackId": "stack", "AWS::URLSuffix": "amazonaws.com", "AWS::NotificationARNs": []any{},
	}, Import: func(name string) (string, error) { return name, nil }})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := declared{path, plan}
	var all []Rule
	for _, r := range plan.Resources() {
		if r.Type != ruleType {
			continue
		}
		one, err := d.rule(r)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, r.Line, r.ID, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// placeholders are values for the parameters that have none.
func placeholders(t *template.Template) map[string]string {
	values := map[string]string{}
	for _, p := range t.Parameters() {
		if p.Default == nil {
			values[p.Name] = "0"
		}
	}
	return values
}

// A declared is a template's plan.
type declared struct {
	path string
	plan *template.Plan
}

// A reference stands for what a resource will be called.
const reference = "resource:"

func (d declared) properties(id string) (map[string]any, error) {
	return d.plan.Properties(id, func(id, _ string) (any, error) { return reference + id, nil })
}

func (d declared) rule(res template.Resource) (Rule, error) {
	p, err := d.properties(res.ID)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Name: name(res.ID), Path: d.path, Line: res.Line}
	if s, ok := p["ConfigRuleName"].(string); ok {
		r.Name = name(s)
	}
	if scope, ok := p["Scope"].(map[string]any); ok {
		list, _ := scope["ComplianceResourceTypes"].([]any)
		for _, t := range list {
			r.Types = append(r.Types, fmt.Sprint(t))
		}
	}
	if m, ok := p["InputParameters"].(map[string]any); ok {
		r.Parameters = map[string]string{}
		for k, v := range m {
			r.Parameters[k] = fmt.Sprint(v)
		}
	} else if s, ok := p["InputParameters"].(string); ok {
		if r.Parameters, err = texts([]byte(s)); err != nil {
			return r, fmt.Errorf("InputParameters: %w", err)
		}
	}
	source, _ := p["Source"].(map[string]any)
	details, _ := source["SourceDetails"].([]any)
	for _, one := range details {
		if m, _ := one.(map[string]any); m["MessageType"] == "ScheduledNotification" {
			if r.Frequency, _ = m["MaximumExecutionFrequency"].(string); r.Frequency == "" {
				r.Frequency = "TwentyFour_Hours"
			}
		}
	}
	identifier, _ := source["SourceIdentifier"].(string)
	switch source["Owner"] {
	case "AWS":
		r.Kind, r.Identifier = Managed, identifier
		return r, nil
	case "CUSTOM_POLICY":
		custom, _ := source["CustomPolicyDetails"].(map[string]any)
		r.Kind = Policy
		r.Text, _ = custom["PolicyText"].(string)
		return r, nil
	case "CUSTOM_LAMBDA":
		id, ok := strings.CutPrefix(identifier, reference)
		if !ok {
			return r, fmt.Errorf("the function %q is not one of this template", identifier)
		}
		return d.function(r, id)
	}
	return r, fmt.Errorf("the owner %v is none of AWS, CUSTOM_LAMBDA, CUSTOM_POLICY", source["Owner"])
}

// function adds the function that a resource of the template is.
func (d declared) function(r Rule, id string) (Rule, error) {
	p, err := d.properties(id)
	if err != nil {
		return r, err
	}
	r.Kind = Function
	r.Handler, _ = p["Handler"].(string)
	r.Runtime, _ = p["Runtime"].(string)
	r.Runtime = served(r.Runtime)
	r.Timeout, r.Memory = count(p["Timeout"]), count(p["MemorySize"])
	if e, ok := p["Environment"].(map[string]any); ok {
		r.Variables = map[string]string{}
		values, _ := e["Variables"].(map[string]any)
		for k, v := range values {
			r.Variables[k] = fmt.Sprint(v)
		}
	}
	folder, ok := p["CodeUri"].(string) // of SAM
	if !ok {
		if folder, ok = p["Code"].(string); !ok { // as "aws cloudformation package" takes it
			folder = ""
			m, _ := p["Code"].(map[string]any)
			if text, ok := p["InlineCode"].(string); ok { // of SAM
				m = map[string]any{"ZipFile": text}
			}
			if text, ok := m["ZipFile"].(string); ok {
				r.inline = map[string]string{inlineFile(r.Runtime): text}
			} else if m["ZipFile"] != nil || m["S3Bucket"] != nil {
				return r, fmt.Errorf("the code of %s is neither in a folder nor in the template: give CodeUri, Code as a path, or its text as ZipFile", id)
			}
		}
	}
	r.Path, r.Line = filepath.Join(filepath.Dir(d.path), filepath.FromSlash(folder)), 0
	if err := r.complete(); err != nil {
		return r, err
	}
	return r.withDefaults(), nil
}

// complete has a function's code say what its declaration does not.
func (r *Rule) complete() error {
	if r.Handler != "" && r.Runtime != "" {
		return nil
	}
	if r.Zipped() || r.inline != nil {
		return fmt.Errorf("the function whose code is in %s needs its handler and its runtime", r.Path)
	}
	found, err := functionFolder(r.Path)
	r.Handler, r.Runtime = orElse(r.Handler, found.Handler), orElse(r.Runtime, found.Runtime)
	return err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// count is a whole number as templates have it.
func count(v any) int {
	n, _ := strconv.Atoi(fmt.Sprint(v))
	return n
}
