package report

import (
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

type object = map[string]any

// SARIF writes what failed as SARIF 2.1.0, which code-scanning pages read. The
// suite is the rule. Paths are relative to the working folder.
func SARIF(w io.Writer, r Report) error {
	rules, results := []any{}, []any{}
	index := map[string]int{}
	for _, f := range r.findings() {
		if f.status == Skipped {
			continue
		}
		i, ok := index[f.suite]
		if !ok {
			i = len(rules)
			index[f.suite] = i
			rules = append(rules, object{"id": f.suite, "name": f.suite})
		}
		result := object{
			"ruleId": f.suite, "ruleIndex": i, "level": "error", "message": object{"text": f.text},
			"locations": []any{location(f.path, f.line)},
		}
		if len(f.related) > 0 {
			related := make([]any, len(f.related))
			for n, c := range f.related {
				related[n] = location(c.Path, max(1, c.Line))
			}
			result["relatedLocations"] = related
		}
		results = append(results, result)
	}
	return indented(w, object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []any{object{
			"tool": object{"driver": object{
				"name": "plumb", "fullName": r.Tool, "version": r.Version, "rules": rules,
			}},
			"results": results,
		}},
	})
}

func location(path string, line int) object {
	return object{"physicalLocation": object{
		"artifactLocation": object{"uri": uri(path), "uriBaseId": "%SRCROOT%"},
		"region":           object{"startLine": line},
	}}
}

// uri is a path in the form of a relative reference.
func uri(path string) string {
	u := url.URL{Path: filepath.ToSlash(Relative(path))}
	return strings.TrimPrefix(u.String(), "./")
}
