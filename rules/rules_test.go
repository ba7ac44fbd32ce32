package rules_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/resource"
	"plumb/internal/rule/managed"
	"plumb/models"
	"plumb/resources"
	"plumb/rules"
)

func catalogue(t *testing.T) *managed.Catalogue {
	t.Helper()
	c, err := managed.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// One rule alone: go test ./rules -run /IDENTIFIER
func TestExamplesHaveTheVerdictThatTheyName(t *testing.T) {
	c := catalogue(t)
	for _, identifier := range c.Evaluated() {
		t.Run(identifier, func(t *testing.T) {
			file, err := c.File(identifier)
			if err != nil {
				t.Fatal(err)
			}
			_, failures := file.Failures()
			for _, err := range failures {
				t.Error(err)
			}
			for _, part := range file.Parts() {
				if unshown := part.Unshown(); len(unshown) > 0 {
					t.Errorf("%s: no example shows %v", file.Name, unshown)
				}
			}
		})
	}
}

// Examples that pass whatever is broken say nothing.
func TestAnExampleFailsForEachBrokenPartOfARule(t *testing.T) {
	c := catalogue(t)
	mutants, seen := 0, map[string]bool{}
	for _, identifier := range c.Evaluated() {
		if template := c.Template(identifier); template != "" {
			if seen[template] {
				continue // what is the same is broken once
			}
			seen[template] = true
		}
		file, err := c.File(identifier)
		if err != nil {
			t.Fatal(err)
		}
		content, err := c.Content(identifier)
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Mutants(file, content)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			if mutants++; m.Survives() {
				t.Errorf("%s: no example fails: %s", file.Name, m.What)
			}
		}
	}
	t.Logf("%d rules, %d mutants", len(c.Evaluated()), mutants)
}

// What a rule says of an item that says nothing is decided, not an accident.
func TestTheVerdictOnAnEmptyItemStandsInTheFile(t *testing.T) {
	c := catalogue(t)
	for _, identifier := range c.Evaluated() {
		file, err := c.File(identifier)
		if err != nil {
			t.Fatal(err)
		}
		evaluator, err := file.Evaluator(file.Examples[0].Parameters)
		if err != nil {
			t.Fatal(err)
		}
		item := config.Item{
			ResourceKey: config.ResourceKey{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Type: file.Resources[0], ID: "r"},
			Status:      config.StatusOK,
		}
		for name, configuration := range map[string]any{"null": nil, "an empty object": map[string]any{}} {
			item.Configuration = configuration
			if got, _, _ := evaluator.Evaluate(item, managed.Beside()); got != file.Empty {
				t.Errorf("%s: the verdict on %s is %s, the file says %q", file.Name, name, got, file.Empty)
			}
		}
	}
}

func TestEveryRuleNamesItsSources(t *testing.T) {
	c := catalogue(t)
	for _, identifier := range c.Evaluated() {
		if file, err := c.File(identifier); err != nil || len(file.Sources) == 0 {
			t.Errorf("%s: no sources (%v)", managed.FileName(identifier), err)
		}
	}
}

// A rule that looks through what nobody can record would never give a verdict.
func TestTypesThatRulesLookThroughCanBeRecorded(t *testing.T) {
	c := catalogue(t)
	types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		t.Fatal(err)
	}
	for _, identifier := range c.Evaluated() {
		file, err := c.File(identifier)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range file.Finds {
			if _, ok := types.Info(typ); !ok {
				t.Errorf("%s looks through %s, which has no file in resources/", file.Name, typ)
			}
		}
	}
}

func TestFilesAgreeWithTheIdentifiers(t *testing.T) {
	c := catalogue(t)
	for _, identifier := range c.Evaluated() {
		file, err := c.File(identifier)
		if err != nil {
			t.Error(err)
			continue
		}
		info, _ := c.Known(identifier)
		if file.Identifier != identifier {
			t.Errorf("%s says that it is %s", file.Name, file.Identifier)
		}
		if file.Trigger != info.Trigger {
			t.Errorf("%s: the trigger is %s, the identifiers say %s", file.Name, file.Trigger, info.Trigger)
		}
		sameTypes(t, file, info)
		sameParameters(t, file, info)
	}
}

// A file may leave out types that nothing can be said about, not add any.
func sameTypes(t *testing.T, file *managed.File, info managed.Info) {
	t.Helper()
	for _, r := range file.Resources {
		if !slices.Contains(info.Types, r) && !(r == config.TypeAccount && len(info.Types) == 0) {
			t.Errorf("%s: %s is not a type of this rule", file.Name, r)
		}
	}
}

// Defaults differ on purpose: the identifiers hold what the console fills in.
func sameParameters(t *testing.T, file *managed.File, info managed.Info) {
	t.Helper()
	bare := func(list []managed.Parameter) []managed.Parameter {
		list = slices.Clone(list)
		for i := range list {
			list[i].Default, list[i].Raw, list[i].Ignored, list[i].Domain = "", false, false, nil
		}
		slices.SortFunc(list, func(a, b managed.Parameter) int { return strings.Compare(a.Name, b.Name) })
		return list
	}
	if got, want := bare(file.Parameters), bare(info.Parameters); !slices.Equal(got, want) {
		t.Errorf("%s: parameters %v, the identifiers say %v", file.Name, got, want)
	}
}

func TestEveryFileBelongsToAnIdentifier(t *testing.T) {
	c := catalogue(t)
	names, err := fs.Glob(rules.Files(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, identifier := range c.Evaluated() {
		if c.Template(identifier) != "" {
			made++
		}
	}
	if len(names)+made != len(c.Evaluated()) {
		t.Errorf("%d files and %d made of templates, %d identifiers have one", len(names), made, len(c.Evaluated()))
	}
	t.Logf("%d files and %d made of templates, of %d rules", len(names), made, len(c.All()))
	for _, name := range names {
		identifier := strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(name, ".yaml"), "-", "_"))
		if _, ok := c.Known(identifier); !ok {
			t.Errorf("%s: there is no managed rule %s", name, identifier)
		}
	}
}

func TestWhoeverIsNotEvaluatedHasAReason(t *testing.T) {
	c := catalogue(t)
	reasons, err := c.Unevaluated()
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range c.All() {
		if (reasons[info.Identifier] == "") != info.Evaluated {
			t.Errorf("%s: evaluated %t, with the reason %q in unevaluated.tsv", info.Identifier, info.Evaluated, reasons[info.Identifier])
		}
		delete(reasons, info.Identifier)
	}
	for identifier := range reasons {
		t.Errorf("unevaluated.tsv names %s, which is no managed rule", identifier)
	}
}

func TestAllManagedRulesAreKnown(t *testing.T) {
	c := catalogue(t)
	if n := len(c.All()); n != 814 {
		t.Errorf("%d identifiers, AWS Config has 813 and the process check", n)
	}
	for _, r := range c.All() {
		if known, ok := c.Known(r.Identifier); !ok || known.Identifier != r.Identifier {
			t.Errorf("%s is listed and not known", r.Identifier)
		}
	}
}
