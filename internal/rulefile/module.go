package rulefile

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"plumb/internal/textfile"
)

// A module is the .tf files of a folder, evaluated as far as that can be done
// without Terraform: variables have their defaults, and what a resource will be
// called stands as a reference to it.
type module struct {
	folder    string
	blocks    []block
	locals    map[string]hclsyntax.Expression
	defaults  map[string]hclsyntax.Expression
	resolving map[string]bool // locals and variables, whose values may name each other
}

// A block is a resource or a data source, whose kind begins with "data." then.
type block struct {
	kind, name string
	file       string
	line       int
	body       *hclsyntax.Body
}

func readModule(folder string, files []string) (*module, error) {
	m := &module{folder: folder, locals: map[string]hclsyntax.Expression{}, defaults: map[string]hclsyntax.Expression{}, resolving: map[string]bool{}}
	for _, file := range files {
		text, err := textfile.Read(file)
		if err != nil {
			return nil, err
		}
		parsed, diagnostics := hclsyntax.ParseConfig(text, file, hcl.InitialPos)
		if diagnostics.HasErrors() {
			d := diagnostics.Errs()[0]
			return nil, fmt.Errorf("%w", d)
		}
		body, ok := parsed.Body.(*hclsyntax.Body)
		if !ok {
			return nil, fmt.Errorf("%s: not in Terraform's own syntax", file)
		}
		for _, b := range body.Blocks {
			m.add(file, b)
		}
	}
	return m, nil
}

func (m *module) add(file string, b *hclsyntax.Block) {
	switch {
	case (b.Type == "resource" || b.Type == "data") && len(b.Labels) == 2:
		kind := b.Labels[0]
		if b.Type == "data" {
			kind = "data." + kind
		}
		m.blocks = append(m.blocks, block{kind, b.Labels[1], file, b.DefRange().Start.Line, b.Body})
	case b.Type == "variable" && len(b.Labels) == 1:
		m.defaults[b.Labels[0]] = nil
		if d := b.Body.Attributes["default"]; d != nil {
			m.defaults[b.Labels[0]] = d.Expr
		}
	case b.Type == "locals":
		for n, a := range b.Body.Attributes {
			m.locals[n] = a.Expr
		}
	}
}

func (m *module) named(kind string) (found []block) {
	for _, b := range m.blocks {
		if b.kind == kind {
			found = append(found, b)
		}
	}
	return found
}

// referred returns the block that a reference stands for.
func (m *module) referred(text string) (block, bool) {
	address, ok := strings.CutPrefix(text, reference)
	i := slices.IndexFunc(m.blocks, func(b block) bool { return ok && b.kind+"."+b.name == address })
	if i < 0 {
		return block{}, false
	}
	return m.blocks[i], true
}

// path is a path of the module as seen from the working folder.
func (m *module) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(m.folder, filepath.FromSlash(p))
}

// unknown stands for what only Terraform can tell.
type unknown struct{}

// values returns a block's arguments, and the blocks in it as lists by their type.
func (m *module) values(b block) map[string]any { return m.body(b.body) }

func (m *module) body(b *hclsyntax.Body) map[string]any {
	out := map[string]any{}
	for n, a := range b.Attributes {
		if v := plainOf(m.value(a.Expr)); v != nil {
			out[n] = v
		}
	}
	for _, inner := range b.Blocks {
		list, _ := out[inner.Type].([]any)
		out[inner.Type] = append(list, m.body(inner.Body))
	}
	return out
}

// value evaluates an expression; what cannot be evaluated is unknown.
func (m *module) value(e hclsyntax.Expression) cty.Value {
	scope := map[string]any{}
	for _, t := range e.Variables() {
		m.provide(scope, t)
	}
	variables := map[string]cty.Value{}
	for n, v := range scope {
		variables[n] = valueOf(v)
	}
	v, diagnostics := e.Value(&hcl.EvalContext{Variables: variables, Functions: m.functions()})
	if diagnostics.HasErrors() {
		return cty.DynamicVal
	}
	return v
}

