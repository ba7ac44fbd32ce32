package rules_test

import (
	"regexp"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

// bodyPath is a path into the configuration of the item, or of an item that find gave.
var bodyPath = regexp.MustCompile(`\b((?:supplementaryC|c)onfiguration(?:\.\w+)+)(\()?`)

// A member in other letters is never there: the rule has one verdict for all.
func TestPathsThatRulesReadAreSpelledAsItemsHaveThem(t *testing.T) {
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
		var items []any
		for _, typ := range append(file.Finds, file.Resources...) {
			if _, ok := types.Info(typ); !ok {
				continue // AWS::::Account has no file
			}
			examples, err := types.Examples(typ)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range examples {
				items = append(items, e.Items...)
			}
		}
		for _, m := range bodyPath.FindAllStringSubmatch(file.Check+"\n"+file.Applicable, -1) {
			path := strings.Split(m[1], ".")
			if m[2] != "" {
				path = path[:len(path)-1] // what is called on it
			}
			if other := spelledOtherwise(items, path); other != "" {
				t.Errorf("%s reads %s, items have %s", file.Name, strings.Join(path, "."), other)
			}
		}
	}
}

// spelledOtherwise returns the path as some item has it, in other letters, if no
// item has it as it is written.
func spelledOtherwise(items []any, path []string) string {
	found := ""
	for _, item := range items {
		node, walked := item, []string{}
		for _, member := range path {
			object, ok := node.(map[string]any)
			if !ok {
				walked = path // a list or a text: what is in it is not looked at
				break
			}
			key, value := memberOf(object, member)
			if key == "" {
				walked = nil
				break
			}
			walked, node = append(walked, key), value
		}
		switch as := strings.Join(walked, "."); as {
		case "":
		case strings.Join(path, "."):
			return ""
		default:
			found = as
		}
	}
	return found
}

// memberOf returns a member of an object, if need be in other letters.
func memberOf(object map[string]any, name string) (string, any) {
	if value, ok := object[name]; ok {
		return name, value
	}
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return key, value
		}
	}
	return "", nil
}
