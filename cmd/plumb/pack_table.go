package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/conformance"
	"plumb/internal/rule/managed"
)

func newPackTableCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "table FOLDER",
		Short: "Print how many rules of each template of a folder are evaluated, in Markdown",
		Long: `Print a page in Markdown: for each template of a folder how many rules it makes, how many of them have an
evaluator and how many do not, and which managed rules those are. Parameters without a default get a value of one word.
docs/packs.md is this page of the public packs of awslabs/aws-config-rules.`,
		Example: "  plumb pack table aws-config-rules/aws-config-conformance-packs > docs/packs.md",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writePackTable(cmd.OutOrStdout(), args[0])
		},
	}
}

// packCount counts the rules of a template.
type packCount struct {
	name                      string
	rules, evaluated, missing int
}

func writePackTable(w io.Writer, folder string) error {
	catalogue, err := managed.Load()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.y*ml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no .yaml or .yml files", folder)
	}
	var counts []packCount
	missing := map[string]int{} // in how many packs an identifier is
	for _, file := range files {
		c, without, err := countPack(catalogue, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		counts = append(counts, c)
		for identifier := range without {
			missing[identifier]++
		}
	}
	printPackTable(w, counts, missing)
	return nil
}

func countPack(catalogue *managed.Catalogue, file string) (packCount, map[string]bool, error) {
	c := packCount{name: filepath.Base(file)}
	text, err := os.ReadFile(file)
	if err != nil {
		return c, nil, err
	}
	parameters, err := conformance.Parameters(text)
	if err != nil {
		return c, nil, err
	}
	given := map[string]string{}
	for _, p := range parameters {
		if p.Default == nil {
			given[p.Name] = "value"
		}
	}
	contents, err := readPack(text, given)
	if err != nil {
		return c, nil, err
	}
	without := map[string]bool{}
	for _, r := range contents.Rules {
		by, err := conformance.EvaluatorOf(catalogue, r.Rule)
		if err != nil {
			return c, nil, err
		}
		c.rules++
		if by == conformance.ByNobody {
			c.missing++
			without[r.Source.Identifier] = true
		} else {
			c.evaluated++
		}
	}
	return c, without, nil
}

func printPackTable(w io.Writer, counts []packCount, missing map[string]int) {
	var all packCount
	complete := 0
	for _, c := range counts {
		all.rules, all.evaluated, all.missing = all.rules+c.rules, all.evaluated+c.evaluated, all.missing+c.missing
		if c.missing == 0 {
			complete++
		}
	}
	fmt.Fprint(w, "# Public conformance packs\n\n<!-- Printed by `plumb pack table`. Do not edit. -->\n\n"+
		"The packs of [awslabs/aws-config-rules](https://github.com/awslabs/aws-config-rules), with the rules that they make when each parameter\n"+
		"has its default. A rule has an evaluator if this program, a function or a policy decides by it, or if somebody puts its verdict (process checks).\n"+
		"A rule without one is deployed too; it gives no verdict, and the pack's status names it.\n\n")
	fmt.Fprintf(w, "%d packs, %d of them with an evaluator for every rule; %d rules, %d with an evaluator, %d without.\n\n",
		len(counts), complete, all.rules, all.evaluated, all.missing)
	fmt.Fprint(w, "| pack | rules | with evaluator | without |\n|---|---|---|---|\n")
	for _, c := range counts {
		fmt.Fprintf(w, "| %s | %d | %d | %d |\n", strings.TrimSuffix(c.name, filepath.Ext(c.name))+ext(c.name), c.rules, c.evaluated, c.missing)
	}
	if len(missing) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Managed rules without an evaluator\n\n| identifier | packs |\n|---|---|\n")
	names := slices.SortedFunc(maps.Keys(missing), func(a, b string) int {
		return cmp.Or(cmp.Compare(missing[b], missing[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		fmt.Fprintf(w, "| `%s` | %d |\n", name, missing[name])
	}
}

// ext tells packs apart that are there twice, as .yaml and as .yml.
func ext(name string) string {
	if filepath.Ext(name) == ".yml" {
		return " (.yml)"
	}
	return ""
}
