package resource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/internal/awsclient"
)

// GlobalRegion is the awsRegion of items that belong to no region: users and roles, for one. Their place is still the
// one they were read in.
const GlobalRegion = "global"

// A Catalogue knows the resource types that can be read, and the names of all that exist. It does not change.
type Catalogue struct {
	fsys   fs.FS
	forms  map[string]*form
	known  map[string]bool // to AWS Config
	models *awsclient.Models
}

// Info is what a type is to those who do not read it.
type Info struct {
	Type    string
	Service string
	Poll    time.Duration // between two readings; 0: as the settings say
	Global  bool          // the same in all regions of an account
	Single  bool          // Gone asks for the one resource; else it reads the list again, which is all that the service has
}

// Load reads the form in every file of the folder. A file with an unknown key, a wrong expression, or a type that
// does not exist is an error. What a form says of its service's model is checked by Verify, and before the type is first
// read: to load every model would cost a start ten times as much.
func Load(fsys fs.FS, models *awsclient.Models) (*Catalogue, error) {
	c := &Catalogue{fsys: fsys, forms: map[string]*form{}, known: map[string]bool{}, models: models}
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
	for _, f := range c.forms { // once all are there: a relationship may lead to any
		if err := c.checkRelations(f); err != nil {
			return nil, fmt.Errorf("load resource types: %s: %w", f.file, err)
		}
	}
	return c, nil
}

func (c *Catalogue) read(fsys fs.FS, file string) error {
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return err
	}
	f := form{file: file}
	d := yaml.NewDecoder(bytes.NewReader(b)) // of the first document alone
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return err
	}
	if err := c.check(&f); err != nil {
		return err
	}
	f.verify = sync.OnceValue(func() error { return c.checkModel(&f) })
	c.forms[f.Type] = &f
	return nil
}

// Verify holds the form of a type against the model of its service.
func (c *Catalogue) Verify(typ string) error {
	f, ok := c.forms[typ]
	if !ok {
		return fmt.Errorf("there is no file for %q", typ)
	}
	if err := f.verify(); err != nil {
		return fmt.Errorf("%s: %w", f.file, err)
	}
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

// AsWritten reports whether the configuration of a type's items is spelled as the
// properties in CloudFormation's templates are.
func (c *Catalogue) AsWritten(typ string) bool {
	f, ok := c.forms[typ]
	return ok && f.Configuration.Keys == "pascal"
}

// Info returns what is known of a type that can be read.
func (c *Catalogue) Info(typ string) (Info, bool) {
	f, ok := c.forms[typ]
	if !ok {
		return Info{}, false
	}
	return f.info(), true
}

// Global reports whether resources of a type belong to no region.
func (c *Catalogue) Global(typ string) bool { return c.forms[typ] != nil && c.forms[typ].Global }

func (f *form) info() Info {
	return Info{f.Type, f.Service, f.Poll, f.Global, f.One != nil || f.Exists != nil}
}

// A Call is an operation that reading a type takes.
type Call struct {
	Service   string
	Operation string
	List      bool     // it finds the resources; the others are made for one of them
	Single    bool     // it finds one resource, or says whether it is there
	Bare      bool     // a real answer may have nothing in it
	Gone      []string // error codes that say the resource does not exist
}

// Calls are the operations that reading a type takes.
func (c *Catalogue) Calls(typ string) []Call {
	f, ok := c.forms[typ]
	if !ok {
		return nil
	}
	var out []Call
	for _, k := range append(slices.Clone(f.Parents), f.List) {
		out = append(out, Call{Service: k.service(f), Operation: k.Call, List: true, Bare: k.Bare})
	}
	for _, k := range f.Calls {
		out = append(out, Call{Service: k.service(f), Operation: k.Call, Bare: k.Bare})
	}
	for _, k := range []*call{f.One, f.Exists} {
		if k != nil {
			out = append(out, Call{Service: k.service(f), Operation: k.Call, Single: true, Bare: k.Bare, Gone: k.Gone})
		}
	}
	return out
}

// Known says whether AWS Config has a type of that name, whether it can be read here or not, or a file goes beyond it.
func (c *Catalogue) Known(typ string) bool { return c.known[typ] || c.forms[typ] != nil }

// Examples reads the examples in a type's file.
func (c *Catalogue) Examples(typ string) ([]Example, error) {
	f, ok := c.forms[typ]
	if !ok {
		return nil, fmt.Errorf("there is no file for %q", typ)
	}
	b, err := fs.ReadFile(c.fsys, f.file)
	if err != nil {
		return nil, fmt.Errorf("examples of %s: %w", typ, err)
	}
	var second struct {
		Examples []Example `yaml:"examples"`
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(new(yaml.Node)); err != nil {
		return nil, fmt.Errorf("examples of %s: %w", typ, err)
	}
	d.KnownFields(true)
	if err := d.Decode(&second); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("examples of %s: %w", typ, err)
	}
	return second.Examples, nil
}
