package ruletest

import (
	"context"
	"strings"

	"plumb/internal/report"
	"plumb/internal/rulefile"
	"plumb/internal/textfile"
)

// catalogueSuite is the examples of a file like those of rules/.
func catalogueSuite(r rulefile.Rule, shown string) Suite {
	return Suite{shown, r.Path, func(_ context.Context, w *worker) []report.Case {
		text, err := textfile.Read(r.Path)
		if err != nil {
			return broken(r.Path, err)
		}
		catalogue, err := w.catalogue()
		if err != nil {
			return broken(r.Path, err)
		}
		file, err := catalogue.ParseFile(r.Path, text)
		if err != nil {
			return problems(r.Path, err)
		}
		var cases []report.Case
		for _, part := range file.Parts() {
			for _, e := range part.Examples {
				c := report.Case{Name: e.Name, Path: r.Path, Line: e.Line, Status: report.Passed}
				if err := part.Run(e); err != nil {
					c.Status, c.Message = report.Failed, strings.TrimPrefix(withoutPlace(err.Error()), e.Name+": ")
				}
				cases = append(cases, c)
			}
			for _, outcome := range part.Unshown() {
				cases = append(cases, report.Case{Name: string(outcome), Path: r.Path, Status: report.Skipped, Message: "no example shows it"})
			}
		}
		return cases
	}}
}
