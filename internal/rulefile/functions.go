package rulefile

import (
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"plumb/internal/textfile"
)

// functions are those of Terraform that declarations of rules use.
func (m *module) functions() map[string]function.Function {
	return map[string]function.Function{
		"concat": stdlib.ConcatFunc, "format": stdlib.FormatFunc, "join": stdlib.JoinFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"keys": stdlib.KeysFunc, "lower": stdlib.LowerFunc, "merge": stdlib.MergeFunc, "replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc,
		"trimspace": stdlib.TrimSpaceFunc, "upper": stdlib.UpperFunc, "values": stdlib.ValuesFunc,
		"tostring": stdlib.MakeToFunc(cty.String), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"file":     ofPath(m.file),
		"abspath":  ofPath(func(path string) (string, error) { return path, nil }),
		"basename": ofPath(func(path string) (string, error) { return filepath.Base(path), nil }),
		"dirname":  ofPath(func(path string) (string, error) { return filepath.Dir(path), nil }),
		// Digests say when code has changed, which is seen here anyway.
		"filebase64sha256": ofPath(func(string) (string, error) { return "", nil }),
		"filesha256":       ofPath(func(string) (string, error) { return "", nil }),
		"filemd5":          ofPath(func(string) (string, error) { return "", nil }),
		"templatefile":     m.templateFile(),
	}
}

func (m *module) file(path string) (string, error) {
	text, err := textfile.Read(m.path(path))
	return string(text), err
}

// ofPath is a function of a text.
func ofPath(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f(args[0].AsString())
			return cty.StringVal(text), err
		},
	})
}

// templateFile renders a file with variables.
func (m *module) templateFile() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "variables", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := m.file(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			e, diagnostics := hclsyntax.ParseTemplate([]byte(text), args[0].AsString(), hcl.InitialPos)
			if diagnostics.HasErrors() {
				return cty.NilVal, diagnostics
			}
			variables := map[string]cty.Value{}
			if t := args[1].Type(); t.IsObjectType() || t.IsMapType() {
				variables = args[1].AsValueMap()
			}
			functions := m.functions()
			delete(functions, "templatefile") // as Terraform has it: no template renders another
			v, diagnostics := e.Value(&hcl.EvalContext{Variables: variables, Functions: functions})
			if diagnostics.HasErrors() {
				return cty.NilVal, diagnostics
			}
			out, ok := plainOf(v).(string)
			if !ok {
				return cty.UnknownVal(cty.String), nil
			}
			return cty.StringVal(out), nil
		},
	})
}
