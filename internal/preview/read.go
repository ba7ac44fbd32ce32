package preview

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"plumb/internal/template"
)

// Options are what a file does not say.
type Options struct {
	Parameters map[string]string // of a template
}

// A File is what was read, and how it is called.
type File struct {
	Path      string
	What      string // a Terraform plan, a Terraform state, a template
	Resources []Resource
}

// Read reads a plan, a state or a template; which it is, the text says.
func Read(path string, text []byte, o Options) (File, error) {
	f := File{Path: path}
	var err error
	var members map[string]json.RawMessage
	isJSON := json.Unmarshal(text, &members) == nil
	switch {
	case isJSON && members["resource_changes"] != nil || isJSON && members["planned_values"] != nil:
		f.What = "Terraform plan"
		f.Resources, err = readPlan(text)
	case isJSON && members["terraform_version"] != nil && members["version"] != nil:
		f.What = "Terraform state"
		f.Resources, err = readState(text)
	case isJSON && members["format_version"] != nil:
		f.What = "Terraform state"
		f.Resources, err = readShown(text)
	case isJSON && members["Resources"] == nil:
		err = errors.New("it is neither a plan or state of Terraform as \"terraform show -json\" prints it, nor a template with Resources")
	default:
		f.What = "template"
		f.Resources, err = readTemplate(text, o)
		if ending := filepath.Ext(path); err != nil && !isJSON && (ending == ".json" || ending == ".tfstate") {
			err = notJSON(text, err)
		}
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// notJSON says where a file that is called JSON is none, which it was not read as;
// otherwise it returns err.
func notJSON(text []byte, err error) error {
	var v any
	wrong, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(text, &v))
	if !ok {
		return err
	}
	return fmt.Errorf("line %d: JSON not well-formed: %w", 1+bytes.Count(text[:min(int(wrong.Offset), len(text))], []byte("\n")), wrong)
}

// pseudo are the values of AWS::Region and its like: which account and region it
// will be is not known.
func pseudo() map[string]any {
	return map[string]any{
		"AWS::Region": unknown + "AWS::Region", "AWS::AccountId": unknown + "AWS::AccountId", "AWS::Partition": unknown + "AWS::Partition",
		"AWS::StackName": unknown + "AWS::StackName", "AWS::StackId": unknown + "AWS::StackId", "AWS::URLSuffix": unknown + "AWS::URLSuffix",
		"AWS::NotificationARNs": []any{},
	}
}

// readTemplate reads the resources that a template makes. A parameter without a value
// is not known.
func readTemplate(text []byte, o Options) ([]Resource, error) {
	t, err := template.Parse(text, template.Options{Stack: true, Authored: true, Values: o.Parameters})
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for k, v := range o.Parameters {
		given[k] = v
	}
	for _, p := range t.Parameters() {
		if _, ok := given[p.Name]; !ok && p.Default == nil {
			return nil, fmt.Errorf("the parameter %s has no value: give --parameter %s=VALUE", p.Name, p.Name)
		}
	}
	plan, err := t.Plan(template.Input{Parameters: given, Pseudo: pseudo(), Import: func(name string) (string, error) { return unknown + name, nil }})
	if err != nil {
		return nil, err
	}
	var all []Resource
	for _, r := range plan.Resources() {
		properties, err := plan.Properties(r.ID, func(id, _ string) (any, error) { return unknown + id, nil })
		if err != nil {
			return nil, err
		}
		all = append(all, Resource{Address: r.ID, Kind: r.Type, Line: r.Line, Attributes: properties, New: true})
	}
	return all, nil
}
