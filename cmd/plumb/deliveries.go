package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/delivery"
)

// A serverClient asks a running server what its own pages tell.
type serverClient struct {
	url, token string
	json       bool
	out        io.Writer
}

func newDeliveriesCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "deliveries",
		Short: "See the messages that could not be delivered, try them again or drop them",
		Long: `Deliveries shows what becomes of the messages that AWS Config sends to topics, to an outside event bus and to the channels of the settings. A message that is not taken is tried
for as long as the setting delivery-age says, in the order of its resource. Then it is undelivered, and stays until somebody
tries it again or drops it, for 30 days at most.

It asks a running server. In server mode that has the setting control-token, and so has this command, as
PLUMB_CONTROL_TOKEN or in the settings file.`,
	}
	command.AddCommand(newDeliveriesListCommand(), newDeliveriesShowCommand(),
		newDeliveriesOrderCommand("retry", "Try undelivered messages again", "%d messages are tried again.\n"),
		newDeliveriesOrderCommand("drop", "Forget undelivered messages", "%d messages are dropped.\n"))
	return command
}

// addServerClient adds the flags that all have, and returns what makes the client.
func addServerClient(cmd *cobra.Command) func() (*serverClient, error) {
	var endpoint string
	c := &serverClient{}
	load := addSettings(cmd)
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	return func() (*serverClient, error) {
		s, err := load()
		if err != nil {
			return nil, err
		}
		if c.url, c.token, c.out = endpoint, s.ControlToken.Reveal(), cmd.OutOrStdout(); c.url == "" {
			c.url = s.URL()
		}
		return c, nil
	}
}

func newDeliveriesListCommand() *cobra.Command {
	var account string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what waits and what is undelivered",
		Args:  cobra.NoArgs,
		Example: `  plumb deliveries list
  plumb deliveries list --only-account 123456789012 --json`,
	}
	client := addServerClient(cmd)
	cmd.Flags().StringVar(&account, "only-account", "", "only undelivered messages of the account with these `DIGITS`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		return c.list(cmd.Context(), account)
	}
	return cmd
}

func newDeliveriesShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Print undelivered messages as they would be sent",
		Args:    cobra.ExactArgs(1),
		Example: "  plumb deliveries show 7",
	}
	client := addServerClient(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		return c.show(cmd.Context(), args[0])
	}
	return cmd
}

func newDeliveriesOrderCommand(verb, short, told string) *cobra.Command {
	var all bool
	var account string
	cmd := &cobra.Command{
		Use:   verb + " [ID]",
		Short: short,
		Args:  cobra.MaximumNArgs(1),
		Example: fmt.Sprintf(`  plumb deliveries %s 7
  plumb deliveries %s --all`, verb, verb),
	}
	client := addServerClient(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "all that are undelivered")
	cmd.Flags().StringVar(&account, "only-account", "", "those of the account with these `DIGITS`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) == 1) == (all || account != "") {
			return errors.New("give one of ID, --all and --only-account")
		}
		order := map[string]any{"all": all, "account": account}
		if len(args) == 1 {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no id: plumb deliveries list prints them", args[0])
			}
			order["id"] = id
		}
		c, err := client()
		if err != nil {
			return err
		}
		var answer struct {
			Messages int `json:"messages"`
		}
		if err := c.call(cmd.Context(), "POST", "/"+verb, order, &answer); err != nil {
			return err
		}
		if c.json {
			return c.printJSON(answer)
		}
		_, err = fmt.Fprintf(c.out, told, answer.Messages)
		return err
	}
	return cmd
}

type listedDeliveries struct {
	Lanes []struct {
		Account  string    `json:"account"`
		Region   string    `json:"region"`
		Sink     string    `json:"sink"`
		State    string    `json:"state"`
		Messages int64     `json:"messages"`
		Oldest   time.Time `json:"oldest"`
	} `json:"lanes"`
	Undelivered []delivery.Undelivered `json:"undelivered"`
}

func (c *serverClient) list(ctx context.Context, account string) error {
	var all listedDeliveries
	for after := int64(0); ; {
		var page listedDeliveries
		query := url.Values{"account": {account}, "after": {strconv.FormatInt(after, 10)}}
		if err := c.call(ctx, "GET", "?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		all.Lanes = page.Lanes
		all.Undelivered = append(all.Undelivered, page.Undelivered...)
		if len(page.Undelivered) == 0 {
			break
		}
		after = page.Undelivered[len(page.Undelivered)-1].ID
	}
	if c.json {
		return c.printJSON(all)
	}
	if len(all.Lanes) == 0 {
		_, err := fmt.Fprintln(c.out, "No message waits, and none is undelivered.")
		return err
	}
	t := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ACCOUNT\tREGION\tSINK\tSTATE\tMESSAGES\tOLDEST")
	for _, l := range all.Lanes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", l.Account, l.Region, printable(l.Sink), l.State, l.Messages, l.Oldest.Format(time.RFC3339))
	}
	if len(all.Undelivered) > 0 {
		fmt.Fprintln(t, "\nID\tACCOUNT\tREGION\tCREATED\tABOUT\tLAST ERROR")
	}
	for _, u := range all.Undelivered {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", u.ID, u.Account, u.Region, u.Created.Format(time.RFC3339), about(u.Of), short(u.Error, 100))
	}
	return t.Flush()
}

// about names the first of what messages are about.
func about(all []string) string {
	if len(all) == 0 {
		return ""
	}
	text := short(all[0], 80)
	if len(all) > 1 {
		text += fmt.Sprintf(" and %d more", len(all)-1)
	}
	return text
}

func short(text string, n int) string {
	text = printable(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-3]) + "..."
	}
	return text
}

func (c *serverClient) show(ctx context.Context, id string) error {
	var one struct {
		delivery.Undelivered
		Written []struct {
			Subject string `json:"subject"`
			Body    string `json:"body"`
		} `json:"written"`
		Why string `json:"notWritten,omitempty"`
	}
	if err := c.call(ctx, "GET", "/"+url.PathEscape(id), nil, &one); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(one)
	}
	fmt.Fprintf(c.out, "%d messages of %s in %s, from %s, last tried %s: %s\n", one.Messages, one.Account, one.Region,
		one.Created.Format(time.RFC3339), one.Tried.Format(time.RFC3339), short(one.Error, 500))
	if one.Why != "" {
		fmt.Fprintln(c.out, "They cannot be written now:", short(one.Why, 500))
	}
	for _, m := range one.Written {
		fmt.Fprintf(c.out, "\n%s\n%s\n", printable(m.Subject), m.Body)
	}
	return nil
}

func (c *serverClient) printJSON(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (c *serverClient) call(ctx context.Context, method, path string, in, out any) error {
	return c.ask(ctx, method, "/_plumb/deliveries"+path, in, out)
}

// ask asks one of the server's own pages.
func (c *serverClient) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.url, "/")+path, body)
	if err != nil {
		return err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 256<<20))
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		var refused struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(text, &refused) != nil || refused.Error == "" {
			refused.Error = short(string(text), 300)
		}
		return fmt.Errorf("the server answered: %s", refused.Error)
	}
	return json.Unmarshal(text, out)
}
