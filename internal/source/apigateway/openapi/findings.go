package openapi

import (
	"errors"
	"fmt"
	"strings"

	"plumb/internal/model"
)

// Findings are what is wrong with a document, or worth a warning. They are collected, as AWS
// says them all at once: the first of each kind, up to maxFindings.
type Findings struct{ errors, warnings []string }

// maxFindings is how many errors and how many warnings are kept.
const maxFindings = 100

// Findings returns those about the document as a whole.
func (d *Document) Findings() (f Findings) {
	if list, _ := d.root["servers"].([]any); len(list) > 1 {
		f.Warnf("More than one server provided. Ignoring all but the first for defining endpoint configuration")
	}
	return f
}

// Errorf notes what could not be done.
func (f *Findings) Errorf(format string, args ...any) {
	if len(f.errors) < maxFindings {
		f.errors = append(f.errors, fmt.Sprintf(format, args...))
	}
}

// Wrong notes what could not be done, and why.
func (f *Findings) Wrong(what string, err error) {
	text := err.Error()
	if named, ok := errors.AsType[*model.Error](err); ok {
		text = named.Message
	}
	f.Errorf("%s: %s", what, text)
}

// Warnf notes what was left out.
func (f *Findings) Warnf(format string, args ...any) {
	if len(f.warnings) < maxFindings {
		f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
	}
}

// Warnings returns the warnings.
func (f *Findings) Warnings() []string { return f.warnings }

// Err says what is wrong; nil if nothing is. If strict, warnings are wrong, too.
func (f *Findings) Err(strict bool) error {
	switch {
	case len(f.errors) > 0 && len(f.warnings) > 0:
		return refuse("Errors found during import:%s\nAdditionally, these warnings were found:%s", lines(f.errors), lines(f.warnings))
	case len(f.errors) > 0:
		return refuse("Errors found during import:%s", lines(f.errors))
	case strict && len(f.warnings) > 0:
		return refuse("Warnings found during import:%s", lines(f.warnings))
	}
	return nil
}

// A refusal is an error in AWS's words.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func lines(list []string) string { return "\n\t" + strings.Join(list, "\n\t") }
