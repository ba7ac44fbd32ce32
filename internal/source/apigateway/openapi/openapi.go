// Package openapi reads the documents of OpenAPI that APIs are imported from: version 2.0,
// which was called Swagger, and version 3.0, as JSON or YAML.
//
// It knows where paths, parameters, references and API Gateway's own members stand, and
// nothing of what an API is made of. It keeps nothing.
//
//	d, err := openapi.Read(body)
//	for _, o := range d.Operations() {
//		fmt.Println(o.Verb, o.Path, o.Extension("integration"))
//	}
package openapi

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"plumb/internal/template"
)

// An Object is a mapping of a document.
type Object = map[string]any

// ErrInvalid reports that the text is not an OpenAPI document of version 2.0 or 3.0.
var ErrInvalid = errors.New("the text is not an OpenAPI document of version 2.0 or 3.0")

// maxReferences is how many references may follow one another.
const maxReferences = 20

// A Document is one API.
type Document struct {
	Version int // 2 or 3
	root    Object
}

// Read reads a text.
func Read(text []byte) (*Document, error) {
	v, err := template.Plain(text)
	root, ok := v.(Object)
	if err != nil || !ok {
		return nil, ErrInvalid
	}
	d := &Document{root: root}
	swagger, openapi := Text(root["swagger"]), Text(root["openapi"])
	switch {
	case swagger == "2.0" || swagger == "2":
		d.Version = 2
	case strings.HasPrefix(openapi, "3.0"):
		d.Version = 3
	default:
		return nil, ErrInvalid
	}
	for _, section := range []string{"paths", "info"} {
		if _, ok := root[section].(Object); !ok && root[section] != nil {
			return nil, ErrInvalid
		}
	}
	return d, nil
}

// Text returns a value that is a text, a number or a boolean as a text; empty for others.
func Text(v any) string {
	s, _ := template.Text(v)
	return s
}

// TextIn returns a member that is a text, or nil.
func TextIn(in Object, name string) *string {
	if text := Text(in[name]); text != "" {
		return &text
	}
	return nil
}

// Flag reports whether a value is true, or says so.
func Flag(v any) bool { return strings.EqualFold(Text(v), "true") }

// Map returns a value that is a mapping, or nil.
func Map(v any) Object {
	m, _ := v.(Object)
	return m
}

// List returns the texts of a list.
func List(v any) (out []string) {
	list, _ := v.([]any)
	for _, item := range list {
		out = append(out, Text(item))
	}
	return out
}

// Texts returns a mapping whose values are texts.
func Texts(v any) map[string]string {
	m := Map(v)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, item := range m {
		out[k] = Text(item)
	}
	return out
}

// Keys returns the keys of a mapping in order.
func Keys(m Object) []string { return slices.Sorted(maps.Keys(m)) }

// extension begins the names of API Gateway's members.
const extension = "x-amazon-apigateway-"

// Extension returns a member of API Gateway's of the document.
func (d *Document) Extension(name string) any { return d.Follow(d.root[extension+name]) }

// About sets what the document says of itself.
func (d *Document) About(title, description, version **string) {
	info := Map(d.root["info"])
	for name, to := range map[string]**string{"title": title, "description": description, "version": version} {
		if text := TextIn(info, name); text != nil {
			*to = text
		}
	}
}

// Member returns a member of the document by its name.
func (d *Document) Member(name string) any { return d.root[name] }

// Part returns the reusable parts of a kind: those of definitions, or of components.
func (d *Document) Part(swagger, components string) Object {
	if d.Version == 2 {
		return Map(d.root[swagger])
	}
	return Map(Map(d.root["components"])[components])
}

// Security returns the ways in which callers may be known.
func (d *Document) Security() Object { return d.Part("securityDefinitions", "securitySchemes") }

