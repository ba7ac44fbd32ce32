package realtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"plumb/internal/apptest"
)

// A ruleCase is one public rule and what it must say.
type ruleCase struct {
	Rule       string            // file of the checkout
	Types      []string          // whose changes trigger it
	Every      string            // frequency, for one that is triggered by time
	Parameters map[string]string // of the rule
	Cloud      bool              // it speaks to the target, whose resources the recorder reads
	Items      []fixture         // resources pushed for it
	Embedded   []string          // resources made in the services of Plumb: "bucket NAME", ...
	Verdicts   map[string]string // "TYPE ID": compliance; all there are, or in the cloud these among others
	Fails      string            // instead: what the rule's status says went wrong
	Why        string            // for the reader
}

// A fixture is a resource that is pushed: a whole item in the form of the event,
// or only a configuration.
type fixture struct {
	Type, ID, Name string
	Tags           map[string]string
	Configuration  map[string]any
	Item           map[string]any
}

// body returns what PutResourceConfig takes.
func (f fixture) body(t *testing.T) string {
	t.Helper()
	v := f.Configuration
	if f.Item != nil {
		v = f.Item
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// name is what the rule and its function are called.
func (c ruleCase) name() string {
	stem := strings.TrimSuffix(filepath.Base(c.Rule), filepath.Ext(c.Rule))
	return regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(stem, "-")
}

// in returns the case with the account's number in the place of "${account}",
// and the server's address in the place of "${url}".
func (c ruleCase) in(p *apptest.Plumb) ruleCase {
	all := map[string]string{}
	for resource, verdict := range c.Verdicts {
		all[strings.NewReplacer("${account}", p.Account(), "${url}", p.URL()).Replace(resource)] = verdict
	}
	c.Verdicts = all
	return c
}

// readCases reads every case; "${name}" stands for what the cloud calls a thing.
func readCases(t *testing.T, family string, names map[string]string) []ruleCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "rules", family+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(string(text), func(ref string) string {
		if v, ok := names[ref[2:len(ref)-1]]; ok {
			return v
		}
		return ref
	})
	dec := yaml.NewDecoder(strings.NewReader(known))
	dec.KnownFields(true)
	var cases []ruleCase
	if err := dec.Decode(&cases); err != nil {
		t.Fatalf("%s.yaml: %v", family, err)
	}
	return cases
}
