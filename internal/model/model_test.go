package model_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/models"
)

func TestEveryDescriptionLoads(t *testing.T) {
	for _, name := range descriptions(t) {
		api, err := model.Load(models.FS, name)
		if err != nil {
			t.Error(err)
			continue
		}
		if api.Metadata.Protocol == "" || api.Metadata.Signing() == "" {
			t.Errorf("%s: protocol %q, signing %q", name, api.Metadata.Protocol, api.Metadata.Signing())
		}
	}
}

// descriptions are the services that have one.
func descriptions(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(models.FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, file := range files {
		name := strings.TrimSuffix(file, ".json")
		if name != "services" && name != "patches" && !strings.HasSuffix(name, ".more") {
			out = append(out, name)
		}
	}
	return out
}

func TestDescriptionsHoldNoProse(t *testing.T) {
	files, err := fs.Glob(models.FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(models.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{`"documentation"`, "<p>"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s holds %s", file, word)
			}
		}
	}
}

func TestConfigHasItsHundredAndTwoOperations(t *testing.T) {
	api, err := model.Load(models.FS, "config")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(api.Operations); n != 102 {
		t.Errorf("there are %d", n)
	}
	if p := api.Operations["DescribeConfigRules"].Paginator; p == nil || p.InputToken[0] != "NextToken" {
		t.Error("paging was lost")
	}
	if api.Shapes["Scope"].Lookup("ServicePrincipals") == nil {
		t.Error("patches were not applied")
	}
}

const small = `{"metadata":{"protocol":"json"},"operations":{"Op":{"method":"POST","uri":"/","input":{"shape":"In"}}},
"shapes":{"In":{"type":"structure","required":["A"],"members":[{"name":"A","shape":"S"}]},"S":{"type":"string","min":1}}}`

func load(patches, more string) (*model.API, error) {
	fsys := fstest.MapFS{"x.json": {Data: []byte(small)}, "patches.json": {Data: []byte(patches)}}
	if more != "" {
		fsys["x.more.json"] = &fstest.MapFile{Data: []byte(more)}
	}
	return model.Load(fsys, "x")
}

func TestPatchesSetAddAndRemove(t *testing.T) {
	api, err := load(`[
		{"service":"x","path":"shapes.S.min","op":"remove","reason":"r"},
		{"service":"x","path":"shapes.In.members.B","op":"set","value":{"shape":"S"},"reason":"r"},
		{"service":"x","path":"shapes.In.members.A.locationName","op":"set","value":"a","reason":"r"},
		{"service":"x","path":"shapes.S.error.code","op":"set","value":"C","reason":"r"},
		{"service":"other","path":"nothing.here","op":"remove","reason":"r"}]`, "")
	if err != nil {
		t.Fatal(err)
	}
	in, s := api.Shapes["In"], api.Shapes["S"]
	if s.Min != nil || in.Lookup("B").Shape != s || in.Lookup("A").LocationName != "a" || s.Error.Code != "C" {
		t.Errorf("%+v %+v", in, s)
	}
}

func TestPatchesThatDoNotFitAreErrors(t *testing.T) {
	for _, p := range []string{
		`{"service":"x","path":"shapes.S.min","op":"remove"}`,
		`{"service":"x","path":"shapes.S.max","op":"remove","reason":"r"}`,
		`{"service":"x","path":"shapes.Nothing.min","op":"set","value":1,"reason":"r"}`,
		`{"service":"x","path":"shapes.In.members.Z.shape","op":"set","value":"S","reason":"r"}`,
		`{"service":"x","path":"shapes.In.members.A","op":"set","value":{"shape":"S"},"reason":"r"}`,
		`{"service":"x","path":"shapes.In.members.B","op":"set","value":"S","reason":"r"}`,
		`{"service":"x","path":"shapes.S.type.deep","op":"set","value":"S","reason":"r"}`,
		`{"service":"x","path":"shapes.S","op":"remove","reason":"r"}`,
		`{"service":"x","path":"shapes.S.min","op":"double","reason":"r"}`,
	} {
		if _, err := load("["+p+"]", ""); err == nil {
			t.Errorf("taken: %s", p)
		}
	}
}

func TestMoreMayNotReplace(t *testing.T) {
	if api, err := load("[]", `{"reason":"r","shapes":{"T":{"type":"string"}}}`); err != nil || api.Shapes["T"] == nil {
		t.Error(err)
	}
	if _, err := load("[]", `{"reason":"r","shapes":{"S":{"type":"string"}}}`); err == nil {
		t.Error("a shape was replaced")
	}
}

func TestErrorsKeepTheirKindAndTakeFields(t *testing.T) {
	err := configapi.NoSuchConfigRuleException("no rule %q", "r")
	if err.Error() != `NoSuchConfigRuleException: no rule "r"` || err.Status != 400 {
		t.Errorf("%v, status %d", err, err.Status)
	}
	with := err.With("Reason", "x").With("More", 1)
	if fmt.Sprint(with.Fields) != "map[More:1 Reason:x]" || err.Fields != nil {
		t.Errorf("%v, %v", with.Fields, err.Fields)
	}
	if !model.IsCode(fmt.Errorf("while deleting: %w", err), "NoSuchConfigRuleException") || model.IsCode(nil, "X") {
		t.Error("IsCode does not see through wrapping")
	}
}

func TestCoverageListsWhatIsBound(t *testing.T) {
	s := configapi.NewService()
	s.PutConfigRule(func(context.Context, *configapi.PutConfigRuleInput) (*configapi.PutConfigRuleOutput, error) {
		return nil, nil
	})
	var b strings.Builder
	if err := model.Coverage(&b, s.Registry()); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"| AWS Config | 1 | 102 |", "\nBuilt: `PutConfigRule`.\n", "`DeleteConfigRule`"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("%s\nlacks %q", b.String(), part)
		}
	}
}

func TestAHandlerWithoutOutputAnswersAnEmptyOne(t *testing.T) {
	s := configapi.NewService()
	s.PutConfigRule(func(context.Context, *configapi.PutConfigRuleInput) (*configapi.PutConfigRuleOutput, error) {
		return nil, nil
	})
	route, _ := s.Registry().Route("PutConfigRule")
	if out, err := route.Call(t.Context(), route.New()); out.(*configapi.PutConfigRuleOutput) == nil || err != nil {
		t.Errorf("%v, %v", out, err)
	}
}

func TestPatchesNameServicesThatExist(t *testing.T) {
	all, err := model.Patches(models.FS)
	if err != nil {
		t.Fatal(err)
	}
	known := descriptions(t)
	for _, p := range all {
		if !slices.Contains(known, p.Service) {
			t.Errorf("%s: no such service", p.Service)
		}
	}
}
