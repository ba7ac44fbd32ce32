package main

import (
	"fmt"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newChannelsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "channels",
		Short: "See the channels that people are told by, and try one",
		Long: `Channels shows the channels of the server's settings: webhooks, Slack, Teams and mail that are told of verdicts, changes
and deliveries. What a channel did not take is among plumb deliveries.

It asks a running server. In server mode that has the setting control-token, and so has this command, as
PLUMB_CONTROL_TOKEN or in the settings file.`,
	}
	command.AddCommand(newChannelsListCommand(), newChannelsTestCommand())
	return command
}

func newChannelsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the channels of the settings",
		Args:    cobra.NoArgs,
		Example: "  plumb channels list",
	}
	client := addServerClient(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		var all struct {
			Channels []struct {
				Name string `json:"name"`
				Kind string `json:"kind"`
			} `json:"channels"`
		}
		if err := c.ask(cmd.Context(), "GET", "/_plumb/channels", nil, &all); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(all)
		}
		if len(all.Channels) == 0 {
			_, err := fmt.Fprintln(c.out, "The settings have no channels.")
			return err
		}
		t := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(t, "NAME\tKIND")
		for _, ch := range all.Channels {
			fmt.Fprintf(t, "%s\t%s\n", printable(ch.Name), printable(ch.Kind))
		}
		return t.Flush()
	}
	return cmd
}

func newChannelsTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "test NAME",
		Short:   "Send an example to a channel, whatever it chooses and whatever the hour",
		Args:    cobra.ExactArgs(1),
		Example: "  plumb channels test ops",
	}
	client := addServerClient(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		var sent map[string]string
		if err := c.ask(cmd.Context(), "POST", "/_plumb/channels/"+url.PathEscape(args[0])+"/test", map[string]string{}, &sent); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(sent)
		}
		_, err = fmt.Fprintf(c.out, "An example was sent to %s.\n", args[0])
		return err
	}
	return cmd
}
