package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/rulefile"
	"plumb/internal/settings"
)

// A backtest tries a rule on what a server has recorded.
type backtest struct {
	endpoint   string
	settings   settings.Settings
	json       bool
	limit      int
	out, notes io.Writer
	printed    int
}

func newBacktestCommand() *cobra.Command {
	var b backtest
	var since, against string
	var present bool
	var given []string
	cmd := &cobra.Command{
		Use:   "backtest RULE",
		Short: "Try a rule on what was recorded, and keep nothing of it",
		Long: `Backtest evaluates a rule over the items that a server in development mode has recorded and prints where a verdict would be
another: each flip with its resource, the time of the item, what the rule that is there says, and what this one would say.
Nothing is written.

RULE is a file or folder with one Guard policy or rule file, the identifier of a managed rule, or the name of a rule that is there,
whose parameters can be others. It is compared with the rule of its name, or of the one that --against names; where there is none,
each turn of its own verdict is printed. Functions are not tried. docs/how-to/backtest.md says what is compared with what.`,
		Example: `  plumb backtest my-rule --since 30d
  plumb backtest S3_BUCKET_VERSIONING_ENABLED --present
  plumb backtest desired-instance-type --parameter instanceType=t3.micro --since 7d --json`,
		Args: cobra.ExactArgs(1),
	}
	load := addSettings(cmd, "account", "region", "listen")
	cmd.Flags().StringVar(&since, "since", "30d", "the items in force since then: `30d`, 12h, or a time")
	cmd.Flags().BoolVar(&present, "present", false, "the newest items alone, against the recorded verdicts")
	cmd.Flags().StringVar(&against, "against", "", "the `NAME` of the rule that is compared with")
	cmd.Flags().StringArrayVar(&given, "parameter", nil, "`NAME=VALUE` of a parameter, in the place of the rule's own")
	cmd.Flags().BoolVar(&b.json, "json", false, "print each flip, and the totals last, as a line of JSON")
	cmd.Flags().IntVar(&b.limit, "limit", 100, "how many flips are printed; 0 is all. All are counted")
	cmd.Flags().StringVar(&b.endpoint, "endpoint", "", "`URL` of the server, in development mode (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if b.settings, err = load(); err != nil {
			return err
		}
		order, err := backtestOrder(args[0], against, given)
		if err != nil {
			return err
		}
		if !present {
			if order["since"], err = sinceTime(since, time.Now()); err != nil {
				return err
			}
		}
		order["account"], order["region"] = b.settings.Account, b.settings.Region
		b.out, b.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
		ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer cancel()
		return b.run(ctx, order)
	}
	return cmd
}

var identifier = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)

// backtestOrder says which rule is tried.
func backtestOrder(what, against string, given []string) (map[string]any, error) {
	parameters := map[string]string{}
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--parameter %s: want NAME=VALUE", p)
		}
		parameters[name] = value
	}
	order := map[string]any{"rule": what}
	if _, err := os.Stat(what); err == nil {
		if order, parameters, err = orderOfFile(what, parameters); err != nil {
			return nil, err
		}
	} else if identifier.MatchString(what) {
		order["identifier"] = what
	}
	if against != "" {
		if order["identifier"] == nil && order["policy"] == nil && order["file"] == nil {
			return nil, fmt.Errorf("%s is a rule that is there: --against is for files and identifiers", what)
		}
		order["rule"] = against
	}
	if len(parameters) > 0 {
		order["parameters"] = parameters
	}
	return order, nil
}

