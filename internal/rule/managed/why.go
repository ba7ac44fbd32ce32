package managed

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/rule/view"
)

// pathInCheck is a path of the item as checks have it.
var pathInCheck = regexp.MustCompile(`\b(?:configuration|supplementaryConfiguration|tags)(?:\.\w+)+`)

// Why returns what an item was judged by: the check, and the values that stand at
// the paths that it reads.
func (e *Evaluator) Why(item config.Item, _ view.View) ([]string, error) {
	out := []string{"check: " + strings.Join(strings.Fields(e.file.Check), " ")}
	form := item.Form()
	paths := pathInCheck.FindAllString(e.file.Check, -1)
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		out = append(out, path+" = "+shown(form, strings.Split(path, ".")))
	}
	return out, nil
}

// readInCheck is what a check reads of an item.
var readInCheck = regexp.MustCompile(`\b(?:configuration|supplementaryConfiguration|tags|resourceName|resourceId|ARN|relationships|awsAccountId|awsRegion|availabilityZone)\b(?:\.\w+)*`)

// methods end a path: they are called on what stands there.
var methods = []string{"exists", "exists_one", "all", "filter", "map", "size", "startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii", "split", "replace"}

// Reads returns the paths of an item that the rule's verdict may depend on, as
// lists of members: those that stand in its check and in what it applies to.
func (e *Evaluator) Reads(config.Item, view.View) ([][]string, error) {
	var all [][]string
	for _, text := range []string{e.file.Check, e.file.Applicable} {
		for _, place := range readInCheck.FindAllStringIndex(text, -1) {
			if place[0] > 0 && (text[place[0]-1] == '.' || text[place[0]-1] == '"') {
				continue // a member or a text of that name
			}
			path := strings.Split(text[place[0]:place[1]], ".")
			if last := len(path) - 1; last > 0 && slices.Contains(methods, path[last]) {
				path = path[:last]
			}
			all = append(all, path)
		}
	}
	return all, nil
}

// Types are the types that the rule is on.
func (e *Evaluator) Types() []string { return e.file.Resources }

// Finds are the types that the rule looks through beside the item's.
func (e *Evaluator) Finds() []string { return e.file.Finds }

// maxShownValue is how many bytes of a value are shown.
const maxShownValue = 200

func shown(v any, path []string) string {
	for i, member := range path {
		m, ok := v.(map[string]any)
		if !ok {
			if tags, isTags := v.(map[string]string); isTags {
				if s, there := tags[member]; there {
					v = s
					continue
				}
			}
			return "nothing"
		}
		if v, ok = m[member]; !ok {
			return fmt.Sprintf("nothing: there is no %s", strings.Join(path[:i+1], "."))
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(text) > maxShownValue {
		return string(text[:maxShownValue]) + "..."
	}
	return string(text)
}
