package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// The elements of JUnit's XML, in the form that Jenkins, GitLab and Maven's
// surefire read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Skipped   *junitSkipped `xml:"skipped,omitempty"`
		Error     *junitProblem `xml:"error,omitempty"`
		Failure   *junitProblem `xml:"failure,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as JUnit's XML.
func JUnit(w io.Writer, r Report) error {
	all := junitSuites{Name: r.Tool, Tests: len(r.Cases), Failures: r.Count(Failed), Errors: r.Count(Broken)}
	names, cases := r.suites()
	var total time.Duration
	for _, name := range names {
		part := Report{Cases: cases[name]}
		s := junitSuite{Name: name, Tests: len(part.Cases), Failures: part.Count(Failed), Errors: part.Count(Broken), Skipped: part.Count(Skipped)}
		var took time.Duration
		for _, c := range part.Cases {
			took += c.Took
			s.Cases = append(s.Cases, junitOf(c))
		}
		s.Time = seconds(took)
		total += took
		all.Suites = append(all.Suites, s)
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitOf(c Case) junitCase {
	class := strings.TrimSuffix(filepath.ToSlash(Relative(c.Path)), filepath.Ext(c.Path))
	j := junitCase{Name: c.Name, ClassName: strings.ReplaceAll(class, "/", "."), Time: seconds(c.Took)}
	p := &junitProblem{Message: printable(c.Message), Type: string(c.Status), Text: printable(c.where() + "\n" + c.Detail)}
	switch c.Status {
	case Failed:
		j.Failure = p
	case Broken:
		j.Error = p
	case Skipped:
		j.Skipped = &junitSkipped{printable(c.Message)}
	}
	return j
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable drops what XML cannot hold, such as the colors in a log.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' || c == 0xFFFE || c == 0xFFFF {
			return -1
		}
		return c
	}, s)
}
