package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/automation"
	"plumb/internal/awsclient"
	"plumb/internal/config"
)

func newRemediationCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "remediation",
		Short: "See what a remediation would do",
	}
	command.AddCommand(newRemediationDryRunCommand())
	return command
}

// A dryRun prints what the remediation of a rule would do to resources.
type dryRun struct {
	client   *awsclient.Client
	place    config.Place
	rule     string
	resource string // empty for all that do not comply
	most     int
	out      io.Writer
}

func newRemediationDryRunCommand() *cobra.Command {
	var endpoint string
	d := dryRun{most: 10}
	cmd := &cobra.Command{
		Use:   "dry-run RULE",
		Short: "Print the steps that the remediation of a rule would run",
		Long: `Dry-run prints, for each resource that does not comply with a rule, the steps that the document of its remediation
would run, with the inputs that are known beforehand. It asks a running server, calls nothing that the steps name, and changes
nothing. Of a step after a branch that depends on an answer it says that it may run.`,
		Example: `  plumb remediation dry-run versioned
  plumb remediation dry-run versioned --resource logs`,
		Args: cobra.ExactArgs(1),
	}
	load := addSettings(cmd)
	cmd.Flags().StringVar(&d.resource, "resource", "", "only the resource with this `ID`, whether it complies or not")
	cmd.Flags().IntVar(&d.most, "resources", d.most, "at most `N` resources")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := load()
		if err != nil {
			return err
		}
		d.client, d.rule, d.out = logClient(s, endpoint), args[0], cmd.OutOrStdout()
		d.place.Region = s.Region
		return d.print(cmd.Context())
	}
	return cmd
}

func (d *dryRun) print(ctx context.Context) error {
	me, err := d.client.Call(ctx, "sts", "GetCallerIdentity", map[string]any{})
	if err != nil {
		return fmt.Errorf("ask who calls: %w", err)
	}
	d.place.Account, _ = me["Account"].(string)
	remediation, err := d.remediation(ctx)
	if err != nil {
		return err
	}
	doc, err := d.document(ctx, remediation)
	if err != nil {
		return err
	}
	resources, err := d.resources(ctx, textOf(remediation["ResourceType"]))
	if err != nil {
		return err
	}
	if len(resources) == 0 && d.resource != "" {
		return fmt.Errorf("the rule %s has no result on the resource %s", d.rule, d.resource)
	}
	if len(resources) == 0 {
		fmt.Fprintf(d.out, "No resource fails to comply with %s: nothing would be done.\n", d.rule)
	}
	for _, r := range resources {
		if err := d.plan(doc, remediation, r); err != nil {
			return fmt.Errorf("%s %s: %w", r.Type, r.ID, err)
		}
	}
	return nil
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

func (d *dryRun) remediation(ctx context.Context) (map[string]any, error) {
	out, err := d.client.Call(ctx, "config", "DescribeRemediationConfigurations", map[string]any{"ConfigRuleNames": []any{d.rule}})
	if err != nil {
		return nil, fmt.Errorf("read the remediation of %s: %w", d.rule, err)
	}
	all, _ := out["RemediationConfigurations"].([]any)
	if len(all) == 0 {
		return nil, fmt.Errorf("the rule %s has no remediation configuration", d.rule)
	}
	return all[0].(map[string]any), nil
}

func (d *dryRun) document(ctx context.Context, remediation map[string]any) (*automation.Document, error) {
	name, in := textOf(remediation["TargetId"]), map[string]any{"Name": remediation["TargetId"]}
	if v := textOf(remediation["TargetVersion"]); v != "" {
		in["DocumentVersion"] = v
	}
	out, err := d.client.Call(ctx, "ssm", "GetDocument", in)
	if err != nil {
		return nil, fmt.Errorf("read the document %s: %w", name, err)
	}
	doc, err := automation.Parse(textOf(out["Content"]))
	if err != nil {
		return nil, fmt.Errorf("the document %s: %w", name, err)
	}
	return doc, nil
}

// resources returns those that do not comply, or the one that is named.
func (d *dryRun) resources(ctx context.Context, ofType string) (found []config.ResourceKey, err error) {
	if d.resource != "" && ofType != "" {
		return []config.ResourceKey{{Place: d.place, Type: ofType, ID: d.resource}}, nil
	}
	in := map[string]any{"ConfigRuleName": d.rule}
	if d.resource == "" {
		in["ComplianceTypes"] = []any{"NON_COMPLIANT"}
	}
	for {
		out, err := d.client.Call(ctx, "config", "GetComplianceDetailsByConfigRule", in)
		if err != nil {
			return nil, fmt.Errorf("read the results of %s: %w", d.rule, err)
		}
		results, _ := out["EvaluationResults"].([]any)
		for _, r := range results {
			key := resultKey(r)
			if key.Place = d.place; d.resource != "" && key.ID != d.resource || ofType != "" && key.Type != ofType {
				continue
			}
			if len(found) == d.most {
				fmt.Fprintf(d.out, "There are more resources: these are the first %d.\n\n", d.most)
				return found, nil
			}
			found = append(found, key)
		}
		if in["NextToken"] = out["NextToken"]; textOf(in["NextToken"]) == "" {
			return found, nil
		}
	}
}

func resultKey(result any) (key config.ResourceKey) {
	for _, member := range []string{"EvaluationResultIdentifier", "EvaluationResultQualifier"} {
		object, _ := result.(map[string]any)
		result = object[member]
	}
	qualifier, _ := result.(map[string]any)
	key.Type, key.ID = textOf(qualifier["ResourceType"]), textOf(qualifier["ResourceId"])
	return key
}

// parametersFor returns what a document is given for a resource.
func parametersFor(remediation map[string]any, id string) map[string][]string {
	out := map[string][]string{}
	all, _ := remediation["Parameters"].(map[string]any)
	for name, v := range all {
		value, _ := v.(map[string]any)
		if value["ResourceValue"] != nil {
			out[name] = []string{id}
			continue
		}
		static, _ := value["StaticValue"].(map[string]any)
		texts, _ := static["Values"].([]any)
		for _, t := range texts {
			out[name] = append(out[name], textOf(t))
		}
	}
	return out
}

func (d *dryRun) plan(doc *automation.Document, remediation map[string]any, r config.ResourceKey) error {
	steps, err := doc.Plan(d.place, parametersFor(remediation, r.ID), time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%s %s, by %s:\n", printable(r.Type), printable(r.ID), textOf(remediation["TargetId"]))
	for i, s := range steps {
		text, err := json.Marshal(s.Inputs)
		if err != nil {
			return err
		}
		may := ""
		if s.Maybe {
			may = " (may run)"
		}
		fmt.Fprintf(d.out, "  %2d. %s %s%s\n      %s\n", i+1, s.Name, strings.TrimPrefix(s.Action, "aws:"), may, text)
	}
	fmt.Fprintln(d.out)
	return nil
}
