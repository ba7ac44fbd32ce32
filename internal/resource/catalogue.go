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

// A Catalogue knows the resource types that can be read, and the names of all that exist. It does not change. Of a file it
// reads the head at first, and the rest when the type is first needed.
type Catalogue struct {
	fsys   fs.FS
	files  map[string]*file // by type
	known  map[string]bool  // to AWS Config
	models *awsclient.Models
	edges  func() map[string][]Edge // by the type that they lead to
}

// A file is one of resources/.
type file struct {
	head
	name   string
	form   func() (*form, error) // reads it once
	verify func() error          // holds the form against the model, once
}

// Info is what a type is to those who do not read it.
type Info struct {
	Type    string
	Service string
	Poll    time.Duration // between two readings; 0: as the settings say
	Global  bool          // the same in all regions of an account
	Single  bool          // Gone asks for the one resource; else it reads the list again, which is all that the service has
}

// Load reads the head of every file in the folder. Two files of one type, or a type that does not exist, are an error.
// What else a file says is checked by Verify, and before the type is first read: to decode every file and load every model
// would cost a start thirty times as much.
func Load(fsys fs.FS, models *awsclient.Models) (*Catalogue, error) {
	c := &Catalogue{fsys: fsys, files: map[string]*file{}, known: map[string]bool{}, models: models}
	c.edges = sync.OnceValue(c.allEdges)
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
	for _, name := range files {
		if err := c.add(name); err != nil {
			return nil, fmt.Errorf("load resource types: %s: %w", name, err)
		}
	}
	return c, nil
}

// add reads the head of a file.
func (c *Catalogue) add(name string) error {
	b, err := fs.ReadFile(c.fsys, name)
	if err != nil {
		return err
	}
	f := &file{name: name}
	if f.head, err = headOf(b); err != nil {
		return err
	}
	if c.known[f.Type] == f.Beyond {
		return fmt.Errorf("type %q is not in types.txt, or it is there and the file says beyond", f.Type)
	}
	if c.files[f.Type] != nil {
		return fmt.Errorf("type %s has two files", f.Type)
	}
	f.form = sync.OnceValues(func() (*form, error) { return c.read(f) })
	f.verify = sync.OnceValue(func() error {
		form, err := f.form()
		if err == nil {
			err = c.checkModel(form)
		}
		return err
	})
	c.files[f.Type] = f
	return nil
}

// read decodes the first document of a file. A key that is not one is an error, and so is a wrong expression.
func (c *Catalogue) read(of *file) (*form, error) {
	b, err := fs.ReadFile(c.fsys, of.name)
	if err != nil {
		return nil, err
	}
	f := form{file: of.name}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if f.head() != of.head {
		return nil, fmt.Errorf("it says %v, and its head was read as %v: its keys are to stand at the beginning of a line", f.head(), of.head)
	}
	return &f, c.check(&f)
}

// form returns the form of a type; nil if there is none, or a wrong one, of which Verify tells.
func (c *Catalogue) form(typ string) *form {
	f, ok := c.files[typ]
	if !ok {
		return nil
	}
	form, err := f.form()
	if err != nil {
		return nil
	}
	return form
}

// Verify reads the form of a type and holds it against the model of its service.
func (c *Catalogue) Verify(typ string) error {
	f, ok := c.files[typ]
	if !ok {
		return fmt.Errorf("there is no file for %q", typ)
	}
	if err := f.verify(); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

// Types are the types that can be read, in order.
func (c *Catalogue) Types() []Info {
	out := make([]Info, 0, len(c.files))
	for _, f := range c.files {
		out = append(out, f.info())
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// AsWritten reports whether the configuration of a type's items is spelled as the
// properties in CloudFormation's templates are.
func (c *Catalogue) AsWritten(typ string) bool {
	f := c.form(typ)
	return f != nil && f.Configuration.Keys == "pascal"
}

// Info returns what is known of a type that can be read.
func (c *Catalogue) Info(typ string) (Info, bool) {
	f, ok := c.files[typ]
	if !ok {
		return Info{}, false
	}
	return f.info(), true
}

// Global reports whether resources of a type belong to no region.
func (c *Catalogue) Global(typ string) bool { return c.files[typ] != nil && c.files[typ].Global }

func (h head) info() Info { return Info{h.Type, h.Service, h.Poll, h.Global, h.Single} }

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
	f := c.form(typ)
	if f == nil {
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
func (c *Catalogue) Known(typ string) bool { return c.known[typ] || c.files[typ] != nil }

// Examples reads the examples in a type's file.
func (c *Catalogue) Examples(typ string) ([]Example, error) {
	f, ok := c.files[typ]
	if !ok {
		return nil, fmt.Errorf("there is no file for %q", typ)
	}
	b, err := fs.ReadFile(c.fsys, f.name)
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
