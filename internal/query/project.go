package query

import (
	"maps"
	"slices"
)

// Project returns what is selected of an item, as JSON to encode: the objects that
// the paths lead through, and nothing for what is absent.
func (q *Query) Project(form map[string]any) map[string]any { return q.Projection()(form) }

// Projection returns a Project for many items.
func (q *Query) Projection() func(form map[string]any) map[string]any {
	own := q.part("")
	joined := make([]*branch, len(q.Joins))
	for n, j := range q.Joins {
		joined[n] = q.part(j.Name)
	}
	return func(form map[string]any) map[string]any {
		row := own.row(form)
		for n, j := range q.Joins {
			if part := joined[n].row(partOf(form, j.Name)); len(part) > 0 {
				row[j.Name] = part
			}
		}
		q.addAliased(row, form)
		return row
	}
}

func (q *Query) addAliased(row, form map[string]any) {
	for _, i := range q.Items {
		if i.Alias == "" {
			continue
		}
		one, steps := &branch{}, splitName(i.Property)
		one.add(steps)
		if v := descend(one.row(partOf(form, i.Property.Join)), steps); v != nil {
			row[i.Alias] = v
		}
	}
}

// Wanted returns the paths into the event forms of items that Project reads: of the
// item itself, which has no name, and of the joined ones by their names.
func (q *Query) Wanted() map[string][][]string {
	paths := map[string][][]string{"": {}}
	for _, j := range q.Joins {
		paths[j.Name] = [][]string{}
	}
	for _, i := range q.Items {
		join := i.Property.Join
		switch {
		case i.Star:
			for _, name := range starFields {
				paths[""] = append(paths[""], []string{topLevel[name]})
			}
		case i.Property.Steps[0] == tags, i.Property.Steps[0] == relationships:
			paths[join] = append(paths[join], i.Property.Steps[:1])
		default:
			paths[join] = append(paths[join], i.Property.Steps)
		}
	}
	return paths
}

// part returns what is selected, without another name, of the item itself or of a
// joined one.
func (q *Query) part(join string) *branch {
	want := &branch{}
	for _, i := range q.Items {
		switch {
		case i.Star && join == "":
			for _, name := range starFields {
				want.add([]string{name})
			}
		case !i.Star && i.Alias == "" && i.Property.Join == join:
			want.add(splitName(i.Property))
		}
	}
	return want
}

// row returns what is wanted of an item.
func (b *branch) row(form map[string]any) map[string]any {
	row := map[string]any{}
	for name, inner := range b.members {
		if v, ok := inner.pick(member(form, name)); ok {
			row[name] = v
		}
	}
	return row
}

// descend returns what a path leads to: through a list, of each of its elements.
func descend(v any, steps []string) any {
	if len(steps) == 0 {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		return descend(v[steps[0]], steps[1:])
	case []any:
		var all []any
		for _, e := range v {
			if found := descend(e, steps); found != nil {
				all = append(all, found)
			}
		}
		if all != nil {
			return all
		}
	}
	return nil
}

// splitName returns the steps of a property in its item as results spell them.
func splitName(p Property) []string {
	if len(p.Steps) == 1 {
		return []string{p.own()}
	}
	return append([]string{p.Steps[0]}, resultSteps(p)...)
}

func resultSteps(p Property) []string {
	if p.Steps[0] == relationships {
		return []string{p.own()[len(relationships)+1:]}
	}
	return p.Steps[1:]
}

// member returns a member of an item in the spelling of results.
func member(form map[string]any, name string) any {
	switch name {
	case tags:
		return tagList(form[tags])
	case relationships:
		return relationshipList(form[relationships])
	case stateID:
		if v, ok := ValueOf(form[name]); ok {
			return Property{Name: name}.Show(v)
		}
	}
	if inForm, ok := topLevel[name]; ok {
		return form[inForm]
	}
	return form[name]
}

// Show returns a value of the property as results have it. A state id is a text
// there, as everywhere in the API.
func (p Property) Show(v Value) any {
	if p.own() == stateID && v.Kind == Numeric {
		return v.Number.String()
	}
	return v.JSON()
}

func tagList(all any) any {
	object, _ := all.(map[string]any)
	list := make([]any, 0, len(object))
	for _, k := range slices.Sorted(maps.Keys(object)) {
		v, _ := object[k].(string)
		list = append(list, map[string]any{"key": k, "value": v, "tag": TagMember("tag", k, v)})
	}
	return list
}

func relationshipList(all any) any {
	list, _ := all.([]any)
	out := make([]any, 0, len(list))
	for _, e := range list {
		object, _ := e.(map[string]any)
		r := map[string]any{}
		for name, inForm := range relationshipMembers {
			if v := object[inForm]; v != nil {
				r[name] = v
			}
		}
		out = append(out, r)
	}
	return out
}

// A branch is what is wanted of an object: some members, or without any the whole.
type branch struct {
	whole   bool
	members map[string]*branch
}

func (b *branch) add(steps []string) {
	if len(steps) == 0 {
		b.whole = true
		return
	}
	if b.members == nil {
		b.members = map[string]*branch{}
	}
	if b.members[steps[0]] == nil {
		b.members[steps[0]] = &branch{}
	}
	b.members[steps[0]].add(steps[1:])
}

// pick returns what is wanted of a value; ok is false if nothing of it is there.
func (b *branch) pick(v any) (picked any, ok bool) {
	if b.whole || v == nil {
		return shown(v), v != nil
	}
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, e := range v {
			if p, ok := b.pick(e); ok {
				out = append(out, p)
			}
		}
		return out, len(out) > 0
	case map[string]any:
		out := map[string]any{}
		for name, m := range b.members {
			if p, ok := m.pick(v[name]); ok {
				out[name] = p
			}
		}
		return out, len(out) > 0
	}
	if m := b.members[plainValue]; m != nil && m.whole {
		return map[string]any{plainValue: shown(v)}, true
	}
	return nil, false
}

// shown returns a value with its numbers as results print them, and without members
// that are null.
func shown(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if e != nil {
				out[k] = shown(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = shown(e)
		}
		return out
	case int64, float64:
		n, _ := ValueOf(v)
		return n.Number.JSON()
	}
	return v
}

// Nest puts a value into a result row under the name of a property.
func Nest(row map[string]any, p Property, v any) {
	steps := splitName(p)
	if p.Join != "" {
		steps = append([]string{p.Join}, steps...)
	}
	for _, s := range steps[:len(steps)-1] {
		object, ok := row[s].(map[string]any)
		if !ok {
			object = map[string]any{}
			row[s] = object
		}
		row = object
	}
	row[steps[len(steps)-1]] = v
}