// provide puts what a traversal such as local.name or aws_lambda_function.f.arn
// leads to into the scope.
func (m *module) provide(scope map[string]any, t hcl.Traversal) {
	path := []string{t.RootName()}
	for _, step := range t[1:] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			break
		}
		path = append(path, attribute.Name)
	}
	switch {
	case len(path) < 2:
		put(scope, path[:1], cty.DynamicVal)
	case path[0] == "var":
		put(scope, path[:2], m.once("var."+path[1], m.defaults[path[1]]))
	case path[0] == "local":
		put(scope, path[:2], m.once("local."+path[1], m.locals[path[1]]))
	case path[0] == "path":
		put(scope, path[:2], cty.StringVal("."))
	case path[0] == "each", path[0] == "count", path[0] == "module", path[0] == "self":
		put(scope, path[:2], cty.DynamicVal)
	case path[0] == "terraform":
		put(scope, path[:2], cty.StringVal("default"))
	case path[0] == "data" && len(path) > 3:
		put(scope, path[:4], cty.StringVal(reference+strings.Join(path[:3], ".")))
	case path[0] != "data" && len(path) > 2:
		put(scope, path[:3], cty.StringVal(reference+strings.Join(path[:2], ".")))
	case path[0] != "data" && len(t) > 3: // NAME[0].arn, NAME["key"].arn
		m.provideOne(scope, path, t[2:])
	default:
		put(scope, path, cty.DynamicVal)
	}
}

// provideOne puts one of several resources with one name into the scope.
func (m *module) provideOne(scope map[string]any, path []string, rest hcl.Traversal) {
	index, ok := rest[0].(hcl.TraverseIndex)
	attribute, named := rest[1].(hcl.TraverseAttr)
	if !ok || !named {
		put(scope, path, cty.DynamicVal)
		return
	}
	one := cty.ObjectVal(map[string]cty.Value{attribute.Name: cty.StringVal(reference + strings.Join(path, "."))})
	if index.Key.Type() == cty.String {
		put(scope, path, cty.ObjectVal(map[string]cty.Value{index.Key.AsString(): one}))
		return
	}
	put(scope, path, cty.ListVal([]cty.Value{one}))
}

// once evaluates a named expression, and says that it is unknown if it leads to
// itself.
func (m *module) once(name string, e hclsyntax.Expression) cty.Value {
	if e == nil || m.resolving[name] {
		return cty.DynamicVal
	}
	m.resolving[name] = true
	defer delete(m.resolving, name)
	return m.value(e)
}

// put puts a value at a path of nested mappings.
func put(scope map[string]any, path []string, v cty.Value) {
	for _, p := range path[:len(path)-1] {
		inner, ok := scope[p].(map[string]any)
		if !ok {
			inner = map[string]any{}
			scope[p] = inner
		}
		scope = inner
	}
	scope[path[len(path)-1]] = v
}

func valueOf(v any) cty.Value {
	m, ok := v.(map[string]any)
	if !ok {
		return v.(cty.Value)
	}
	members := map[string]cty.Value{}
	for k, inner := range m {
		members[k] = valueOf(inner)
	}
	return cty.ObjectVal(members)
}

// plainOf is a value as decoded JSON has it, numbers as texts; nil for null.
func plainOf(v cty.Value) any {
	v, _ = v.UnmarkDeep()
	switch t := v.Type(); {
	case !v.IsKnown():
		return unknown{}
	case v.IsNull():
		return nil
	case t == cty.String:
		return v.AsString()
	case t == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case t == cty.Bool:
		return v.True()
	case t.IsObjectType() || t.IsMapType():
		out := map[string]any{}
		for k, inner := range v.AsValueMap() {
			out[k] = plainOf(inner)
		}
		return out
	case v.CanIterateElements():
		out := []any{}
		for _, inner := range v.AsValueSlice() {
			out = append(out, plainOf(inner))
		}
		return out
	}
	return unknown{}
}