func orderOfFile(path string, given map[string]string) (map[string]any, map[string]string, error) {
	rules, err := rulefile.Find(path)
	if err != nil {
		return nil, nil, err
	}
	if len(rules) != 1 {
		return nil, nil, fmt.Errorf("%s holds %d rules: name the file of one", path, len(rules))
	}
	r := rules[0]
	parameters := map[string]string{}
	maps.Copy(parameters, r.Parameters)
	maps.Copy(parameters, given)
	order := map[string]any{"rule": r.Name}
	if len(r.Types) > 0 {
		order["types"] = r.Types
	}
	switch r.Kind {
	case rulefile.Function:
		return nil, nil, fmt.Errorf("%s is a function: managed rules, Guard policies and rule files are tried on what is recorded", r.Name)
	case rulefile.Managed:
		order["identifier"] = r.Identifier
		return order, parameters, nil
	}
	text, err := r.Content()
	if err != nil {
		return nil, nil, err
	}
	order[map[rulefile.Kind]string{rulefile.Policy: "policy", rulefile.Catalogue: "file"}[r.Kind]] = string(text)
	return order, parameters, nil
}

// sinceTime reads a time, or how long ago one was: days too.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	days, isDays := strings.CutSuffix(text, "d")
	if isDays {
		text = days + "h"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, errors.New("--since: want 30d, 12h or a time as 2026-01-31T12:00:00Z")
	}
	if isDays {
		d *= 24
	}
	return now.Add(-d), nil
}

// A backtestLine is a line of the server's answer.
type backtestLine struct {
	Flip *struct {
		ResourceType, ResourceID string
		At                       time.Time
		Before, After            string
		Annotation               string
		Now                      bool
	}
	Progress, Total *backtestTotal
	Error           string
}

type backtestTotal struct {
	Resources, Items, Flips, Failed int
	Compared, Failure               string
	Turned                          map[string]int
}

func (b *backtest) run(ctx context.Context, order map[string]any) error {
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	url := b.endpoint
	if url == "" {
		url = b.settings.URL()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+"/_plumb/backtest", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l backtestLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("status %d: a server in development mode is needed", answer.StatusCode)
		}
		if l.Error != "" {
			return errors.New(l.Error)
		}
		if err := b.line(l, lines.Bytes()); err != nil || l.Total != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return errors.New("stopped")
	}
	return errors.Join(errors.New("the server ended the answer before its end"), lines.Err())
}

// line prints a line of the answer.
func (b *backtest) line(l backtestLine, text []byte) (err error) {
	switch {
	case l.Progress != nil:
		_, err = fmt.Fprintf(b.notes, "%d resources, %d items, %d flips\n", l.Progress.Resources, l.Progress.Items, l.Progress.Flips)
	case l.Flip != nil:
		if b.limit > 0 && b.printed >= b.limit {
			return nil
		}
		b.printed++
		if b.json {
			_, err = fmt.Fprintf(b.out, "%s\n", text)
			return err
		}
		f := l.Flip
		at := f.At.Format(time.RFC3339)
		if f.Now {
			at += " (now)"
		}
		_, err = fmt.Fprintf(b.out, "%s  %s %s  %s -> %s  %s\n", at, f.ResourceType, f.ResourceID, orNone(f.Before), orNone(f.After), f.Annotation)
	case l.Total != nil && b.json:
		_, err = fmt.Fprintf(b.out, "%s\n", text)
	case l.Total != nil:
		b.total(l.Total)
	}
	return err
}

func orNone(verdict string) string {
	if verdict == "" {
		return "no verdict"
	}
	return verdict
}

func (b *backtest) total(t *backtestTotal) {
	if left := t.Flips - b.printed; left > 0 {
		fmt.Fprintf(b.out, "and %d more flips\n", left)
	}
	compared := "no rule of that name is there: turns of its own verdicts are counted"
	if t.Compared != "" {
		compared = "compared with " + t.Compared
	}
	fmt.Fprintf(b.out, "%d items of %d resources, %d flips; %s\n", t.Items, t.Resources, t.Flips, compared)
	verb := "would be"
	if t.Compared != "" {
		verb = "would turn"
	}
	for _, c := range slices.Sorted(maps.Keys(t.Turned)) {
		fmt.Fprintf(b.out, "%d resources %s %s now\n", t.Turned[c], verb, c)
	}
	if t.Failed > 0 {
		fmt.Fprintf(b.out, "%d items have no verdict, first %s\n", t.Failed, t.Failure)
	}
}
