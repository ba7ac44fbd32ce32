package automation

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// A Folder is a Catalogue of files, each with a document and its examples. A file
// is read when its document is first asked for.
type Folder struct {
	texts map[string]func() (string, error)
	names []string
}

// A file is a document with its examples.
type file struct {
	Sources  []string  `yaml:"sources"`
	Document yaml.Node `yaml:"document"`
	Examples []Example `yaml:"examples"`
}

// An Example shows a document: what it is given, the calls that it makes, and how
// it ends.
type Example struct {
	Name       string         `yaml:"name"`
	Parameters map[string]any `yaml:"parameters"` // one value, or a list
	Calls      []ExampleCall  `yaml:"calls"`
	Status     Status         `yaml:"status"`
	Outputs    map[string]any `yaml:"outputs"`
}

// An ExampleCall is a call that a step is expected to make, and its answer. A
// script is the call Script of the service script.
type ExampleCall struct {
	Service string         `yaml:"service"`
	API     string         `yaml:"api"`
	Input   map[string]any `yaml:"input"`
	Answer  map[string]any `yaml:"answer"`
	Error   string         `yaml:"error"`
}

// NewFolder reads the names of a folder of documents.
func NewFolder(fsys fs.FS) (*Folder, error) {
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	f := &Folder{texts: map[string]func() (string, error){}}
	for _, name := range files {
		document := strings.TrimSuffix(name, ".yaml")
		f.texts[document] = sync.OnceValues(func() (string, error) { return documentIn(fsys, name) })
		f.names = append(f.names, document)
	}
	slices.Sort(f.names)
	return f, nil
}

// documentIn returns the text of the document in a file.
func documentIn(fsys fs.FS, name string) (string, error) {
	form, err := readFile(fsys, name)
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(&form.Document)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(text), nil
}

func readFile(fsys fs.FS, name string) (file, error) {
	var form file
	text, err := fs.ReadFile(fsys, name)
	if err == nil {
		err = yaml.Unmarshal(text, &form)
	}
	if err != nil {
		return form, fmt.Errorf("%s: %w", name, err)
	}
	return form, nil
}

// Document returns the text of a document. A file that cannot be read has none.
func (f *Folder) Document(name string) (string, bool) {
	read, ok := f.texts[name]
	if !ok {
		return "", false
	}
	text, err := read()
	return text, err == nil
}

// Names returns the names of the documents, sorted.
func (f *Folder) Names() []string { return f.names }

// Examples returns the examples of a document's file.
func Examples(fsys fs.FS, document string) ([]Example, error) {
	form, err := readFile(fsys, document+".yaml")
	return form.Examples, err
}
