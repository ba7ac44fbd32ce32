package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/preview"
	"plumb/internal/report"
	"plumb/internal/resource"
	"plumb/internal/rule/managed"
	"plumb/internal/rulefile"
	"plumb/internal/textfile"
	"plumb/models"
	"plumb/planned"
	"plumb/resources"
)

func newCheckCommand() *cobra.Command {
	var f reportFlags
	var rules, ruleParameters, parameters []string
	var quiet, types bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check a Terraform plan or state, or a CloudFormation template, by rules",
		Long: `Check has rules evaluate resources before they are there. A FILE is a plan or a state of Terraform, as
"terraform show -json" prints it, a state file, or a template of CloudFormation. Each resource becomes the
item that AWS Config would record of it; --types lists the types that this is known of.

What cannot be known before it is applied is never guessed: such a rule is skipped, and the reason is told.

Without --rule the managed rules run that need no parameters. A --rule is the identifier of a managed rule, a
Guard policy, a rule file, or a folder of these. Functions are not run.

Exit codes: 0 nothing failed, 1 a resource does not comply, 2 something could not be checked.`,
		Example: `  terraform plan -out plan && terraform show -json plan > plan.json
  plumb check plan.json
  plumb check template.yaml --rule S3_BUCKET_VERSIONING_ENABLED --rule policies/
  plumb check plan.json --rule REQUIRED_TAGS --rule-parameter REQUIRED_TAGS.tag1Key=team --sarif=check.sarif`,
		Args: func(cmd *cobra.Command, args []string) error {
			if types {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
	}
	misuseBreaks(cmd)
	cmd.Flags().BoolVar(&types, "types", false, "list the planned types that are known, and end")
	cmd.Flags().StringArrayVarP(&rules, "rule", "r", nil, "an identifier of a managed rule, or a `PATH`")
	cmd.Flags().StringArrayVar(&ruleParameters, "rule-parameter", nil, "a parameter of a rule, as `RULE.NAME=VALUE`")
	cmd.Flags().StringArrayVar(&parameters, "parameter", nil, "a parameter of a template, as `NAME=VALUE`")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "leave out what cannot be told")
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if types {
			return listPlanned(cmd.OutOrStdout())
		}
		cases, others, err := checkFiles(files, rules, ruleParameters, parameters)
		if err != nil {
			return exitError{exitBroken, err}
		}
		if quiet {
			cases = slices.DeleteFunc(cases, func(c report.Case) bool { return c.Status == report.Skipped })
		}
		if others != "" && !quiet {
			fmt.Fprintf(cmd.ErrOrStderr(), "not checked, because no file says how they become items: %s\n", others)
		}
		return f.write(cmd.OutOrStdout(), report.Report{Tool: "plumb check", Version: version(), Cases: cases})
	}
	return cmd
}

func loadPlanned() (*preview.Catalogue, error) {
	types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		return nil, err
	}
	return preview.Load(planned.FS, types.AsWritten)
}

func listPlanned(out io.Writer) error {
	c, err := loadPlanned()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, strings.Join(c.Types(), "\n"))
	return err
}

func checkFiles(files, rules, ruleParameters, parameters []string) (cases []report.Case, others string, err error) {
	given, err := pairs("--parameter", parameters)
	if err != nil {
		return nil, "", err
	}
	catalogue, err := loadPlanned()
	if err != nil {
		return nil, "", err
	}
	by, err := checkRules(rules, ruleParameters)
	if err != nil {
		return nil, "", err
	}
	var left []preview.Resource
	for _, path := range files {
		text, err := textfile.Read(path)
		if err != nil {
			return nil, "", err
		}
		file, err := preview.Read(path, text, preview.Options{Parameters: given})
		if err != nil {
			return nil, "", err
		}
		items, rest, err := catalogue.Items(file.Resources)
		if err != nil {
			return nil, "", err
		}
		cases = append(cases, preview.Check(file, by, items)...)
		left = append(left, rest...)
	}
	return cases, preview.Others(left), nil
}

// checkRules are the rules that are named; without any, the managed ones that need no
// parameters.
func checkRules(named, parameters []string) ([]preview.Rule, error) {
	c, err := managed.Load()
	if err != nil {
		return nil, err
	}
	of := map[string]map[string]string{}
	for _, p := range parameters {
		key, value, ok := strings.Cut(p, "=")
		rule, name, dot := strings.Cut(key, ".")
		if !ok || !dot {
			return nil, fmt.Errorf("--rule-parameter %s: RULE.NAME=VALUE is wanted", p)
		}
		if of[rule] == nil {
			of[rule] = map[string]string{}
		}
		of[rule][name] = value
	}
	if len(named) == 0 {
		return preview.AllManaged(c)
	}
	var all []preview.Rule
	for _, name := range named {
		some, err := rulesNamed(c, name, of)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func rulesNamed(c *managed.Catalogue, name string, parameters map[string]map[string]string) ([]preview.Rule, error) {
	if _, known := c.Known(name); known {
		text := ""
		if len(parameters[name]) > 0 {
			b, err := json.Marshal(parameters[name])
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		r, err := preview.ManagedRule(c, name, text)
		return []preview.Rule{r}, err
	}
	written, err := rulefile.Find(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("--rule %s is neither the identifier of a managed rule nor a file or folder", name)
	}
	if err != nil {
		return nil, err
	}
	var all []preview.Rule
	for _, w := range written {
		r, err := preview.WrittenRule(c, w.With(parameters[w.Name]))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// pairs reads NAME=VALUE.
func pairs(flag string, values []string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, fmt.Errorf("%s %s: NAME=VALUE is wanted", flag, v)
		}
		out[name] = value
	}
	return out, nil
}
