package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/config"
	"plumb/internal/fixture"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/ruledev"
	"plumb/internal/ruletest"
)

// serverFlags adds the flags of commands that talk to a running server, and returns
// what reaches it.
func serverFlags(cmd *cobra.Command) func() (*rulebench.Bench, error) {
	var endpoint string
	load := addSettings(cmd, "account", "region", "listen", "rules")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server, in development mode (default: made of the listen setting)")
	return func() (*rulebench.Bench, error) {
		s, err := load()
		if err != nil {
			return nil, err
		}
		return reach(s, endpoint), nil
	}
}

func newRulePutCommand() *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use:   "put PATH...",
		Short: "Put rules from files on a running server",
		Long: `Put puts the rules at the paths on a running server, each with its function, and prints their names. It finds them as
"plumb rule dev" does. What is there under such a name is replaced. Where no recorder is, it makes one that records everything.`,
		Example: "  plumb rule put my-rule --endpoint http://127.0.0.1:4577\n  plumb rule put my-rule --parameter tagKey=owner",
		Args:    cobra.MinimumNArgs(1),
	}
	server := serverFlags(cmd)
	cmd.Flags().StringArrayVar(&given, "parameter", nil, "`NAME=VALUE` of a parameter of the rules, in the place of their own")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		if err := b.Record(cmd.Context()); err != nil {
			return err
		}
		parameters := map[string]string{}
		for _, p := range given {
			name, value, ok := strings.Cut(p, "=")
			if !ok || name == "" {
				return fmt.Errorf("--parameter %s: want NAME=VALUE", p)
			}
			parameters[name] = value
		}
		for _, path := range paths {
			rules, err := ruletest.Rules(path)
			if err != nil {
				return err
			}
			for _, r := range rules {
				if err := b.Put(cmd.Context(), r.With(parameters)); err != nil {
					return fmt.Errorf("%s: %w", r.Name, err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), r.Name)
			}
		}
		return nil
	}
	return cmd
}

const resourceArgument = "RESOURCE is TYPE/ID, or an id or a name that only one recorded resource has."

func newRuleRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run RULE [RESOURCE]",
		Short: "Have a rule of a running server evaluate again",
		Long: `Run has a rule evaluate what is recorded, or one resource, and prints the verdicts, and what a function printed.
` + resourceArgument,
		Example: "  plumb rule run buckets-versioned\n  plumb rule run buckets-versioned AWS::S3::Bucket/logs",
		Args:    cobra.RangeArgs(1, 2),
	}
	server := serverFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		s := &ruledev.Session{Out: cmd.OutOrStdout(), Color: isTerminal(cmd.OutOrStdout())}
		if len(args) == 1 {
			return s.Run(cmd.Context(), b, args[0], nil)
		}
		key, err := b.Find(cmd.Context(), args[1])
		if err != nil {
			return err
		}
		return s.Run(cmd.Context(), b, args[0], &key)
	}
	return cmd
}

func newRuleEventCommand() *cobra.Command {
	var o rulebench.Occasion
	var itemFile string
	cmd := &cobra.Command{
		Use:   "event RULE [RESOURCE]",
		Short: "Print the event that a rule's function would get",
		Long: `Event prints what the function of a rule would be invoked with for a recorded resource, for an item in a file, or,
without either, for the tick of its schedule. The result token in it counts.
` + resourceArgument,
		Example: "  plumb rule event my-rule AWS::S3::Bucket/logs > event.json\n  plumb rule event my-rule --item fixtures/bucket.json",
		Args:    cobra.RangeArgs(1, 2),
	}
	server := serverFlags(cmd)
	cmd.Flags().StringVar(&itemFile, "item", "", "a `FILE` with an item, in the place of a recorded one")
	cmd.Flags().BoolVar(&o.LeftScope, "left-scope", false, "as if the resource had left the rule's scope")
	cmd.Flags().BoolVar(&o.Oversized, "oversized", false, "as if the item were too large for an event")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		switch {
		case itemFile != "":
			text, err := os.ReadFile(itemFile)
			if err != nil {
				return err
			}
			it, err := fixture.Read(text, fixture.Defaults{Place: b.Place})
			if err != nil {
				return fmt.Errorf("%s: %w", itemFile, err)
			}
			o.Item = &it
		case len(args) == 2:
			var key config.ResourceKey
			if key, err = b.Find(cmd.Context(), args[1]); err != nil {
				return err
			}
			o.Type, o.ID = key.Type, key.ID
		}
		event, _, err := b.Event(cmd.Context(), args[0], o)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, event, "", "  "); err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), out.String())
		return err
	}
	return cmd
}

func newWhyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why RULE RESOURCE",
		Short: "Say what a rule says of a resource, and what decided it",
		Long: `Why prints the verdict of a rule on a recorded resource, with its annotation, and evaluates the newest item again to say what
decided: the check of a managed rule with the values that it read, or the clauses of a policy that failed.
` + resourceArgument,
		Example: "  plumb why buckets-versioned logs",
		Args:    cobra.ExactArgs(2),
	}
	server := serverFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		key, err := b.Find(cmd.Context(), args[1])
		if err != nil {
			return err
		}
		rules, err := cmd.Flags().GetString("rules")
		if err != nil {
			rules = ""
		}
		c, err := managed.LoadWith(rules)
		if err != nil {
			return err
		}
		s := &ruledev.Session{Out: cmd.OutOrStdout(), Color: isTerminal(cmd.OutOrStdout())}
		return ruledev.Why(cmd.Context(), b, c, s, args[0], key)
	}
	return cmd
}
