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
	for _, c := range r.Cases {
		if c.Status != Failed && c.Status != Broken {
			continue
		}
		i, ok := index[c.Suite]
		if !ok {
			i = len(rules)
			index[c.Suite] = i
			rules = append(rules, object{"id": c.Suite, "name": c.Suite})
		}
		results = append(results, object{
			"ruleId": c.Suite, "ruleIndex": i, "level": "error", "message": object{"text": c.Name + ": " + c.Message},
			"locations": []any{object{"physicalLocation": object{
				"artifactLocation": object{"uri": uri(c.Path), "uriBaseId": "%SRCROOT%"},
				"region":           object{"startLine": max(1, c.Line)},
			}}},
		})
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

// uri is a path in the form of a relative reference.
func uri(path string) string {
	u := url.URL{Path: filepath.ToSlash(Relative(path))}
	return strings.TrimPrefix(u.String(), "./")
}
