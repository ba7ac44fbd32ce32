package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/query"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// A querier prints what an advanced query selects, page by page.
type querier struct {
	client     *awsclient.Client
	aggregator string // empty for the account and region alone
	rows       int    // how many to print at most; 0 is all
	json       bool
	out        io.Writer
}

func newQueryCommand() *cobra.Command {
	var endpoint, stored string
	q := querier{rows: 1000}
	cmd := &cobra.Command{
		Use:   "query EXPRESSION",
		Short: "Select among the resources that are recorded",
		Long: `Query prints the rows of an advanced query over the resources of the account and region, or of an aggregator.
EXPRESSION is SELECT ... [WHERE ...] [GROUP BY ...] [ORDER BY ...]; docs/query.md is the language, with JOIN, AS, DISTINCT,
HAVING and AS OF beside what AWS has. With - it is read from standard input.

In server mode it signs with the credentials of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).`,
		Example: `  plumb query "SELECT resourceId, configuration.state.name WHERE resourceType = 'AWS::EC2::Instance'"
  plumb query --aggregator all --json "SELECT accountId, COUNT(*) GROUP BY accountId"
  plumb query "SELECT resourceId, sg.resourceId JOIN sg ON relationships WHERE sg.resourceType = 'AWS::EC2::SecurityGroup'"
  plumb query --stored unencrypted-volumes`,
		Args: cobra.MaximumNArgs(1),
	}
	load := addSettings(cmd)
	cmd.Flags().BoolVar(&q.json, "json", false, "print each row as a line of JSON instead of a table")
	cmd.Flags().StringVar(&q.aggregator, "aggregator", "", "query what the aggregator `NAME` shows")
	cmd.Flags().StringVar(&stored, "stored", "", "take the expression of the stored query `NAME`")
	cmd.Flags().IntVar(&q.rows, "rows", q.rows, "print at most `N` rows; 0 is all")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := load()
		if err != nil {
			return err
		}
		if (len(args) == 0) == (stored == "") || q.rows < 0 {
			return errors.New("give one of EXPRESSION and --stored, and no negative --rows")
		}
		q.client, q.out = queryClient(s, endpoint), cmd.OutOrStdout()
		expression, err := q.expression(cmd.Context(), args, stored, cmd.InOrStdin())
		if err != nil {
			return err
		}
		return q.print(cmd.Context(), expression, cmd.ErrOrStderr())
	}
	return cmd
}

// queryClient is a client whose queries may have more than AWS's.
func queryClient(s settings.Settings, endpoint string) *awsclient.Client {
	o := clientOptions(s, endpoint)
	o.Transport = extending{http.DefaultTransport}
	return awsclient.New(o)
}

// extending marks requests as our own.
type extending struct{ http.RoundTripper }

// RoundTrip sends a copy of the request.
func (e extending) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(wire.ExtendedHeader, "queries")
	return e.RoundTripper.RoundTrip(r)
}

// expression returns what is to be queried: as given, read, or kept by the server.
func (q querier) expression(ctx context.Context, args []string, stored string, in io.Reader) (string, error) {
	switch {
	case stored != "":
		out, err := q.client.Call(ctx, "config", "GetStoredQuery", map[string]any{"QueryName": stored})
		if err != nil {
			return "", fmt.Errorf("read the stored query %s: %w", stored, err)
		}
		kept, _ := out["StoredQuery"].(map[string]any)
		text, _ := kept["Expression"].(string)
		return text, nil
	case args[0] == "-":
		text, err := io.ReadAll(in)
		return string(text), err
	}
	return args[0], nil
}

// print prints all pages, a table with the widths of each page.
func (q querier) print(ctx context.Context, expression string, notes io.Writer) error {
	operation, in := "SelectResourceConfig", map[string]any{"Expression": expression}
	if q.aggregator != "" {
		operation, in["ConfigurationAggregatorName"] = "SelectAggregateResourceConfig", q.aggregator
	}
	if parsed, err := query.ParseExtended(expression); err == nil && !parsed.Grouped() {
		in["Limit"] = 100 // groups have larger pages unless a limit is given
	}
	for left, first := q.rows, true; ; first = false {
		out, err := q.client.Call(ctx, "config", operation, in)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		rows, _ := out["Results"].([]any)
		token, _ := out["NextToken"].(string)
		if q.rows > 0 {
			if len(rows) > left {
				rows, token = rows[:left], "more"
			}
			left -= len(rows)
		}
		if err := q.page(fieldNames(out), rows, first); err != nil {
			return err
		}
		if token == "" {
			return nil
		}
		if q.rows > 0 && left == 0 {
			fmt.Fprintf(notes, "There is more: these are the first %d rows. --rows 0 prints all.\n", q.rows)
			return nil
		}
		in["NextToken"] = token
	}
}

func fieldNames(out map[string]any) (names []string) {
	info, _ := out["QueryInfo"].(map[string]any)
	fields, _ := info["SelectFields"].([]any)
	for _, f := range fields {
		if object, ok := f.(map[string]any); ok {
			names = append(names, fmt.Sprint(object["Name"]))
		}
	}
	return names
}

func (q querier) page(fields []string, rows []any, first bool) error {
	if q.json {
		for _, row := range rows {
			if _, err := fmt.Fprintln(q.out, row); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(q.out, 0, 0, 2, ' ', 0)
	if first {
		fmt.Fprintln(w, strings.Join(fields, "\t"))
	}
	for _, row := range rows {
		text, _ := row.(string)
		cells, err := cellsOf(fields, text)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// cellsOf returns the values of a row's fields as a table shows them.
func cellsOf(fields []string, row string) ([]string, error) {
	d := json.NewDecoder(strings.NewReader(row))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	cells := make([]string, len(fields))
	for i, name := range fields {
		value, ok := object[name] // aggregates, and what has no steps
		if !ok {
			value = follow(object, strings.Split(name, "."))
		}
		cells[i] = cell(value)
	}
	return cells, nil
}

// follow returns what a path leads to: through a list, of each of its elements.
func follow(v any, steps []string) any {
	if len(steps) == 0 {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		return follow(v[steps[0]], steps[1:])
	case []any:
		var all []any
		for _, e := range v {
			if found := follow(e, steps); found != nil {
				all = append(all, found)
			}
		}
		return all
	}
	return nil
}

// cell prints a value on one line: lists of plain values with commas, and the rest
// as JSON.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return printable(v)
	case json.Number:
		return strings.TrimSuffix(v.String(), ".0")
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = cell(e)
		}
		return strings.Join(parts, ", ")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// printable returns a text without what would break a table or speak to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
