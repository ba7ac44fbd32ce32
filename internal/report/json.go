package report

import (
	"encoding/json"
	"io"
)

// JSON writes a report as one JSON document.
func JSON(w io.Writer, r Report) error {
	type timed struct {
		Case
		Milliseconds int64 `json:"milliseconds"`
	}
	out := struct {
		Tool    string  `json:"tool"`
		Version string  `json:"version"`
		Passed  int     `json:"passed"`
		Failed  int     `json:"failed"`
		Broken  int     `json:"broken"`
		Skipped int     `json:"skipped"`
		Cases   []timed `json:"cases"`
	}{r.Tool, r.Version, r.Count(Passed), r.Count(Failed), r.Count(Broken), r.Count(Skipped), []timed{}}
	for _, c := range r.Cases {
		out.Cases = append(out.Cases, timed{c, c.Took.Milliseconds()})
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
