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
