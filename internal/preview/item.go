package preview

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/resource"
)

// Items turns resources into items. Those of types that no file in planned/ speaks
// of are returned as others.
func (c *Catalogue) Items(all []Resource) (items []*Planned, others []Resource, err error) {
	byAddress := map[string]*Planned{}
	var errs []error
	for _, r := range all {
		f := c.forms[r.Kind]
		switch {
		case f == nil && strings.Contains(r.Kind, "::") && c.asWritten(r.Kind):
			items = append(items, written(r))
		case f == nil:
			others = append(others, r)
		case f.PartOf == nil:
			p, err := f.item(r)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if strings.Contains(r.Kind, "::") {
				p.properties = written(r)
			}
			items = append(items, p)
			byAddress[r.Address] = p
		}
	}
	var doubts []*form
	for _, r := range all {
		f := c.forms[r.Kind]
		if f == nil || f.PartOf == nil {
			continue
		}
		wholes, told := f.PartOf.find(r, items, byAddress)
		if !told {
			doubts = append(doubts, f)
		}
		if len(wholes) == 0 {
			others = append(others, r) // of something that is not planned here
		}
		for _, whole := range wholes {
			if err := f.add(whole, r); err != nil {
				errs = append(errs, err)
			}
		}
	}
	for _, f := range doubts {
		f.doubt(items)
	}
	return items, others, errors.Join(errs...)
}

// written is a resource of a template with its properties as the configuration: so
// proactive rules read them, and so newer types are recorded.
func written(r Resource) *Planned {
	p := &Planned{Resource: r, declared: [][]string{{"resourceType"}, {"configurationItemStatus"}, {"configuration"}, {"tags"}}}
	p.Item = config.Item{
		ResourceKey: config.ResourceKey{Place: config.Place{Account: noAccount, Region: noRegion}, Type: r.Kind, ID: r.Address},
		Status:      config.StatusDiscovered, Configuration: r.Attributes, Supplementary: map[string]any{}, Tags: tagsOf(r.Attributes["Tags"]),
	}
	p.unknown = unknownPaths(r.Attributes, []string{"configuration"})
	if isUnknown(r.Attributes["Tags"]) {
		p.unknown = append(p.unknown, []string{"tags"})
	}
	return p
}

// tagsOf reads tags in the ways in which Terraform and templates say them.
func tagsOf(v any) map[string]string {
	tags := map[string]string{}
	if m, ok := v.(map[string]any); ok {
		for k, one := range m {
			tags[k] = fmt.Sprint(one)
		}
	}
	list, _ := v.([]any)
	for _, one := range list {
		if m, ok := one.(map[string]any); ok {
			tags[fmt.Sprint(m["Key"])] = fmt.Sprint(m["Value"])
		}
	}
	return tags
}

// The account and region of items that say none: they are not known.
const noAccount, noRegion = "000000000000", "us-east-1"

func (f *form) item(r Resource) (*Planned, error) {
	attributes, err := f.attributes(r)
	if err != nil {
		return nil, err
	}
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: config.Place{Account: noAccount, Region: noRegion}, Type: f.Type, ID: r.Address},
		Status:      config.StatusDiscovered, Configuration: map[string]any{}, Supplementary: map[string]any{}, Tags: map[string]string{},
	}
	p := &Planned{Resource: r, Item: it, declared: [][]string{{"resourceType"}, {"configurationItemStatus"}}}
	if err := p.name(f, attributes); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", f.file, r.Address, err)
	}
	return p, f.fill(p, attributes)
}

// name fills in what stands beside the configuration.
func (p *Planned) name(f *form, attributes map[string]any) error {
	for _, one := range []struct {
		member     string
		expression *resource.Expression
		into       *string
	}{{"resourceName", f.Name, &p.Item.Name}, {"resourceId", f.ID, &p.Item.ID}} {
		if one.expression == nil {
			continue
		}
		v, err := value(one.expression, attributes)
		if err != nil {
			return err
		}
		p.declared = append(p.declared, []string{one.member})
		if s, ok := v.(string); ok && !isUnknown(s) {
			*one.into = s
		} else {
			p.unknown = append(p.unknown, []string{one.member})
		}
	}
	if f.Tags == nil {
		return nil
	}
	v, err := value(f.Tags, attributes)
	if err != nil {
		return err
	}
	p.declared = append(p.declared, []string{"tags"})
	p.Item.Tags = tagsOf(v)
	if isUnknown(v) {
		p.unknown = append(p.unknown, []string{"tags"})
	}
	return nil
}

