package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/rule/managed"
	"plumb/internal/template"
)

func newPackCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "pack",
		Short: "Test templates of conformance packs, and count what evaluates their rules",
	}
	command.AddCommand(newPackTestCommand(), newPackTableCommand())
	return command
}

func newPackTestCommand() *cobra.Command {
	var values []string // whole: a value may hold commas
	command := &cobra.Command{
		Use:   "test FILE...",
		Short: "Check templates without a server and list their rules",
		Long: `Check templates of conformance packs without a server, and list the rules that they make with who evaluates
them: managed (this program), policy (the Guard policy in the template), function (the function that it names), put
(somebody calls PutExternalEvaluation), or none.

Each line about what is wrong is FILE:LINE: and the problem. The exit code is 1 when something is.`,
		Example: "  plumb pack test pack.yaml\n  plumb pack test pack.yaml --parameter MaxAge=90 --parameter Bucket=logs",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			catalogue, err := managed.Load()
			if err != nil {
				return err
			}
			parameters := map[string]string{}
			for _, v := range values {
				name, value, found := strings.Cut(v, "=")
				if !found {
					return fmt.Errorf("--parameter %s: NAME=VALUE is wanted", v)
				}
				parameters[name] = value
			}
			ok := true
			for _, name := range names {
				if !testPack(cmd.OutOrStdout(), catalogue, name, parameters) {
					ok = false
				}
			}
			if !ok {
				return exitError{code: 1}
			}
			return nil
		},
	}
	command.Flags().StringArrayVar(&values, "parameter", nil, "value of a parameter of the template, as NAME=VALUE")
	return command
}

// testPack checks one template, prints what it makes and reports whether all is
// well.
func testPack(out io.Writer, catalogue *managed.Catalogue, name string, parameters map[string]string) bool {
	text, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintln(out, err)
		return false
	}
	contents, err := readPack(text, parameters)
	if wrong, ok := errors.AsType[*template.Error](err); ok {
		for _, p := range wrong.Problems {
			fmt.Fprintln(out, located(name, p))
		}
		fmt.Fprintf(out, "FAIL %s: problems: %d\n", name, len(wrong.Problems))
		return false
	}
	if err != nil {
		fmt.Fprintf(out, "%s: %s\n", name, err)
		return false
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	count := map[conformance.Evaluator]int{}
	var refused []error
	for _, r := range contents.Rules {
		by, err := conformance.EvaluatorOf(catalogue, r.Rule)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		count[by]++
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Name, r.Source.Identifier, by)
	}
	table.Flush()
	for _, err := range refused {
		fmt.Fprintf(out, "%s: %s\n", name, err)
	}
	if len(refused) > 0 {
		fmt.Fprintf(out, "FAIL %s: %d of %d rules would be refused\n", name, len(refused), len(contents.Rules))
		return false
	}
	fmt.Fprintf(out, "ok   %s: %d rules, %d without an evaluator, %d remediations\n",
		name, len(contents.Rules), count[conformance.ByNobody], len(contents.Remediations))
	return true
}

// readPack reads a template as if an account had put it.
func readPack(text []byte, parameters map[string]string) (conformance.Contents, error) {
	g := conformance.Given{Place: config.Place{Account: "123456789012", Region: "us-east-1"}, StackName: "awsconfigconforms-test"}
	for name, value := range parameters {
		g.Parameters = append(g.Parameters, config.PackParameter{Name: name, Value: value})
	}
	return conformance.Read(text, g)
}

// located prints a problem as compilers do.
func located(name string, p template.Problem) string {
	line := p.Line
	p.Line = 0
	if line == 0 {
		return name + ": " + p.String()
	}
	return fmt.Sprintf("%s:%d: %s", name, line, strings.TrimSpace(p.String()))
}
