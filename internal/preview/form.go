package preview

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/internal/config"
	"plumb/internal/resource"
)

// A form is a file of planned/: how resources of a type become items.
type form struct {
	Of   string `yaml:"planned"` // the type that is planned: aws_s3_bucket, or a type of CloudFormation
	Type string `yaml:"type"`    // of the item

	// PartOf is set in files of resources that are no items of their own: they add
	// to the item of another planned resource.
	PartOf *partOf `yaml:"part of"`

	Defaults map[string]any                  `yaml:"defaults"` // of attributes that are not given
	Empty    []string                        `yaml:"empty"`    // lists that are empty where they are not written, which plans call unknown
	Settled  map[string]any                  `yaml:"settled"`  // values, at any depth, that a new resource has where they are not written, and that plans call unknown
	JSON     []string                        `yaml:"json"`     // attributes that are JSON in a text
	Name     *resource.Expression            `yaml:"name"`
	ID       *resource.Expression            `yaml:"id"`
	Tags     *resource.Expression            `yaml:"tags"`
	Members  map[string]*resource.Expression `yaml:"members"` // by the path in the item
	Append   map[string]*resource.Expression `yaml:"append"`  // lists and mappings that get more elements
	Examples []example                       `yaml:"examples"`

	file string
}

// A partOf says whose part a planned resource is.
type partOf struct {
	Types []string `yaml:"types"` // that are planned
	By    string   `yaml:"by"`    // the attribute that names the other
	Match []string `yaml:"match"` // attributes of the other that have that value, where it is known
}

// An example is planned resources and the items that they become.
type example struct {
	Name      string           `yaml:"name"`
	Resources []exampleOf      `yaml:"resources"`
	Items     []map[string]any `yaml:"items"`
	Unknown   []string         `yaml:"unknown"` // paths of the first item
}

type exampleOf struct {
	Planned    string         `yaml:"planned"`
	Address    string         `yaml:"address"`
	Attributes map[string]any `yaml:"attributes"`
	Unknown    map[string]any `yaml:"unknown"` // attributes, with the address that they come from
}

// A Catalogue is the files of planned/.
type Catalogue struct {
	forms map[string]*form
	// asWritten reports whether items of a type of CloudFormation have the properties
	// of a template as their configuration.
	asWritten func(resourceType string) bool
}

// Load reads and compiles the files.
func Load(source fs.FS, asWritten func(resourceType string) bool) (*Catalogue, error) {
	c := &Catalogue{forms: map[string]*form{}, asWritten: asWritten}
	files, err := fs.Glob(source, "*/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(source, file)
		if err != nil {
			return nil, err
		}
		f := &form{file: path.Base(file)}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(f); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if c.forms[f.Of] != nil {
			return nil, fmt.Errorf("%s: there is another file for %s", file, f.Of)
		}
		c.forms[f.Of] = f
	}
	return c, nil
}

func (f *form) check() error {
	if f.Of == "" || (f.Type == "") == (f.PartOf == nil) {
		return errors.New("a file needs planned, and either type or part of")
	}
	for member := range f.Members {
		if !strings.HasPrefix(member, "configuration.") && !strings.HasPrefix(member, "supplementaryConfiguration.") {
			return fmt.Errorf("the member %s is neither below configuration nor below supplementaryConfiguration", member)
		}
	}
	return nil
}

// Types are the types that can be read, sorted.
func (c *Catalogue) Types() []string {
	var all []string
	for of := range c.forms {
		all = append(all, of)
	}
	slices.Sort(all)
	return all
}

// A Planned is a planned resource as an item.
type Planned struct {
	Resource
	Item     config.Item
	declared [][]string      // the paths that the files say
	unknown  [][]string      // of these, those whose values are not known
	parts    map[string]bool // the types of those that were added
	// properties is the item that proactive rules judge: what is written in a
	// template is its configuration. Nil for other resources.
	properties *Planned
}

// settle puts the values in that a new resource will have, whatever the plan says.
func (f *form) settle(key string, v any, r Resource) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, inner := range v {
			out[k] = f.settle(k, inner, r)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = f.settle(key, inner, r)
		}
		return out
	case string:
		if value, ok := f.Settled[key]; ok && isUnknown(v) && !r.Written[key] {
			return value
		}
	}
	return v
}

// allTags is Terraform's attribute with the tags of the resource and the provider.
const allTags = "tags_all"

// isNew is the attribute that says that the resource is not there yet.
const isNew = "is_new"

// attributes returns a resource's attributes with the defaults of its form, in the
// form that expressions read.
func (f *form) attributes(r Resource) (map[string]any, error) {
	all := map[string]any{isNew: r.New}
	for k, v := range f.Defaults {
		if v == notKnown {
			v = unknown
		}
		all[k] = v
	}
	for k, v := range r.Attributes {
		if v != nil {
			all[k] = v
		}
	}
	for _, k := range f.Empty {
		if s, ok := all[k].(string); ok && isUnknown(s) && !r.Written[k] {
			all[k] = []any{}
		}
	}
	if r.New {
		for k, v := range all {
			all[k] = f.settle(k, v, r)
		}
	}
	if s, ok := all[allTags].(string); ok && isUnknown(s) && r.Attributes["tags"] == nil {
		all[allTags] = map[string]any{} // the provider leaves out what it has no tags for
	}
	for _, k := range f.JSON {
		s, ok := all[k].(string)
		if !ok || isUnknown(s) || s == "" {
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return nil, fmt.Errorf("%s: %s is no JSON: %w", r.Address, k, err)
		}
		all[k] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	return plain, json.Unmarshal(text, &plain)
}

// value evaluates an expression, whose value is not known if the expression would
// lose that something is not. What an expression does not name it does not read: it
// may ask how many elements there are whose members are not known.
func value(e *resource.Expression, attributes map[string]any) (any, error) {
	if e == nil {
		return nil, nil
	}
	if loses(literals.ReplaceAllString(e.Text(), ""), attributes) {
		return unknown, nil
	}
	v, err := e.Eval(attributes)
	if err != nil {
		return nil, err
	}
	if v == notKnown {
		return unknown, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(text, quotedUnknown) {
		return unknown, nil // it stands in a text that was made of it
	}
	return config.Decode(text)
}

// quotedUnknown is what is not known in JSON that stands in a text.
var quotedUnknown = []byte(`\\u0000` + unknown[1:])

// loses reports whether an expression reads something that is not known and would
// make something known of it: it computes with it, or looks for members in it.
func loses(expression string, attributes map[string]any) bool {
	moving := moves.MatchString(expression)
	for _, name := range names.FindAllString(expression, -1) {
		v, ok := attributes[name]
		if !ok || !isUnknown(v) {
			continue
		}
		reading := `\b%s\b`
		if moving {
			reading = `\b%s\s*[.\[]`
		}
		for _, key := range unknownKeys(v, name) {
			if regexp.MustCompile(fmt.Sprintf(reading, regexp.QuoteMeta(key))).MatchString(expression) {
				return true
			}
		}
	}
	return false
}

// notKnown is what an expression gives where a file says that a value is not known.
const notKnown = "(unknown)"
