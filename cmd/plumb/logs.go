package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/settings"
)

// A logReader prints what a function printed, as a server keeps it.
type logReader struct {
	client   *awsclient.Client
	group    string
	pattern  string
	since    time.Time
	out      io.Writer
	interval time.Duration // between looks for more

	shown map[string]bool // ids of the events at the newest time
	last  int64           // that time
}

func newLogsCommand() *cobra.Command {
	var (
		endpoint, pattern string
		follow            bool
		since             = 10 * time.Minute
	)
	cmd := &cobra.Command{
		Use:   "logs FUNCTION",
		Short: "Print what a function printed",
		Long: `Logs prints the log of a function that the server keeps: what it printed, and the lines START, END and
REPORT of each invocation. FUNCTION is a function's name or ARN, or a log group that begins with a slash.

In server mode it signs with the credentials of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).`,
		Example: `  plumb logs my-rule --follow
  plumb logs my-rule --since 1h --filter ERROR`,
		Args: cobra.ExactArgs(1),
	}
	load := addSettings(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more")
	cmd.Flags().DurationVar(&since, "since", since, "how far back to begin, as a `DURATION`; 0 is the beginning")
	cmd.Flags().StringVar(&pattern, "filter", "", "print only what a filter `PATTERN` of CloudWatch Logs matches")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := load()
		if err != nil {
			return err
		}
		r := logReader{client: logClient(s, endpoint), group: logGroup(args[0]), pattern: pattern, out: cmd.OutOrStdout(), interval: time.Second}
		if since > 0 {
			r.since = time.Now().Add(-since)
		}
		return r.print(cmd.Context(), follow)
	}
	return cmd
}

// logClient calls a server as the default account, or as the environment says.
func logClient(s settings.Settings, endpoint string) *awsclient.Client {
	return awsclient.New(clientOptions(s, endpoint))
}

func clientOptions(s settings.Settings, endpoint string) awsclient.Options {
	if endpoint == "" {
		endpoint = s.URL()
	}
	id, secret, token := s.Account, "any", ""
	if own := os.Getenv("AWS_ACCESS_KEY_ID"); own != "" {
		id, secret, token = own, os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")
	}
	return awsclient.Options{Region: s.Region, Endpoint: endpoint, Credentials: awsclient.Static(id, secret, token), Attempts: 1}
}

// logGroup returns the group that a function writes.
func logGroup(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	if strings.HasPrefix(name, "arn:") {
		name = strings.TrimPrefix(name[strings.Index(name, ":function:")+1:], "function:")
		name, _, _ = strings.Cut(name, ":")
	}
	return "/aws/lambda/" + name
}

// print prints what is there, and with follow what comes until ctx ends.
func (r *logReader) print(ctx context.Context, follow bool) error {
	r.shown = map[string]bool{}
	r.last = max(0, r.since.UnixMilli())
	for {
		if err := r.page(ctx); err != nil {
			return err
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.interval):
		}
	}
}

// page prints all events since the last one.
func (r *logReader) page(ctx context.Context) error {
	in := map[string]any{"logGroupName": r.group, "startTime": r.last}
	if r.pattern != "" {
		in["filterPattern"] = r.pattern
	}
	for {
		out, err := r.client.Call(ctx, "logs", "FilterLogEvents", in)
		if awsclient.Code(err) == "ResourceNotFoundException" {
			return fmt.Errorf("there is no log %s in this account and region: a function has one once it was invoked", r.group)
		}
		if err != nil {
			return fmt.Errorf("read the log %s: %w", r.group, err)
		}
		events, _ := out["events"].([]any)
		for _, e := range events {
			if err := r.event(e.(map[string]any)); err != nil {
				return err
			}
		}
		token, _ := out["nextToken"].(string)
		if token == "" {
			return nil
		}
		in["nextToken"] = token
	}
}

// event prints one event, unless it was printed before.
func (r *logReader) event(e map[string]any) error {
	id, _ := e["eventId"].(string)
	if r.shown[id] {
		return nil
	}
	at := timeOf(e["timestamp"])
	if at > r.last {
		r.last, r.shown = at, map[string]bool{}
	}
	r.shown[id] = true
	text, _ := e["message"].(string)
	_, err := fmt.Fprintf(r.out, "%s %s\n", time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z"), strings.TrimRight(text, "\n"))
	return err
}

func timeOf(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case time.Time:
		return v.UnixMilli()
	case fmt.Stringer: // a number as it was written
		var n int64
		fmt.Sscan(v.String(), &n)
		return n
	}
	return 0
}
