package resource

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/internal/awsclient"
)

// GlobalRegion is the awsRegion of items that belong to no region: users and roles, for one. Their place is still the
// one they were read in.
const GlobalRegion = "global"

// A Catalogue knows the resource types that can be read, and the names of all that exist. It does not change.
type Catalogue struct {
	forms  map[string]*form
	known  map[string]bool
	models *awsclient.Models
}

// Info is what a type is to those who do not read it.
type Info struct {
	Type    string
	Service string
	Global  bool // the same in all regions of an account
	Single  bool // Gone asks for the one resource; else it reads the list again, which is all that the service has
}

// Load reads every file of the folder. A file with an unknown key, a wrong expression, or a call, shape, step or type that
// does not exist is an error.
func Load(fsys fs.FS, models *awsclient.Models) (*Catalogue, error) {
	c := &Catalogue{forms: map[string]*form{}, known: map[string]bool{}, models: models}
	names, err := fs.ReadFile(fsys, "types.txt")
	if err != nil {
		return nil, fmt.Errorf("load resource types: %w", err)
	}
	for _, name := range strings.Fields(string(names)) {
		c.known[name] = true
	}
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("load resource types: %w", err)
	}
	for _, file := range files {
		if err := c.read(fsys, file); err != nil {
			return nil, fmt.Errorf("load resource types: %s: %w", file, err)
		}
	}
	return c, nil
}

func (c *Catalogue) read(fsys fs.FS, file string) error {
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return err
	}
	var f form
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return err
	}
	if err := c.check(&f); err != nil {
		return err
	}
	c.forms[f.Type] = &f
	return nil
}

// Types are the types that can be read, in order.
func (c *Catalogue) Types() []Info {
	out := make([]Info, 0, len(c.forms))
	for _, f := range c.forms {
		out = append(out, f.info())
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// Info returns what is known of a type that can be read.
func (c *Catalogue) Info(typ string) (Info, bool) {
	f, ok := c.forms[typ]
	if !ok {
		return Info{}, false
	}
	return f.info(), true
}

func (f *form) info() Info { return Info{f.Type, f.Service, f.Global, f.One != nil || f.Exists != nil} }

// Known says whether AWS Config has a type of that name, whether it can be read here or not.
func (c *Catalogue) Known(typ string) bool { return c.known[typ] }

// Examples are the examples in a type's file.
func (c *Catalogue) Examples(typ string) []Example {
	if f, ok := c.forms[typ]; ok {
		return f.Examples
	}
	return nil
}
