package resource

import (
	"fmt"
	"slices"

	"plumb/internal/model"
)

// Names in a document that are not the service's.
var reserved = []string{"place", "answer", "element", "id", "name", "arn"}

// check holds a form against the names that exist.
func (c *Catalogue) check(f *form) error {
	if f.List.Each == nil || f.Identity.ID.value == nil {
		return fmt.Errorf("list.each and identity.id are needed")
	}
	if err := f.checkLists(); err != nil {
		return err
	}
	seen := slices.Clone(reserved)
	for _, k := range slices.Concat(f.Parents, f.Calls) {
		if k.As == "" || slices.Contains(seen, k.As) {
			return fmt.Errorf("call %s needs a name of its own in \"as\"", k.Call)
		}
		seen = append(seen, k.As)
	}
	return c.checkRelations(f)
}

// checkLists holds the calls that list against what a reader makes of them.
func (f *form) checkLists() error {
	for i, k := range append(slices.Clone(f.Parents), f.List) {
		if len(k.Gone) > 0 && i == 0 || len(k.Missing) > 0 {
			return fmt.Errorf("an error of the list is never an answer: no gone and no missing, and off only for a service that is not in use")
		}
		if k.Each == nil {
			return fmt.Errorf("%s: each is needed", k.Call)
		}
	}
	if len(f.Parents) > 0 && f.One == nil {
		return fmt.Errorf("a type with parents needs one: its list is many calls")
	}
	return nil
}

// checkModel holds a form against the model of its service.
func (c *Catalogue) checkModel(f *form) error {
	for _, k := range f.calls() {
		api, err := c.models.API(k.service(f))
		if err != nil {
			return err
		}
		if api.Operations[k.Call] == nil {
			return fmt.Errorf("call %q is not an operation of the %s model", k.Call, api.Name)
		}
	}
	api, err := c.models.API(f.Service)
	if err != nil {
		return err
	}
	if err := checkBody(api, f.Configuration); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for name, b := range f.Supplementary {
		if err := checkBody(api, b); err != nil {
			return fmt.Errorf("supplementary %s: %w", name, err)
		}
	}
	return nil
}

// calls returns every call of a form.
func (f *form) calls() []call {
	all := slices.Concat(f.Parents, []call{f.List}, f.Calls)
	for _, k := range []*call{f.One, f.Exists} {
		if k != nil {
			all = append(all, *k)
		}
	}
	return all
}

func checkBody(api *model.API, b body) error {
	if b.Shape != "" && api.Shapes[b.Shape] == nil {
		return fmt.Errorf("shape %q is not in the model", b.Shape)
	}
	if _, ok := spellings[b.Keys]; b.Shape != "" && !ok {
		return fmt.Errorf("keys are bean, jackson, pascal or same, not %q", b.Keys)
	}
	for name := range b.Rename {
		if b.Shape == "" || api.Shapes[b.Shape].Lookup(name) == nil {
			return fmt.Errorf("rename: %q is not a member of the shape %q", name, b.Shape)
		}
	}
	if b.Shape != "" && b.Unset != "null" && b.Unset != "omit" {
		return fmt.Errorf("unset is null or omit, not %q", b.Unset)
	}
	for _, name := range b.Steps {
		if steps[name] == nil {
			return fmt.Errorf("there is no step %q", name)
		}
	}
	return nil
}

func (c *Catalogue) checkRelations(f *form) error {
	for _, r := range f.Relationships {
		if !c.Known(r.Type) {
			return fmt.Errorf("relationship to %q, which is not in types.txt and has no file", r.Type)
		}
		if r.Name == "" || r.To == nil {
			return fmt.Errorf("relationship to %s: name and to are needed", r.Type)
		}
	}
	return nil
}
