package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// An auditQuery is what plumb audit is asked for.
type auditQuery struct {
	account, user, operation, resource, event, since, until string
	failed, follow                                          bool
	limit                                                   int
}

// A trailRecord is what a line shows of a call.
type trailRecord struct {
	At     time.Time `json:"eventTime"`
	ID     string    `json:"eventID"`
	Source string    `json:"eventSource"`
	Name   string    `json:"eventName"`
	IP     string    `json:"sourceIPAddress"`
	Region string    `json:"awsRegion"`
	Code   string    `json:"errorCode"`
	To     string    `json:"recipientAccountId"`
	Who    struct {
		Type        string `json:"type"`
		ARN         string `json:"arn"`
		AccessKeyID string `json:"accessKeyId"`
		InvokedBy   string `json:"invokedBy"`
	} `json:"userIdentity"`
	Resources []struct {
		ARN string `json:"ARN"`
	} `json:"resources"`
}

func newAuditCommand() *cobra.Command {
	var q auditQuery
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "See who called what",
		Long: `Audit shows the calls that changed something and those that were refused, the newest first: when, whose, what, on what,
and how it ended. The setting audit says which calls are kept, audit-retention for how long.

With --json it prints the records as CloudTrail has them, one a line, with their parameters, which have no secrets.

It asks a running server. In server mode that has the setting control-token, and so has this command, as
PLUMB_CONTROL_TOKEN or in the settings file.`,
		Args: cobra.NoArgs,
		Example: `  plumb audit --resource orders
  plumb audit --user alice --since 2h --failed
  plumb audit --operation s3:DeleteBucket --json
  plumb audit --follow`,
	}
	client := addServerClient(cmd)
	f := cmd.Flags()
	f.StringVar(&q.account, "only-account", "", "only calls of the account with these `DIGITS`")
	f.StringVar(&q.user, "user", "", "only calls of a user by `NAME`, ARN or access key id")
	f.StringVar(&q.operation, "operation", "", "only calls of an operation by `NAME`, such as CreateQueue or sqs:CreateQueue")
	f.StringVar(&q.resource, "resource", "", "only calls on a resource by `NAME`, id or ARN")
	f.StringVar(&q.event, "event", "", "only the call with this `ID`, as relatedEvents of a configuration item names it")
	f.StringVar(&q.since, "since", "", "only calls since a `TIME`, such as 2026-01-31T12:00:00Z, or a duration before now, such as 2h")
	f.StringVar(&q.until, "until", "", "only calls before a `TIME`, written like --since")
	f.BoolVar(&q.failed, "failed", false, "only calls that failed or were refused")
	f.BoolVar(&q.follow, "follow", false, "go on with calls as they come, until interrupted")
	f.IntVar(&q.limit, "limit", 100, "`NUMBER` of calls at most; 0 is all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := client()
		if err != nil {
			return err
		}
		v, err := q.values(time.Now())
		if err != nil {
			return err
		}
		if q.follow {
			return c.followAudit(cmd.Context(), v)
		}
		return c.audit(cmd.Context(), v, q.limit)
	}
	return cmd
}

// values are the parameters that the server is asked with.
func (q auditQuery) values(now time.Time) (url.Values, error) {
	v := url.Values{"account": {q.account}, "user": {q.user}, "operation": {q.operation}, "resource": {q.resource}, "event": {q.event}, "failed": {strconv.FormatBool(q.failed)}}
	if q.limit < 0 {
		return nil, fmt.Errorf("--limit %d: want 0 for all, or a number of calls", q.limit)
	}
	if q.follow && q.until != "" {
		return nil, errors.New("--follow has no end: leave out --until")
	}
	for name, text := range map[string]string{"since": q.since, "until": q.until} {
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			d, err := time.ParseDuration(text)
			if err != nil || d < 0 {
				return nil, fmt.Errorf("--%s %q: want a time such as 2026-01-31T12:00:00Z, or a duration before now such as 2h", name, text)
			}
			at = now.Add(-d)
		}
		v.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
	return v, nil
}

type auditPage struct {
	Records []json.RawMessage `json:"Records"`
	Next    string            `json:"next"`
}

