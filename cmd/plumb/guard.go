package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"plumb/internal/guard/command"
)

func newGuardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "guard",
		Short: "Evaluate and test policies written in Guard",
		Long: `Guard is the language of AWS Config's custom policy rules. The subcommands take the arguments of
cfn-guard and end with its exit codes; docs/guard.md describes the language.`,
	}
	cmd.AddCommand(newGuardValidateCommand(), newGuardTestCommand(), newGuardParseTreeCommand())
	return cmd
}

func streams(cmd *cobra.Command) command.Streams {
	return command.Streams{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
}

// ended turns a command's code and error into the program's end.
func ended(code int, err error) error {
	if code == command.OK && err == nil {
		return nil
	}
	if code == command.OK {
		code = command.Error
	}
	return exitError{code: code, err: err}
}

func newGuardValidateCommand() *cobra.Command {
	v := &command.Validate{Version: version()}
	var template string
	var alphabetical bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Evaluate rule files on documents",
		Long: `Evaluate Guard rule files on documents in JSON or YAML.

Exit codes: 0 nothing failed, 19 a document fails a rule, 5 a rule file cannot be read, 255 anything else.`,
		Example: `  plumb guard validate --rules buckets.guard --data template.yaml
  plumb guard validate -r rules/ -d templates/ --show-summary all
  plumb guard validate -r rules/ -d item.json --structured --show-summary none --output-format sarif
  plumb guard validate -r ports.guard -d item.json --input-parameters limits.yaml
  cat item.json | plumb guard validate --rules buckets.guard`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ended(v.Run(cmd.Context(), streams(cmd)))
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&v.Rules, "rules", "r", nil, "rule files, or folders with .guard and .ruleset files")
	f.StringArrayVarP(&v.Data, "data", "d", nil, "documents, or folders with .yaml, .yml, .json, .jsn and .template files (default standard input)")
	f.StringArrayVarP(&v.InputParameters, "input-parameters", "i", nil, "parameter files, or folders, that are merged into every document")
	f.StringVarP(&template, "type", "t", "", "taken for compatibility: CFNTemplate")
	f.StringVarP(&v.Format, "output-format", "o", command.SingleLine, strings.Join(command.Formats(), ", "))
	f.StringSliceVarP(&v.ShowSummary, "show-summary", "S", []string{"fail"}, "verdicts in the table: all, pass, fail, skip, none")
	f.BoolVarP(&alphabetical, "alphabetical", "a", false, "read folders by name (they are)")
	f.BoolVarP(&v.LastModified, "last-modified", "m", false, "read folders by the time of the last change")
	f.BoolVarP(&v.Verbose, "verbose", "v", false, "show every step as a tree")
	f.BoolVarP(&v.PrintJSON, "print-json", "p", false, "show every step as JSON")
	f.BoolVarP(&v.Payload, "payload", "P", false, `read {"rules": [...], "data": [...]} from standard input`)
	f.BoolVarP(&v.Structured, "structured", "z", false, "write one JSON, YAML, JUnit or SARIF document")
	cmd.MarkFlagsMutuallyExclusive("alphabetical", "last-modified")
	return guardFlags(cmd, "rules", "data", "input-parameters")
}

func newGuardTestCommand() *cobra.Command {
	t := &command.Test{}
	var alphabetical bool
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Run the tests of rule files",
		Long: `Run the tests of Guard rule files: documents with the verdicts that are expected.

Exit codes: 0 every expectation is met, 7 one is not, 1 a test cannot be run, 255 anything else.`,
		Example: `  plumb guard test --rules-file buckets.guard --test-data buckets_tests.yaml
  plumb guard test -r buckets.guard -t tests/ --verbose
  plumb guard test --dir rules/ --output-format junit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ended(t.Run(cmd.Context(), streams(cmd)))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&t.RulesFile, "rules-file", "r", "", "a rule file")
	f.StringVarP(&t.TestData, "test-data", "t", "", "a file or folder of tests")
	f.StringVarP(&t.Dir, "dir", "d", "", "a folder of rule files, each with its tests in the folder tests beside it")
	f.StringVarP(&t.Format, "output-format", "o", command.SingleLine, "single-line-summary, json, yaml, junit")
	f.BoolVarP(&alphabetical, "alphabetical", "a", false, "read folders by name (they are)")
	f.BoolVarP(&t.LastModified, "last-modified", "m", false, "read folders by the time of the last change")
	f.BoolVarP(&t.Verbose, "verbose", "v", false, "show every step as a tree")
	cmd.MarkFlagsMutuallyExclusive("alphabetical", "last-modified")
	return guardFlags(cmd)
}

func newGuardParseTreeCommand() *cobra.Command {
	p := &command.ParseTree{}
	var asJSON, asYAML bool
	cmd := &cobra.Command{
		Use:   "parse-tree",
		Short: "Print the tree of a rule file",
		Long:  "Print how a Guard rule file is understood, as YAML or JSON.",
		Example: `  plumb guard parse-tree --rules buckets.guard
  plumb guard parse-tree -r buckets.guard --print-json --output tree.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.Format = command.YAML
			if asJSON {
				p.Format = command.JSON
			}
			return ended(p.Run(streams(cmd)))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&p.Rules, "rules", "r", "", "a rule file (default standard input)")
	f.StringVarP(&p.Output, "output", "o", "", "a file to write to (default standard output)")
	f.BoolVarP(&asJSON, "print-json", "p", false, "write JSON")
	f.BoolVarP(&asYAML, "print-yaml", "y", false, "write YAML (the default)")
	return guardFlags(cmd)
}

// guardFlags makes a command take its flags as cfn-guard does: a flag in lists may
// be followed by several values, and output formats may be written in capitals.
func guardFlags(cmd *cobra.Command, lists ...string) *cobra.Command {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "input-params" {
			name = "input-parameters"
		}
		return pflag.NormalizedName(name)
	})
	run := cmd.RunE
	cmd.DisableFlagParsing = true
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cmd.DisableFlagParsing = false
		if err := cmd.ParseFlags(spread(args, listFlags(cmd, lists))); err != nil {
			return exitError{code: command.Error, err: err}
		}
		if help, err := cmd.Flags().GetBool("help"); err == nil && help || len(args) == 0 {
			return cmd.Help()
		}
		if err := cmd.ValidateFlagGroups(); err != nil {
			return exitError{code: command.Error, err: err}
		}
		if err := cobra.NoArgs(cmd, cmd.Flags().Args()); err != nil {
			return exitError{code: command.Error, err: err}
		}
		return run(cmd, nil)
	}
	return cmd
}

// listFlags are flags as they are written, long and short.
func listFlags(cmd *cobra.Command, names []string) map[string]bool {
	written := map[string]bool{"--input-params": true}
	for _, name := range names {
		written["--"+name] = true
		if f := cmd.Flags().Lookup(name); f != nil {
			written["-"+f.Shorthand] = true
		}
	}
	return written
}

// spread repeats a flag before each of the values that follow it: -r a b becomes
// -r a -r b.
func spread(args []string, lists map[string]bool) []string {
	var spreaded []string
	flag, value := "", false
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, "-") && a != "-":
			flag, value = "", false
			if lists[a] {
				flag = a
			}
		case flag != "" && value:
			spreaded = append(spreaded, flag)
		case flag != "":
			value = true
		}
		spreaded = append(spreaded, a)
	}
	return spreaded
}
