package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumb/internal/rule/managed"
)

func newRuleCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "rule",
		Short: "Test rules and list the managed ones",
	}
	command.AddCommand(newRuleTestCommand(), newRuleListCommand())
	return command
}

func newRuleTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE...",
		Short: "Run the examples of rule files",
		Long: `Run the examples that stand in rule files and say which have another verdict than they name.

A rule file holds a check in CEL and examples, as the files in rules/ do. Each line of output is
FILE:LINE: and what is wrong. The exit code is 1 when something is.`,
		Example: "  plumb rule test rules/encrypted-volumes.yaml\n  plumb rule test my-rules/*.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			catalogue, err := managed.Load()
			if err != nil {
				return err
			}
			ok := true
			for _, name := range names {
				if !testRuleFile(cmd.OutOrStdout(), catalogue, name) {
					ok = false
				}
			}
			if !ok {
				return exitError{code: 1}
			}
			return nil
		},
	}
}

// testRuleFile runs one file, prints what came out and reports whether all is
// well. An outcome without an example is told and is no failure.
func testRuleFile(out io.Writer, catalogue *managed.Catalogue, name string) bool {
	content, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintln(out, err)
		return false
	}
	file, err := catalogue.ParseFile(name, content)
	if err != nil {
		fmt.Fprintln(out, err)
		return false
	}
	examples, failures := file.Failures()
	for _, err := range failures {
		fmt.Fprintln(out, err)
	}
	for _, part := range file.Parts() {
		for _, outcome := range part.Unshown() {
			fmt.Fprintf(out, "%s: no example shows %s\n", name, outcome)
		}
	}
	if len(failures) > 0 {
		fmt.Fprintf(out, "FAIL %s: %d of %d examples\n", name, len(failures), examples)
		return false
	}
	fmt.Fprintf(out, "ok   %s: %d examples\n", name, examples)
	return true
}

func newRuleListCommand() *cobra.Command {
	var evaluated bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List the managed rules of AWS Config",
		Long: `List the managed rules of AWS Config: identifier, trigger, whether Plumb can judge by it, and the
resource types. All of them can be put; those that are not evaluated give no verdict and say so. The
verdicts of a process check are put with PutExternalEvaluation.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			catalogue, err := managed.Load()
			if err != nil {
				return err
			}
			return listRules(cmd.OutOrStdout(), catalogue.All(), evaluated)
		},
	}
	command.Flags().BoolVar(&evaluated, "evaluated", false, "only those that Plumb can judge by")
	return command
}

func listRules(out io.Writer, rules []managed.Info, evaluated bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "IDENTIFIER\tTRIGGER\tEVALUATED\tTYPES")
	for _, r := range rules {
		if evaluated && !r.Evaluated {
			continue
		}
		answer := "no"
		switch {
		case r.Trigger == managed.None:
			answer = "put"
		case r.Evaluated:
			answer = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Identifier, r.Trigger, answer, strings.Join(r.Types, " "))
	}
	return table.Flush()
}
