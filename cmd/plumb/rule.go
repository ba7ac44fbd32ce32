package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumb/internal/rule/managed"
)

func newRuleCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "rule",
		Short: "Write, test and run rules, and list the managed ones",
	}
	command.AddCommand(
		newRuleNewCommand(), newRuleTestCommand(), newRuleDevCommand(), newRulePutCommand(), newRuleRunCommand(), newRuleEventCommand(), newRuleListCommand(),
	)
	return command
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
