package preview

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Resource is one that is planned, or that a state has.
type Resource struct {
	Address    string
	Kind       string // aws_s3_bucket, or a type of CloudFormation
	Line       int    // in a template
	New        bool   // it is not there yet
	Attributes map[string]any
	References map[string][]string // by attribute: the addresses that its expression reads
	Written    map[string]bool     // the attributes, at any depth, that the configuration has
}

// terraformPlan is what matters here of "terraform show -json" of a plan.
type terraformPlan struct {
	ResourceChanges []struct {
		Address, Mode, Type string
		ModuleAddress       string `json:"module_address"`
		Change              struct {
			Actions      []string
			After        map[string]any
			AfterUnknown map[string]any `json:"after_unknown"`
		}
	} `json:"resource_changes"`
	Configuration struct {
		RootModule terraformModule `json:"root_module"`
	}
}

type terraformModule struct {
	Resources []struct {
		Address     string
		Expressions map[string]json.RawMessage
		ForEach     struct{ References []string } `json:"for_each_expression"`
	}
	ModuleCalls map[string]struct{ Module terraformModule } `json:"module_calls"`
}

// readPlan reads the resources as they will be; those that are destroyed are none.
func readPlan(text []byte) ([]Resource, error) {
	var plan terraformPlan
	if err := json.Unmarshal(text, &plan); err != nil {
		return nil, err
	}
	references, written := map[string]map[string][]string{}, map[string]map[string]bool{}
	plan.Configuration.RootModule.references("", references, written)
	var all []Resource
	for _, c := range plan.ResourceChanges {
		if c.Mode != "managed" || c.Change.After == nil || slices.Equal(c.Change.Actions, []string{"delete"}) {
			continue
		}
		r := Resource{Address: c.Address, Kind: c.Type, Attributes: c.Change.After, New: slices.Contains(c.Change.Actions, "create")}
		instance := c.Address[strings.LastIndex(c.Address, ".")+1:] // with its index
		_, index, _ := strings.Cut(instance, "[")
		if index != "" {
			index = "[" + index
		}
		r.References = resolve(references[withoutIndices(c.Address)], modulePrefix(c.ModuleAddress), index)
		r.Written = written[withoutIndices(c.Address)]
		for k, u := range c.Change.AfterUnknown {
			from := ""
			if refs := r.References[k]; len(refs) > 0 {
				from = refs[0]
			}
			r.Attributes[k] = withUnknown(r.Attributes[k], u, from)
		}
		all = append(all, r)
	}
	return all, nil
}

// withUnknown puts what is not known into a value: true, or a structure with true
// where it is so.
func withUnknown(v, u any, from string) any {
	switch u := u.(type) {
	case bool:
		if u {
			return unknown + from
		}
	case map[string]any:
		m, _ := v.(map[string]any)
		m = maps.Clone(m)
		if m == nil && len(u) > 0 {
			m = map[string]any{}
		}
		for k, inner := range u {
			if w := withUnknown(m[k], inner, from); w != nil {
				m[k] = w
			}
		}
		if m != nil {
			return m
		}
	case []any:
		list, _ := v.([]any)
		list = slices.Clone(list)
		for i, inner := range u {
			if i >= len(list) {
				list = append(list, nil)
			}
			list[i] = withUnknown(list[i], inner, from)
		}
		if list != nil {
			return list
		}
	}
	return v
}

// references collects which addresses the attributes of each resource read.
func (m terraformModule) references(prefix string, all map[string]map[string][]string, written map[string]map[string]bool) {
	for _, r := range m.Resources {
		of, has := map[string][]string{}, map[string]bool{}
		all[prefix+r.Address], written[prefix+r.Address] = of, has
		for attribute, text := range r.Expressions {
			var v any
			if json.Unmarshal(text, &v) == nil {
				addWritten(attribute, v, has)
			}
			var e struct{ References []string }
			if json.Unmarshal(text, &e) != nil {
				continue // a block, whose references are not asked for
			}
			for _, ref := range e.References {
				if strings.HasPrefix(ref, "each.") { // the instance with the same key
					of[attribute] = append(of[attribute], r.ForEach.References...)
				}
			}
			of[attribute] = append(of[attribute], e.References...)
		}
	}
	for name, call := range m.ModuleCalls {
		call.Module.references(prefix+"module."+name+".", all, written)
	}
}

// addWritten notes the names of attributes and blocks.
func addWritten(name string, v any, has map[string]bool) {
	has[name] = true
	blocks, _ := v.([]any)
	for _, b := range blocks {
		m, _ := b.(map[string]any)
		for k, inner := range m {
			addWritten(k, inner, has)
		}
	}
}

func modulePrefix(module string) string {
	if module == "" {
		return ""
	}
	return module + "."
}

// withoutIndices is an address without [0] and ["a"].
func withoutIndices(address string) string {
	var b strings.Builder
	depth := 0
	for _, c := range address {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// resolve turns references into addresses: that of the resource itself, and that of
// the instance with the same index.
func resolve(references map[string][]string, prefix, index string) map[string][]string {
	out := map[string][]string{}
	for attribute, list := range references {
		for _, ref := range list {
			parts := strings.SplitN(ref, ".", 3)
			if len(parts) < 2 || parts[0] == "var" || parts[0] == "local" || parts[0] == "data" || parts[0] == "module" || parts[0] == "each" {
				continue
			}
			address := prefix + parts[0] + "." + withoutIndices(parts[1])
			for _, a := range []string{prefix + parts[0] + "." + parts[1], address + index, address} {
				if !slices.Contains(out[attribute], a) {
					out[attribute] = append(out[attribute], a)
				}
			}
		}
	}
	return out
}

// readShown reads "terraform show -json" of a state.
func readShown(text []byte) ([]Resource, error) {
	type module struct {
		Resources []struct {
			Address, Mode, Type string
			Values              map[string]any
		}
		ChildModules []json.RawMessage `json:"child_modules"`
	}
	var shown struct {
		Values struct {
			RootModule json.RawMessage `json:"root_module"`
		}
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		return nil, err
	}
	var all []Resource
	for todo := []json.RawMessage{shown.Values.RootModule}; len(todo) > 0; todo = todo[1:] {
		var m module
		if len(todo[0]) == 0 {
			continue
		}
		if err := json.Unmarshal(todo[0], &m); err != nil {
			return nil, err
		}
		for _, r := range m.Resources {
			if r.Mode == "managed" {
				all = append(all, Resource{Address: r.Address, Kind: r.Type, Attributes: r.Values})
			}
		}
		todo = append(todo, m.ChildModules...)
	}
	return all, nil
}

// readState reads a state file of version 4.
func readState(text []byte) ([]Resource, error) {
	var state struct {
		Version   int
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				IndexKey   any `json:"index_key"`
				Attributes map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, err
	}
	if state.Version != 4 {
		return nil, fmt.Errorf("the state has version %d; version 4, of Terraform 0.12 and later, is read", state.Version)
	}
	var all []Resource
	for _, r := range state.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			address := modulePrefix(r.Module) + r.Type + "." + r.Name
			switch k := i.IndexKey.(type) {
			case string:
				address += fmt.Sprintf("[%q]", k)
			case float64:
				address += fmt.Sprintf("[%d]", int(k))
			}
			all = append(all, Resource{Address: address, Kind: r.Type, Attributes: i.Attributes})
		}
	}
	return all, nil
}
