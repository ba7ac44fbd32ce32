package managed

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

func evaluatorOf(t *testing.T, check string) *Evaluator {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	file, err := c.ParseFile("r.yaml", []byte("identifier: R\ndescription: d\nresources: [AWS::S3::Bucket]\ntrigger: change\ncheck: '"+check+"'\n"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := file.Evaluator("")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReadsAreThePathsThatACheckNames(t *testing.T) {
	for check, want := range map[string][]string{
		`configuration.a.b == 1 && "x" in tags`:                         {"configuration.a.b", "tags"},
		`configuration.list.exists(e, e.configuration == resourceName)`: {"configuration.list", "resourceName"},
		`supplementaryConfiguration.P["k"] == true`:                     {"supplementaryConfiguration.P"},
		`configuration["a"] == 1`:                                       {"configuration"},
		`relationships.size() > 0 || ARN == ""`:                         {"relationships", "ARN"},
	} {
		reads, err := evaluatorOf(t, check).Reads(config.Item{}, view.Fixed{})
		var got []string
		for _, path := range reads {
			got = append(got, strings.Join(path, "."))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s reads %q, want %q (%v)", check, got, want, err)
		}
	}
}

// A variable that Reads does not know would be judged by, and never asked for. The
// type and the status are known of every item.
func TestReadsKnowEveryVariableOfChecks(t *testing.T) {
	for _, name := range append(textVariables(), "configuration", "supplementaryConfiguration", "relationships", "tags") {
		if name != "resourceType" && name != "configurationItemStatus" && !regexp.MustCompile(`^`+readInCheck.String()+`$`).MatchString(name) {
			t.Errorf("Reads does not know the variable %s", name)
		}
	}
}

func TestWhyShowsTheValuesThatACheckReads(t *testing.T) {
	it := config.Item{Configuration: map[string]any{"a": map[string]any{"b": "x"}}, Tags: map[string]string{"team": "y"}}
	why, err := evaluatorOf(t, `configuration.a.b == "y" && configuration.c.d == 1 && tags.team == "z"`).Why(it, view.Fixed{})
	want := []string{
		`check: configuration.a.b == "y" && configuration.c.d == 1 && tags.team == "z"`, `configuration.a.b = "x"`, "configuration.c.d = nothing: there is no configuration.c", `tags.team = "y"`,
	}
	if err != nil || !slices.Equal(why, want) {
		t.Errorf("%q, %v", why, err)
	}
}
