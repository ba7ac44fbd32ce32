package model

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Coverage writes docs/coverage.md: which operations of each service have a handler. It reads the registries that are
// served, so the page cannot claim more than the program does.
func Coverage(w io.Writer, services ...*Registry) error {
	var b strings.Builder
	b.WriteString("# What is built\n\nPrinted by `plumb docs coverage`. An operation that is not built answers HTTP 501\n" +
		"`NotImplementedException` with its name.\n\n| service | built | of |\n|---|---|---|\n")
	for _, s := range services {
		built, rest := s.coverage()
		fmt.Fprintf(&b, "| %s | %d | %d |\n", s.Info.Title, len(built), len(built)+len(rest))
	}
	for _, s := range services {
		built, rest := s.coverage()
		fmt.Fprintf(&b, "\n## %s (%s %s)\n", s.Info.Title, s.Info.Name, s.Info.APIVersion)
		section(&b, "Built", built)
		section(&b, "Not built", rest)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Registry) coverage() (built, rest []string) {
	for _, route := range r.routes {
		if route.Built() {
			built = append(built, route.Operation)
		} else {
			rest = append(rest, route.Operation)
		}
	}
	slices.Sort(built)
	slices.Sort(rest)
	return built, rest
}

func section(b *strings.Builder, title string, operations []string) {
	if len(operations) > 0 {
		fmt.Fprintf(b, "\n%s: `%s`.\n", title, strings.Join(operations, "`, `"))
	}
}
