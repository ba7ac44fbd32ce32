package rulefile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"plumb/internal/resource/typename"
)

// CheckTypes refuses a rule of resource types that AWS Config does not have, and a
// policy that compares an item's type with one. A rule file is checked where it is
// parsed.
func (r Rule) CheckTypes() error {
	var errs []error
	for _, name := range r.Types {
		errs = append(errs, typename.Check(name))
	}
	if r.Kind == Policy {
		text, err := r.Content()
		errs = append(errs, err, r.checkPolicy(string(text)))
	}
	return errors.Join(errs...)
}

// compared is a clause of a policy on the type of an item. Types of templates, which
// are more than those of AWS Config, are not compared so.
var (
	compared = regexp.MustCompile(`\bresourceType\s*(?:==|!=|(?:not\s+)?in\b|(?:NOT\s+)?IN\b)\s*(?:\[[^\]]*\]|"[^"]*"|'[^']*')`)
	quoted   = regexp.MustCompile(`["'](\w+::?\w+::?\w+)["']`)
	comment  = regexp.MustCompile(`(?m)^[ \t]*#.*$`)
)

func (r Rule) checkPolicy(text string) error {
	text = comment.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", len(s)) })
	var errs []error
	for _, clause := range compared.FindAllStringIndex(text, -1) {
		for _, name := range quoted.FindAllStringSubmatchIndex(text[clause[0]:clause[1]], -1) {
			from, to := clause[0]+name[2], clause[0]+name[3]
			if err := typename.Check(text[from:to]); err != nil {
				line := r.Line + 1 + strings.Count(text[:from], "\n")
				if r.Line > 0 {
					line = r.Line // of the template that the text stands in
				}
				errs = append(errs, fmt.Errorf("%s:%d: %w", r.Path, line, err))
			}
		}
	}
	return errors.Join(errs...)
}
