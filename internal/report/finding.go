package report

import (
	"fmt"
	"strings"
)

// A finding is one thing to mend, as code-scanning pages and annotations show it: at
// the line that is to be mended, once, however many cases it keeps from passing.
type finding struct {
	suite   string
	status  Status
	path    string
	line    int
	text    string
	detail  string
	related []Case // whose lines are elsewhere
}

// findings are what is told beside lines of files: what failed, what is broken and
// what was skipped.
func (r Report) findings() (all []*finding) {
	at := map[string]*finding{} // of causes
	for _, c := range r.Cases {
		if c.Status == Passed || c.Follows {
			continue
		}
		if len(c.Causes) == 0 {
			all = append(all, &finding{suite: c.Suite, status: c.Status, path: c.Path, line: max(1, c.Line), text: c.Name + ": " + c.Message, detail: c.Detail})
			continue
		}
		for _, cause := range c.Causes {
			key := fmt.Sprintf("%s\x00%s\x00%d\x00%s", c.Suite, cause.Path, cause.Line, cause.Message)
			if at[key] == nil {
				at[key] = &finding{suite: c.Suite, status: c.Status, path: cause.Path, line: max(1, cause.Line), text: cause.Message, detail: c.Detail}
				all = append(all, at[key])
			}
			at[key].related = append(at[key].related, c)
		}
	}
	for _, f := range all {
		if len(f.related) > 0 {
			f.text += " (" + names(f.related) + ")"
		}
	}
	return all
}

// maxNamed is how many cases a finding names.
const maxNamed = 5

// names says which cases a finding keeps from passing.
func names(cases []Case) string {
	var all []string
	for _, c := range cases[:min(len(cases), maxNamed)] {
		all = append(all, c.Name)
	}
	text := "in the test " + all[0]
	if len(cases) > 1 {
		text = "in the tests " + strings.Join(all, ", ")
	}
	if more := len(cases) - len(all); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
