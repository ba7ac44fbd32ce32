package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"plumb/internal/guard"
)

// A FileReport is what all rule files say of one document.
type FileReport struct {
	name                     string
	status                   guard.Status
	failures                 []*failure
	compliant, notApplicable map[string]bool
}

// Files gathers runs by their documents, in the order of the runs.
func Files(runs []*Run) []*FileReport { return FilesOf(nil, runs) }

// FilesOf is Files with a report for every document that is named, in their order: one of
// which no rule file says anything is skipped.
func FilesOf(documents []string, runs []*Run) []*FileReport {
	var reports []*FileReport
	byName := map[string]*FileReport{}
	of := func(name string) *FileReport {
		if byName[name] == nil {
			byName[name] = &FileReport{name: name, compliant: map[string]bool{}, notApplicable: map[string]bool{}}
			reports = append(reports, byName[name])
		}
		return byName[name]
	}
	for _, name := range documents {
		of(name)
	}
	for _, r := range runs {
		of(r.DataName).add(r)
	}
	return reports
}

// add takes in what one rule file says.
func (f *FileReport) add(r *Run) {
	f.status = max(f.status, r.Result.Status)
	f.failures = append(f.failures, r.failures(r.Result.Record.Children)...)
	for i, name := range r.names() {
		switch r.Result.Rules[i].Status {
		case guard.Pass:
			f.compliant[name] = true
		case guard.Skip:
			f.notApplicable[name] = true
		}
	}
}

func (f *FileReport) object() object {
	return object{
		{"name", f.name}, {"metadata", object{}}, {"status", f.status},
		{"not_compliant", failureList(f.failures)},
		{"not_applicable", sortedList(f.notApplicable)}, {"compliant", sortedList(f.compliant)},
	}
}

func sortedList(set map[string]bool) list {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	l := make(list, len(names))
	for i, n := range names {
		l[i] = n
	}
	return l
}

func failureList(all []*failure) list {
	l := make(list, len(all))
	for i, f := range all {
		l[i] = f.object()
	}
	return l
}

func (f *failure) object() object {
	messages := object{{"custom_message", f.custom}, {"error_message", f.error}}
	switch f.kind {
	case ruleFailure:
		return object{{"Rule", object{
			{"name", f.rule}, {"metadata", object{}}, {"messages", messages}, {"checks", failureList(f.checks)},
		}}}
	case anyFailure:
		return object{{"Disjunctions", object{{"checks", failureList(f.checks)}}}}
	case blockFailure:
		var missing any
		if f.record.From.Missing != nil {
			missing = missingObject(f.record.From)
		}
		return object{{"Block", object{{"context", f.context}, {"messages", messages}, {"unresolved", missing}}}}
	case unaryFailure:
		return object{{"Clause", object{{"Unary", object{
			{"check", f.unaryCheck()}, {"context", f.context}, {"messages", messages},
		}}}}}
	}
	return object{{"Clause", object{{"Binary", object{
		{"context", f.context}, {"messages", messages}, {"check", f.binaryCheck()},
	}}}}}
}

// unaryCheck is what a comparison of one value looked at.
func (f *failure) unaryCheck() object {
	rec := f.record
	switch {
	case rec.Kind == guard.RefersRecord:
		return object{{"UnResolvedContext", referredRule(rec)}}
	case rec.Kind == guard.NothingRecord:
		return object{{"UnResolvedContext", f.context}}
	case rec.From.Missing != nil:
		return unresolved(rec, rec.From)
	}
	return object{{"Resolved", object{{"value", valueObject(rec.From)}, {"comparison", comparison(rec)}}}}
}

// binaryCheck is what a comparison of two sides looked at.
func (f *failure) binaryCheck() object {
	rec := f.record
	switch {
	case rec.From.Missing != nil:
		return unresolved(rec, rec.From)
	case rec.InSet:
		to := list{}
		for _, t := range rec.To {
			if t.Missing == nil {
				to = append(to, valueObject(t))
			}
		}
		return object{{"InResolved", object{
			{"from", valueObject(rec.From)}, {"to", to}, {"comparison", comparison(rec)},
		}}}
	case len(rec.To) > 0 && rec.To[0].Missing != nil:
		return unresolved(rec, rec.To[0])
	}
	var to any
	if len(rec.To) > 0 {
		to = valueObject(rec.To[0])
	}
	return object{{"Resolved", object{
		{"from", valueObject(rec.From)}, {"to", to}, {"comparison", comparison(rec)},
	}}}
}

func unresolved(rec *guard.Record, f guard.Finding) object {
	return object{{"UnResolved", object{{"value", missingObject(f)}, {"comparison", comparison(rec)}}}}
}

// JSON writes the reports as one list.
func JSON(w io.Writer, reports []*FileReport) error { return writeJSON(w, objects(reports)) }

// YAML writes the reports as one list.
func YAML(w io.Writer, reports []*FileReport) error { return writeYAML(w, objects(reports)) }

func objects(reports []*FileReport) list {
	l := make(list, len(reports))
	for i, f := range reports {
		l[i] = f.object()
	}
	return l
}

// OneJSON writes the report of one run.
func OneJSON(w io.Writer, r *Run) error { return writeJSON(w, Files([]*Run{r})[0].object()) }

// OneYAML writes the report of one run.
func OneYAML(w io.Writer, r *Run) error { return writeYAML(w, Files([]*Run{r})[0].object()) }

// oneLine keeps a message on one line.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", ";") }

// sarifSchema is the form of SARIF that is written.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF writes what failed for code scanners. The version is the program's.
func SARIF(w io.Writer, reports []*FileReport, version string) error {
	artifacts, results := list{}, list{}
	for _, f := range reports {
		if f.status != guard.Fail {
			continue
		}
		artifacts = append(artifacts, object{{"location", object{{"uri", sarifPath(f.name)}}}})
		for _, rule := range f.failures {
			for _, leaf := range rule.leaves() {
				results = append(results, sarifResult(f.name, rule.rule, leaf))
			}
		}
	}
	return writeJSON(w, object{
		{"$schema", sarifSchema}, {"version", "2.1.0"},
		{"runs", list{object{
			{"tool", object{{"driver", object{
				{"name", "plumb"}, {"semanticVersion", version}, {"fullName", "plumb " + version},
				{"shortDescription", object{{"text", "Evaluates policies written in Guard."}}},
			}}}},
			{"artifacts", artifacts}, {"results", results},
		}}},
	})
}

// sarifResult is one comparison at its place in the document.
func sarifResult(file, rule string, f *failure) object {
	at := f.at()
	id, _, _ := strings.Cut(rule, ".")
	return object{
		{"ruleId", strings.ToUpper(id)}, {"level", "error"},
		{"message", object{{"text", fmt.Sprintf("%s %s", text(f.error), text(f.custom))}}},
		{"locations", list{object{{"physicalLocation", object{
			{"artifactLocation", object{{"uri", sarifPath(file)}}},
			{"region", object{{"startLine", max(at.Line, 1)}, {"startColumn", max(at.Column, 1)}}},
		}}}}},
	}
}

func sarifPath(path string) string { return strings.TrimPrefix(path, "/") }