// fill puts the members of a form into an item.
func (f *form) fill(p *Planned, attributes map[string]any) error {
	for _, member := range slices.Sorted(maps.Keys(f.Members)) {
		v, err := value(f.Members[member], attributes)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", f.file, p.Address, err)
		}
		p.put(strings.Split(member, "."), v)
	}
	for _, member := range slices.Sorted(maps.Keys(f.Append)) {
		v, err := value(f.Append[member], attributes)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", f.file, p.Address, err)
		}
		path := strings.Split(member, ".")
		if have, ok := p.at(path).(map[string]any); ok {
			p.put(path, with(have, v))
			continue
		}
		have, _ := p.at(path).([]any)
		more, isList := v.([]any)
		if !isList && v != nil {
			more = []any{v}
		}
		p.put(path, append(slices.Clone(have), more...))
	}
	return nil
}

// with is a mapping with the members of another one; if that is not known, neither
// is it.
func with(have map[string]any, more any) any {
	m, ok := more.(map[string]any)
	if !ok {
		return more
	}
	all := maps.Clone(have)
	maps.Copy(all, m)
	return all
}

// put sets a member of the item, and keeps whether it is known.
func (p *Planned) put(path []string, v any) {
	p.unknown = slices.DeleteFunc(p.unknown, func(u []string) bool { return hasPrefix(u, path) })
	if !slices.ContainsFunc(p.declared, func(d []string) bool { return slices.Equal(d, path) }) {
		p.declared = append(p.declared, path)
	}
	p.unknown = append(p.unknown, unknownPaths(v, path)...)
	m, _ := p.Item.Configuration.(map[string]any)
	if path[0] == "supplementaryConfiguration" {
		m = p.Item.Supplementary
	}
	for _, member := range path[1 : len(path)-1] {
		inner, ok := m[member].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[member] = inner
		}
		m = inner
	}
	m[path[len(path)-1]] = v
}

func (p *Planned) at(path []string) any {
	var v any = p.Item.Configuration
	if path[0] == "supplementaryConfiguration" {
		v = p.Item.Supplementary
	}
	for _, member := range path[1:] {
		m, _ := v.(map[string]any)
		v = m[member]
	}
	return v
}

func (f *form) add(p *Planned, r Resource) error {
	attributes, err := f.attributes(r)
	if err != nil {
		return err
	}
	if p.parts == nil {
		p.parts = map[string]bool{}
	}
	p.parts[f.Of] = true
	return f.fill(p, attributes)
}

// find returns the items that a resource is a part of, and whether all of them can
// be told.
func (o *partOf) find(r Resource, items []*Planned, byAddress map[string]*Planned) (wholes []*Planned, told bool) {
	list, ok := r.Attributes[o.By].([]any)
	if !ok {
		list = []any{r.Attributes[o.By]}
	}
	told = true
	for _, v := range list {
		p, known := o.one(v, r.References[o.By], items, byAddress)
		if p != nil {
			wholes = append(wholes, p)
		}
		told = told && known
	}
	return wholes, told
}

// one finds by the reference where the name is not known, else by the name. It is not
// known if neither tells.
func (o *partOf) one(v any, references []string, items []*Planned, byAddress map[string]*Planned) (_ *Planned, known bool) {
	for _, from := range append([]string{comesFrom(v)}, references...) {
		if p := byAddress[from]; p != nil && slices.Contains(o.Types, p.Kind) {
			return p, true
		}
	}
	name, ok := v.(string)
	if !ok || isUnknown(name) {
		return nil, false
	}
	for _, p := range items {
		if !slices.Contains(o.Types, p.Kind) {
			continue
		}
		for _, attribute := range o.Match {
			if p.Attributes[attribute] == name {
				return p, true
			}
		}
	}
	return nil, true
}

// doubt has nothing be known of what a part would say, in all that it may be part of.
func (f *form) doubt(items []*Planned) {
	for _, p := range items {
		if !slices.Contains(f.PartOf.Types, p.Kind) || p.parts[f.Of] && len(f.Append) == 0 {
			continue // there is one part of that type
		}
		for _, members := range []iter.Seq[string]{maps.Keys(f.Members), maps.Keys(f.Append)} {
			for member := range members {
				p.unknown = append(p.unknown, strings.Split(member, "."))
			}
		}
	}
}

func hasPrefix(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// Unreadable says why a verdict that reads those paths would be a guess; empty if it
// is none.
func (p *Planned) Unreadable(reads [][]string) string {
	for _, path := range reads {
		if path[0] == "CONFIG_RULE_PARAMETERS" {
			continue
		}
		for _, u := range p.unknown {
			if hasPrefix(path, u) || hasPrefix(u, path) {
				return strings.Join(u, ".") + " is known only after it is applied"
			}
		}
		if !slices.ContainsFunc(p.declared, func(d []string) bool { return hasPrefix(path, d) }) {
			return "it reads " + strings.Join(path, ".") + ", of which a planned " + p.Kind + " says nothing"
		}
	}
	return ""
}
