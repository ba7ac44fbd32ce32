package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/coverage"
	"plumb/internal/report"
	"plumb/internal/ruletest"
)

// The exit codes of commands that check something.
const (
	exitFailed = 1 // something is not as it should be
	exitBroken = 2 // something could not be run
)

func newRuleTestCommand() *cobra.Command {
	var o ruletest.Options
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Run the tests of rules: functions, Guard policies, rule files",
		Long: `Run the tests of rules that are found at the paths and below them.

  plumb-test.yaml      items and the verdicts that a rule must give: a function, a folder of the Rule Development
                       Kit, a Guard policy, a rule file: see docs/how-to/rule-test.md
  NAME.guard           with trials beside it, in NAME_tests.yaml or the folder tests, as cfn-guard has them
  rule files           with examples, as those in rules/

Functions run as real processes on a throw-away server: they get the event that AWS Config sends and call
PutEvaluations with their unmodified SDK.

Exit codes: 0 all passed, 1 a test failed, 2 something could not be run.`,
		Example: `  plumb rule test my-rules
  plumb rule test my-rules/encrypted/plumb-test.yaml -j 4
  plumb rule test my-rules --junit=report.xml --sarif=report.sarif --github`,
		Args: cobra.MinimumNArgs(1),
	}
	misuseBreaks(cmd)
	load := addSettings(cmd, "target", "python", "node", "node-path", "sandbox")
	cmd.Flags().IntVarP(&o.Workers, "jobs", "j", 0, "how many rules are tested at once (default: the number of processors)")
	cmd.Flags().StringVar(&o.Root, "root", "", "`FOLDER` that the rules named in plumb-test.yaml are relative to (default: that of the file)")
	var covered string
	cmd.Flags().StringVar(&covered, "coverage", "", "tell which lines and branches of functions in Python and Node.js ran; with a `FILE`, write it there as LCOV, too")
	cmd.Flags().Lookup("coverage").NoOptDefVal = stdout
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, paths []string) (err error) {
		if covered != "" {
			o.Coverage = &coverage.Coverage{}
		}
		if o.Settings, err = load(); err != nil {
			return exitError{exitBroken, err}
		}
		suites, err := ruletest.Collect(paths, o)
		if err != nil {
			return exitError{exitBroken, err}
		}
		if len(suites) == 0 {
			return exitError{exitBroken, fmt.Errorf("there are no tests at %s: a folder with %s, a policy with trials beside it, or a rule file with examples is looked for, at the paths and below",
				strings.Join(paths, ", "), ruletest.FileName)}
		}
		s := o.Settings
		s.LogLevel = "error"
		o.Log = newLog(cmd, s)
		r := report.Report{Tool: "plumb rule test", Version: version(), Cases: ruletest.Run(cmd.Context(), suites, o)}
		ended := f.write(cmd.OutOrStdout(), r)
		if o.Coverage == nil {
			return ended
		}
		if err := writeCoverage(cmd.OutOrStdout(), covered, o.Coverage); err != nil {
			return exitError{exitBroken, err}
		}
		return ended
	}
	return cmd
}

// writeCoverage prints what ran, and writes it to a file if there is one.
func writeCoverage(out io.Writer, to string, c *coverage.Coverage) (err error) {
	shown := func(path string) string { return filepath.ToSlash(report.Relative(path)) }
	if err := c.Text(out, shown); err != nil || to == stdout {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("write the coverage: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return c.LCOV(f, shown)
}

// reportFlags say where a report goes and in which forms.
type reportFlags struct {
	json, junit, sarif string
	github             bool
}

// stdout is a flag's value for standard output.
const stdout = "-"

func (f *reportFlags) add(cmd *cobra.Command) {
	for _, one := range []struct {
		value      *string
		name, help string
	}{
		{&f.json, "json", "JSON"}, {&f.junit, "junit", "JUnit's XML"}, {&f.sarif, "sarif", "SARIF, with paths relative to the working folder"},
	} {
		cmd.Flags().StringVar(one.value, one.name, "", "write the report as "+one.help+" to `FILE`; without one, to standard output in the place of text")
		cmd.Flags().Lookup(one.name).NoOptDefVal = stdout
	}
	cmd.Flags().BoolVar(&f.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "write annotations for GitHub's pages, too (default: in GitHub Actions)")
}

// write writes the report in every form that is asked for, and returns how the
// program ends.
func (f *reportFlags) write(out io.Writer, r report.Report) error {
	text := true
	for _, form := range []struct {
		to    string
		write func(io.Writer, report.Report) error
	}{{f.json, report.JSON}, {f.junit, report.JUnit}, {f.sarif, report.SARIF}} {
		if form.to == "" {
			continue
		}
		text = text && form.to != stdout
		if err := writeReport(out, form.to, r, form.write); err != nil {
			return exitError{exitBroken, err}
		}
	}
	if text {
		if err := report.Text(out, r); err != nil {
			return err
		}
	}
	if f.github {
		if err := report.GitHub(out, r); err != nil {
			return err
		}
	}
	switch {
	case r.Count(report.Broken) > 0:
		return exitError{code: exitBroken}
	case r.Count(report.Failed) > 0:
		return exitError{code: exitFailed}
	}
	return nil
}

func writeReport(out io.Writer, to string, r report.Report, write func(io.Writer, report.Report) error) (err error) {
	if to == stdout {
		return write(out, r)
	}
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f, r)
}
