package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"plumb/internal/guard"
)

// JUnit's elements.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     int          `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Errors   int         `xml:"errors,attr"`
		Failures int         `xml:"failures,attr"`
		Time     int         `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		ID      string        `xml:"id,attr,omitempty"`
		Name    string        `xml:"name,attr"`
		Time    int           `xml:"time,attr"`
		Status  string        `xml:"status,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
	}
	junitMessage struct {
		Message string `xml:"message,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a suite for each document with a case for each rule file.
func JUnit(w io.Writer, runs []*Run) error {
	var suites []junitSuite
	byName := map[string]int{}
	for _, r := range runs {
		i, known := byName[r.DataName]
		if !known {
			i = len(suites)
			byName[r.DataName] = i
			suites = append(suites, junitSuite{Name: r.DataName})
		}
		suites[i].Cases = append(suites[i].Cases, r.junitCase())
	}
	return writeJUnit(w, "cfn-guard validate report", suites)
}

// junitCase is one rule file on one document. JUnit has room for one failure in a case,
// so the messages of all rules go into it.
func (r *Run) junitCase() junitCase {
	c := junitCase{Name: r.RulesName}
	switch r.Result.Status {
	case guard.Pass:
		c.Status = "pass"
	case guard.Skip:
		c.Status = "skip"
	default:
		c.Failure = &junitMessage{}
		for _, f := range r.failures(r.Result.Record.Children) {
			c.Failure.Message = f.rule
			if _, rule, ok := strings.Cut(f.rule, ".guard/"); ok {
				c.Failure.Message = rule
			}
			for _, leaf := range f.leaves() {
				c.Failure.Text += text(leaf.custom) + text(leaf.error)
			}
		}
	}
	return c
}

// writeJUnit counts the cases and writes the document.
func writeJUnit(w io.Writer, name string, suites []junitSuite) error {
	all := junitSuites{Name: name, Suites: suites}
	for i := range suites {
		for _, c := range suites[i].Cases {
			all.Tests++
			if c.Failure != nil {
				suites[i].Failures++
			}
			if c.Error != nil {
				suites[i].Errors++
			}
		}
		all.Failures += suites[i].Failures
		all.Errors += suites[i].Errors
	}
	body, err := xml.MarshalIndent(all, "", "    ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, body)
	return err
}