// Follow returns what a reference within the document leads to, or the value itself.
func (d *Document) Follow(v any) any {
	for range maxReferences {
		ref, ok := Map(v)["$ref"].(string)
		if !ok {
			return v
		}
		path, ok := strings.CutPrefix(ref, "#/")
		if !ok {
			return nil
		}
		v = any(d.root)
		for part := range strings.SplitSeq(path, "/") {
			if text, err := url.PathUnescape(part); err == nil {
				part = text
			}
			v = Map(v)[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
	}
	return nil
}

// Prefix returns what is put before the paths of the document: nothing, its base path, or
// that without its first part, as an import says with ignore, prepend or split.
func (d *Document) Prefix(how string) (string, error) {
	switch strings.ToLower(how) {
	case "", "ignore":
		return "", nil
	case "prepend":
		return d.base()
	case "split":
		base, err := d.base()
		if _, rest, ok := strings.Cut(strings.TrimPrefix(base, "/"), "/"); ok {
			return "/" + rest, nil
		}
		return "", err
	}
	return "", refuse("Invalid base path option specified: %s", how)
}

// maxBase is how long a base path may be, and the URL of a server that it comes from. It
// stands before each path of an API.
const maxBase = 2048

var errBase = refuse("The base path of the document is longer than %d bytes", maxBase)

// base is the path before those of the document.
func (d *Document) base() (string, error) {
	text := Text(d.root["basePath"])
	if d.Version == 3 {
		servers, _ := d.root["servers"].([]any)
		if len(servers) == 0 {
			return "", nil
		}
		server := Map(servers[0])
		var err error
		if text, err = expand(Text(server["url"]), Map(server["variables"])); err != nil {
			return "", err
		}
		if _, after, ok := strings.Cut(text, "://"); ok {
			_, path, _ := strings.Cut(after, "/")
			text = "/" + path
		}
	}
	if len(text) > maxBase {
		return "", errBase
	}
	return strings.TrimSuffix(text, "/"), nil
}

// expand puts the defaults of variables into the URL of a server. What a default says is not
// expanded again.
func expand(text string, variables Object) (string, error) {
	var out strings.Builder
	for out.Len()+len(text) <= maxBase {
		before, rest, _ := strings.Cut(text, "{")
		out.WriteString(before)
		if len(before) == len(text) {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if v, ok := variables[name]; closed && ok {
			out.WriteString(strings.TrimPrefix(Text(Map(v)["default"]), "/"))
			text = after
			continue
		}
		out.WriteString("{")
		text = rest
	}
	return "", errBase
}

// Endpoint is what the document says of where the API is reached.
func (d *Document) Endpoint() Object {
	const member = "endpoint-configuration"
	if m := Map(d.Extension(member)); m != nil {
		return m
	}
	servers, _ := d.root["servers"].([]any)
	for _, server := range servers {
		if m := Map(Map(server)[extension+member]); m != nil {
			return m
		}
	}
	return nil
}

// An Operation is a method of a path.
type Operation struct {
	Path string
	Verb string // GET and its like, or ANY
	In   Object
	of   *Document
	item Object // of the path
}

// anyMethod is the member for all verbs that have none of their own.
const anyMethod = extension + "any-method"

// Operations returns those of the document, by path and verb.
func (d *Document) Operations() (out []Operation) {
	paths := Map(d.root["paths"])
	for _, path := range Keys(paths) {
		item := Map(d.Follow(paths[path]))
		for _, key := range Keys(item) {
			in, verb := Map(d.Follow(item[key])), strings.ToUpper(key)
			if key == anyMethod {
				verb = "ANY"
			}
			if slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"}, verb) && (in != nil || item[key] == nil) {
				out = append(out, Operation{path, verb, in, d, item})
			}
		}
	}
	return out
}

// Paths returns the paths, also those without operations.
func (d *Document) Paths() []string { return Keys(Map(d.root["paths"])) }

// Extension returns a member of API Gateway's of an operation.
func (o Operation) Extension(name string) any { return o.of.Follow(o.In[extension+name]) }

// Parameters returns those of the operation and of its path.
func (o Operation) Parameters() (out []Object) {
	seen := map[[2]string]bool{}
	for _, from := range []Object{o.In, o.item} {
		list, _ := from["parameters"].([]any)
		for _, item := range list {
			p := Map(o.of.Follow(item))
			key := [2]string{Text(p["in"]), Text(p["name"])}
			if p != nil && !seen[key] {
				seen[key] = true
				out = append(out, p)
			}
		}
	}
	return out
}

// A Requirement is one way in which an operation's callers may be known.
type Requirement struct {
	Name   string
	Scopes []string
}

// Security returns what an operation asks of its callers: its own, or the document's.
func (o Operation) Security() (out []Requirement) {
	list, own := o.In["security"].([]any)
	if !own {
		list, _ = o.of.root["security"].([]any)
	}
	for _, item := range list {
		for _, name := range Keys(Map(item)) {
			out = append(out, Requirement{name, List(Map(item)[name])})
		}
	}
	return out
}

// Into reads a value into a shape whose members have the value's names.
func Into(v any, shape any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, shape)
}
