package rulefile

import (
	"fmt"
	"path/filepath"
	"strings"

	"plumb/internal/textfile"
)

// Types of Terraform's AWS provider that declare a rule and its function.
const (
	terraformRule     = "aws_config_config_rule"
	terraformFunction = "aws_lambda_function"
	terraformArchive  = "data.archive_file"
)

// terraformIn returns the rules that the .tf files of a folder declare, as one
// module; those of modules that it calls are not read.
func terraformIn(folder string) ([]Rule, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		return nil, err
	}
	declared := false
	for _, f := range files {
		text, err := textfile.Read(f)
		if err != nil {
			return nil, err
		}
		declared = declared || strings.Contains(string(text), terraformRule)
	}
	if !declared {
		return nil, nil
	}
	m, err := readModule(folder, files)
	if err != nil {
		return nil, err
	}
	var all []Rule
	for _, b := range m.named(terraformRule) {
		r, err := m.rule(b)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", b.file, b.line, b.name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (m *module) rule(b block) (Rule, error) {
	v := m.values(b)
	r := Rule{Name: name(b.name), Path: b.file, Line: b.line}
	if s, ok := v["name"].(string); ok {
		r.Name = name(s)
	}
	if scope := first(v["scope"]); scope["compliance_resource_types"] != nil {
		types, ok := scope["compliance_resource_types"].([]any)
		if !ok {
			return r, fmt.Errorf("compliance_resource_types is not known before it is applied")
		}
		for _, t := range types {
			r.Types = append(r.Types, fmt.Sprint(t))
		}
	}
	switch s := v["input_parameters"].(type) {
	case nil:
	case string:
		var err error
		if r.Parameters, err = texts([]byte(s)); err != nil {
			return r, fmt.Errorf("input_parameters: %w", err)
		}
	default:
		return r, fmt.Errorf("input_parameters is not known before it is applied: write tests that give parameters, or a default for its variables")
	}
	source := first(v["source"])
	details, _ := source["source_detail"].([]any)
	for _, d := range details {
		if m, _ := d.(map[string]any); m["message_type"] == "ScheduledNotification" {
			if r.Frequency, _ = m["maximum_execution_frequency"].(string); r.Frequency == "" {
				r.Frequency = "TwentyFour_Hours"
			}
		}
	}
	identifier, _ := source["source_identifier"].(string)
	switch source["owner"] {
	case "AWS":
		r.Kind, r.Identifier = Managed, identifier
		return r, nil
	case "CUSTOM_POLICY":
		r.Kind = Policy
		var ok bool
		if r.Text, ok = first(source["custom_policy_details"])["policy_text"].(string); !ok {
			return r, fmt.Errorf("policy_text is not known before it is applied")
		}
		return r, nil
	case "CUSTOM_LAMBDA":
		f, ok := m.referred(identifier)
		if !ok || f.kind != terraformFunction {
			return r, fmt.Errorf("source_identifier names no %s of this folder", terraformFunction)
		}
		return m.function(r, f)
	}
	return r, fmt.Errorf("the owner %v is none of AWS, CUSTOM_LAMBDA, CUSTOM_POLICY", source["owner"])
}

// function adds the function that a resource of the module is.
func (m *module) function(r Rule, b block) (Rule, error) {
	v := m.values(b)
	r.Kind, r.Line = Function, 0
	r.Handler, _ = v["handler"].(string)
	r.Runtime, _ = v["runtime"].(string)
	r.Runtime = served(r.Runtime)
	r.Timeout, r.Memory = count(v["timeout"]), count(v["memory_size"])
	variables, _ := first(v["environment"])["variables"].(map[string]any)
	for k, value := range variables {
		if r.Variables == nil {
			r.Variables = map[string]string{}
		}
		if s, ok := value.(string); ok { // what is not known is left out
			r.Variables[k] = s
		}
	}
	r, err := m.code(r, b, v)
	if err != nil {
		return r, err
	}
	if err := r.complete(); err != nil {
		return r, err
	}
	return r.withDefaults(), nil
}

// code adds where a function's code is: what Terraform would pack, in preference
// to the zip file that it may have packed some time ago, or a zip file.
func (m *module) code(r Rule, function block, v map[string]any) (Rule, error) {
	filename, ok := v["filename"].(string)
	archive, packs := m.packs(filename)
	if !ok || strings.HasPrefix(filename, reference) && !packs {
		return r, fmt.Errorf("the code of %s is not here: give filename, the path of a zip file or data.archive_file.NAME.output_path", function.name)
	}
	if !packs {
		r.Path = m.path(filename)
		if !r.Zipped() {
			return r, fmt.Errorf("the code of %s is not there: %s is no zip file; build it first", function.name, r.Path)
		}
		return r, nil
	}
	r, err := m.packed(r, m.values(archive))
	if err != nil {
		return r, fmt.Errorf("the archive %s: %w", archive.name, err)
	}
	return r, nil
}

// packed adds the code that an archive_file packs.
func (m *module) packed(r Rule, v map[string]any) (_ Rule, err error) {
	if folder, ok := v["source_dir"].(string); ok {
		r.Path = m.path(folder)
		r.excludes, err = excludesOf(v["excludes"])
		return r, err
	}
	if file, ok := v["source_file"].(string); ok {
		r.Path, r.Files = filepath.Dir(m.path(file)), []string{filepath.Base(file)}
		return r, nil
	}
	r.Path = m.folder
	if text, ok := v["source_content"].(string); ok {
		r.inline, err = inlineSources([]any{map[string]any{"content": text, "filename": v["source_content_filename"]}})
		return r, err
	}
	if blocks, ok := v["source"].([]any); ok {
		r.inline, err = inlineSources(blocks)
		return r, err
	}
	return r, fmt.Errorf("it has no source_dir, no source_file and no source, or they are not known before they are applied")
}

// packs returns the archive_file that makes a zip file, which is named by a reference
// or by its path.
func (m *module) packs(filename string) (block, bool) {
	if b, ok := m.referred(filename); ok {
		return b, b.kind == terraformArchive
	}
	for _, b := range m.named(terraformArchive) {
		if out, ok := m.values(b)["output_path"].(string); ok && m.path(out) == m.path(filename) {
			return b, true
		}
	}
	return block{}, false
}

// first is the only block of its type in another one.
func first(v any) map[string]any {
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil
	}
	m, _ := list[0].(map[string]any)
	return m
}
