package report

import (
	"slices"
	"strings"

	"plumb/internal/guard/document"
)

// A layout is how a kind of document lists its resources.
type layout struct {
	root string // the key under which they stand
	code bool   // the lines of the document are quoted

	// describe gives a resource's name and type.
	describe func(v *document.Value) (name, kind string, ok bool)
	// property is how a path within a resource is shown.
	property func(path string) string
}

// template is a CloudFormation template.
var template = layout{
	root: "Resources", code: true,
	describe: func(v *document.Value) (name, kind string, ok bool) {
		t := v.Get("Type")
		if t == nil || t.Kind() != document.String {
			return "", "", false
		}
		return v.Name(), t.Text(), true
	},
	property: func(path string) string { return path },
}

// plan is a Terraform plan as JSON.
var plan = layout{
	root: "resource_changes",
	describe: func(v *document.Value) (name, kind string, ok bool) {
		a := v.Get("address")
		if a == nil || a.Kind() != document.String {
			return "", "", false
		}
		kind, name, ok = strings.Cut(a.Text(), ".")
		return name, kind, ok
	},
	property: func(path string) string {
		_, property, found := strings.Cut(path, "change/after/")
		if !found {
			return path
		}
		return strings.ReplaceAll(property, "/", ".")
	},
}

// A resource is one that something failed on.
type resource struct {
	name, kind, cdkPath string
	failures            map[*failure]bool
}

// byResource writes what failed by the resources that it failed on. It is false if
// something failed that belongs to no resource, and nothing is written then.
func (r *Run) byResource(p *printer, l layout) bool {
	rules := r.failures(r.Result.Record.Children)
	if len(rules) == 0 {
		return true
	}
	resources, ok := r.resources(l, rules)
	if !ok {
		return false
	}
	p.line("Evaluating data %s against rules %s", r.DataName, r.RulesName)
	p.line("Number of non-compliant resources %d", len(resources))
	for _, res := range resources {
		p.line("Resource = %s {", res.name)
		p.line("  %-10s= %s", "Type", res.kind)
		if res.cdkPath != "" {
			p.line("  %-10s= %s", "CDK-Path", res.cdkPath)
		}
		for _, rule := range rules {
			if res.concerns(rule) {
				c := &clausePrinter{p: p, run: r, layout: l, resource: res}
				c.clause("  ", rule)
			}
		}
		p.line("}")
	}
	return true
}

// resources groups failures by resource, ordered by name.
func (r *Run) resources(l layout, rules []*failure) ([]*resource, bool) {
	byValue := map[*document.Value]*resource{}
	var all []*resource
	root := r.Document.Get(l.root)
	for _, rule := range rules {
		for _, f := range rule.leaves() {
			for _, v := range f.values() {
				within, outside := resourceOf(v, root)
				if outside {
					return nil, false
				}
				if within == nil {
					continue
				}
				res := byValue[within]
				if res == nil {
					res = &resource{failures: map[*failure]bool{}, cdkPath: cdkPath(within)}
					var ok bool
					if res.name, res.kind, ok = l.describe(within); !ok {
						return nil, false
					}
					byValue[within] = res
					all = append(all, res)
				}
				res.failures[f] = true
			}
		}
	}
	slices.SortFunc(all, func(a, b *resource) int { return strings.Compare(a.name, b.name) })
	return all, true
}

// values are the places in the document that a failure is about.
func (f *failure) values() []*document.Value {
	var values []*document.Value
	if f.record.From.Value != nil {
		values = append(values, f.record.From.Value)
	}
	if f.kind == binaryFailure && !f.record.InSet && len(f.record.To) > 0 && f.record.From.Missing == nil {
		values = append(values, f.record.To[0].Value)
	}
	return values
}

// resourceOf is the resource that a value stands in. outside tells that the value
// is somewhere in the document where a reader would look for a resource in vain.
func resourceOf(v, root *document.Value) (within *document.Value, outside bool) {
	path := v.Path()
	for ; v != nil; v = v.Parent() {
		if v.Parent() == root {
			return v, false
		}
	}
	return nil, path >= root.Path()
}

// cdkPath is where the CDK made a resource, if it did.
func cdkPath(v *document.Value) string {
	if m := v.Get("Metadata"); m != nil {
		if p := m.Get("aws:cdk:path"); p != nil && p.Kind() == document.String {
			return p.Text()
		}
	}
	return ""
}

func (res *resource) concerns(f *failure) bool {
	return slices.ContainsFunc(f.leaves(), func(leaf *failure) bool { return res.failures[leaf] })
}
