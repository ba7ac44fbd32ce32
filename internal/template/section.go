package template

import (
	"regexp"
	"slices"
)

// sections reads the top of a template.
func (t *Template) sections(root *node, p *problems) {
	if root.kind != mapping {
		p.add(root, "The template must be a mapping with the key Resources, found %s.", root.describe())
		return
	}
	for i, key := range root.keys {
		n := root.items[i]
		switch key {
		case "AWSTemplateFormatVersion":
			if t.declared.Version, _ = n.text(); t.declared.Version != "2010-09-09" {
				p.add(n, "The value of AWSTemplateFormatVersion must be 2010-09-09.")
			}
		case "Description":
			var ok bool
			if t.declared.Description, ok = n.text(); !ok {
				p.add(n, "The Description must be a string, found %s.", n.describe())
			}
		case "Metadata":
			t.metadata = n.json()
		case "Parameters":
			each(n, p, func(name string, n *node) { t.declare(name, n, p) })
		case "Mappings":
			each(n, p, func(name string, n *node) { t.declareMapping(name, n, p) })
		case "Conditions":
			each(n, p, func(name string, n *node) { t.conditions[name] = n })
		case "Resources":
			each(n, p, func(name string, n *node) { t.declareResource(name, n, p) })
		case "Outputs":
			each(n, p, func(name string, n *node) { t.declareOutput(name, n, p) })
		case "Transform", "Rules", "Hooks":
			if t.options.Authored {
				continue
			}
			p.add(n, "The section %s is not supported.", key)
		default:
			p.add(n, "Invalid template property '%s'.", key)
		}
	}
	if len(t.resources) == 0 && len(p.list) == 0 {
		p.add(root, "At least one Resources member must be defined.")
	}
}

var logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

// each calls f with the members of a section, whose names are letters and digits.
func each(n *node, p *problems, f func(name string, n *node)) {
	if n.kind == scalar && n.value == nil {
		return // a heading with nothing below it
	}
	if n.kind != mapping {
		p.add(n, "A mapping of names is wanted, found %s.", n.describe())
		return
	}
	for i, name := range n.keys {
		if !logicalID.MatchString(name) {
			p.add(n.items[i], "The name %q is not valid: names are of up to 255 letters and digits.", name)
			continue
		}
		f(name, n.items[i])
	}
}

// declareMapping checks that a mapping has two levels of keys, and texts or lists
// of texts below them.
func (t *Template) declareMapping(name string, n *node, p *problems) {
	t.mappings[name] = n
	if n.kind != mapping {
		p.add(n, "Every Mappings member must be a mapping, found %s.", n.describe())
		return
	}
	for _, top := range n.items {
		if top.kind != mapping {
			p.add(top, "Every Mappings attribute must be a mapping, found %s.", top.describe())
			continue
		}
		for _, v := range top.items {
			if !plain(v) {
				p.add(v, "Every Mappings value must be a string or a list of strings.")
			}
		}
	}
}

func plain(n *node) bool {
	if n.kind == sequence {
		return !slices.ContainsFunc(n.items, func(i *node) bool { _, ok := i.text(); return !ok })
	}
	_, ok := n.text()
	return ok
}

// resourceAttributes are what a resource may have in every template.
func resourceAttributes() []string {
	return []string{
		"Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
		"UpdatePolicy", "CreationPolicy",
	}
}

func (t *Template) declareResource(id string, n *node, p *problems) {
	r := &resource{id: id, at: n, attributes: map[string]*node{}}
	t.resources, t.byID[id] = append(t.resources, r), r
	if n.kind != mapping {
		p.add(n, "A resource is a mapping with a Type, found %s.", n.describe())
		return
	}
	read := reader{p}
	r.kind, _ = read.text(n, "Type")
	if r.kind == "" {
		p.add(n, "[%s] Every Resources object must contain a Type member.", id)
	}
	r.condition, _ = read.text(n, "Condition")
	for i, key := range n.keys {
		item := n.items[i]
		switch {
		case !slices.Contains(resourceAttributes(), key) && !slices.Contains(t.options.Attributes, key):
			p.add(item, "Invalid template resource property '%s'.", key)
		case key == "DependsOn":
			r.dependsOn = names(item, p)
		case key == "Properties":
			r.properties = item
			if item.kind == scalar && item.value == nil {
				r.properties = nil
			} else if _, _, call := item.function(); item.kind != mapping || call {
				p.add(item, "The Properties must be a mapping, found %s.", item.describe())
			}
		case key != "Type" && key != "Condition":
			r.attributes[key] = item
		}
	}
}

// names reads one name or a list of them.
func names(n *node, p *problems) []reference {
	items := []*node{n}
	if n.kind == sequence {
		items = n.items
	}
	var out []reference
	for _, item := range items {
		s, ok := item.text()
		if !ok {
			p.add(item, "The name of a resource is wanted, found %s.", item.describe())
			continue
		}
		out = append(out, reference{s, item})
	}
	return out
}

func (t *Template) declareOutput(name string, n *node, p *problems) {
	if n.kind != mapping || n.get("Value") == nil {
		p.add(n, "Every Outputs member must contain a Value.")
		return
	}
	o := &output{name: name, at: n, value: n.get("Value")}
	read := reader{p}
	o.description, _ = read.text(n, "Description")
	o.condition, _ = read.text(n, "Condition")
	for i, key := range n.keys {
		switch item := n.items[i]; key {
		case "Value", "Description", "Condition":
		case "Export":
			if o.export = item.get("Name"); o.export == nil {
				p.add(item, "An Export must have a Name.")
			}
		default:
			p.add(item, "Invalid template output property '%s'.", key)
		}
	}
	t.outputs = append(t.outputs, o)
}