func (c *serverClient) auditPage(ctx context.Context, v url.Values) (p auditPage, err error) {
	return p, c.ask(ctx, "GET", "/_plumb/audit?"+v.Encode(), nil, &p)
}

// audit prints calls, the newest first.
func (c *serverClient) audit(ctx context.Context, v url.Values, limit int) error {
	t := c.trail()
	defer t.Flush()
	for left := limit; ; {
		if size := 500; limit == 0 || left > size {
			v.Set("limit", strconv.Itoa(size))
		} else {
			v.Set("limit", strconv.Itoa(left))
		}
		p, err := c.auditPage(ctx, v)
		if err != nil {
			return err
		}
		for _, r := range p.Records {
			if err := c.printCall(t, r); err != nil {
				return err
			}
		}
		left -= len(p.Records)
		if p.Next == "" || limit > 0 && left <= 0 {
			return nil
		}
		v.Set("after", p.Next)
	}
}

const (
	followEvery = time.Second
	// followBack is how far back it is looked for calls that other servers wrote late.
	followBack = 10 * time.Second
)

// followAudit prints calls as they come, the oldest first. It looks a while back each
// time: servers that share a store write at their own pace.
func (c *serverClient) followAudit(ctx context.Context, v url.Values) error {
	seen := map[string]time.Time{}
	v.Set("oldest", "true")
	v.Set("limit", "1000")
	if v.Get("since") == "" {
		if err := c.skipAudit(ctx, v, seen); err != nil {
			return err
		}
	}
	t := c.trail()
	for {
		p, err := c.auditPage(ctx, v)
		if err != nil {
			return err
		}
		var last time.Time
		for _, r := range p.Records {
			var e trailRecord
			if err := json.Unmarshal(r, &e); err != nil {
				return err
			}
			if last = e.At; seen[e.ID].IsZero() {
				seen[e.ID] = e.At
				if err := c.printCall(t, r); err != nil {
					return err
				}
			}
		}
		t.Flush()
		if len(p.Records) == 1000 {
			v.Set("after", p.Next)
			continue
		}
		v.Del("after")
		if from, _ := time.Parse(time.RFC3339Nano, v.Get("since")); last.Add(-followBack).After(from) {
			v.Set("since", last.Add(-followBack).UTC().Format(time.RFC3339Nano))
			for id, at := range seen {
				if at.Before(last.Add(-2 * followBack)) {
					delete(seen, id)
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}

// skipAudit has calls told that come from now on.
func (c *serverClient) skipAudit(ctx context.Context, v url.Values, seen map[string]time.Time) error {
	p, err := c.auditPage(ctx, url.Values{"limit": {"1000"}})
	if err != nil {
		return err
	}
	for i, r := range p.Records {
		var e trailRecord
		if err := json.Unmarshal(r, &e); err != nil {
			return err
		}
		if i == 0 {
			v.Set("since", e.At.Add(-followBack).UTC().Format(time.RFC3339Nano))
		}
		seen[e.ID] = e.At
	}
	return nil
}

func (c *serverClient) trail() *tabwriter.Writer {
	t := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	if !c.json {
		fmt.Fprintln(t, "TIME\tACCOUNT\tREGION\tWHO\tFROM\tCALL\tON\tOUTCOME")
	}
	return t
}

func (c *serverClient) printCall(t *tabwriter.Writer, text json.RawMessage) error {
	if c.json {
		var b bytes.Buffer
		if err := json.Compact(&b, text); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, b.String())
		return err
	}
	var r trailRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	who, outcome, on := r.Who.ARN, "done", ""
	switch {
	case who == "" && r.Who.InvokedBy != "":
		who = r.Who.InvokedBy
	case who == "":
		who = strings.TrimSpace("unknown " + r.Who.AccessKeyID)
	}
	if r.Code != "" {
		outcome = r.Code
	}
	if len(r.Resources) > 0 {
		on = r.Resources[0].ARN
	}
	service := strings.TrimSuffix(r.Source, ".amazonaws.com")
	_, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.At.Format(time.RFC3339), printable(r.To), printable(r.Region), short(who, 100), printable(r.IP),
		short(service+":"+r.Name, 80), short(on, 120), short(outcome, 60))
	return err
}
