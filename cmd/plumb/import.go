package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/app"
	"plumb/internal/archive"
	"plumb/internal/settings"
)

// incomplete is the exit code of an import that could not read all.
const incomplete = 2

// An importer has files imported, by a running server or by itself.
type importer struct {
	settings settings.Settings
	endpoint string // of a server; empty: none runs
	order    archive.Order
	json     bool
	out      io.Writer
	notes    io.Writer
}

func newImportCommand() *cobra.Command {
	var i importer
	cmd := &cobra.Command{
		Use:   "import PATH|s3://BUCKET/PREFIX",
		Short: "Read the snapshots and history that AWS Config itself wrote",
		Long: `Import reads the files that AWS Config delivered to a bucket, snapshots and history, from a folder or from the bucket, and
keeps their items as they are: with their times, states, tags and relationships, each account and region by itself. What
both a snapshot and the history have is kept once. Rules evaluate what is the newest of each resource.

Where a server answers, the server imports: PATH is a folder of its machine. It needs the setting control-token in server
mode, and so does this command, as PLUMB_CONTROL_TOKEN or in the settings file. Where none answers, the command does it
itself, in the data folder and the database of the settings. A bucket is one of the outside S3 that the settings (endpoints) name for
the default account, or an embedded one.

An import that was stopped goes on where it was when it is asked again. What could not be read is listed at the end; the exit
code is then 2.`,
		Example: `  aws s3 sync s3://config-bucket/AWSLogs/123456789012/Config ./past
  plumb import ./past
  plumb import s3://config-bucket/AWSLogs --only-region eu-west-1 --only-type 'AWS::EC2::*'`,
		Args: cobra.ExactArgs(1),
	}
	load := addSettings(cmd)
	cmd.Flags().StringSliceVar(&i.order.Accounts, "only-account", nil, "only items of the accounts with these `DIGITS`")
	cmd.Flags().StringSliceVar(&i.order.Regions, "only-region", nil, "only items that the recorders of these `REGIONS` made")
	cmd.Flags().StringSliceVar(&i.order.Types, "only-type", nil, "only resources of these `TYPES`; * stands for any part")
	cmd.Flags().StringVar(&i.order.Global, "global-region", "", "the `REGION` of items that name none, in files that name none (default: the region of the settings)")
	cmd.Flags().BoolVar(&i.order.Again, "again", false, "read also the files that were read before")
	cmd.Flags().BoolVar(&i.json, "json", false, "print the report as JSON")
	cmd.Flags().StringVar(&i.endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if i.settings, err = load(); err != nil {
			return err
		}
		i.out, i.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return i.run(ctx, args[0])
	}
	return cmd
}

func (i *importer) run(ctx context.Context, from string) error {
	if !strings.HasPrefix(from, "s3://") {
		path, err := filepath.Abs(from)
		if err != nil {
			return err
		}
		from = path
	}
	do := i.byServer
	if i.endpoint == "" {
		i.endpoint = i.settings.URL()
		if !answers(ctx, i.endpoint) {
			do = i.alone
		}
	}
	report, err := do(ctx, from)
	if err != nil && ctx.Err() != nil {
		err = errors.New("stopped; the same command goes on where it was")
	}
	if told := i.tell(report); told != nil {
		return told
	}
	if err == nil && report.Unread > 0 {
		return exitError{code: incomplete}
	}
	return err
}

// answers reports whether a server answers at a URL.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", strings.TrimSuffix(url, "/")+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// alone imports in this process.
func (i *importer) alone(ctx context.Context, from string) (archive.Report, error) {
	s := i.settings
	s.Listen, s.Console = "127.0.0.1:0", settings.NoConsole
	a, err := app.New(ctx, s, slog.New(slog.DiscardHandler), app.Options{Version: version()})
	if err != nil {
		return archive.Report{}, err
	}
	defer a.Stop(context.WithoutCancel(ctx))
	r, err := a.Import(ctx, from, i.order, i.progress)
	if u, ok := errors.AsType[*url.Error](err); ok { // of S3, which is no server of ours
		err = fmt.Errorf("%s cannot be read: %w", from, u.Err)
	}
	return r, err
}

// byServer has a server import.
func (i *importer) byServer(ctx context.Context, from string) (archive.Report, error) {
	order, err := json.Marshal(struct {
		From string `json:"from"`
		archive.Order
	}{from, i.order})
	if err != nil {
		return archive.Report{}, err
	}
	r, err := http.NewRequestWithContext(ctx, "POST", strings.TrimSuffix(i.endpoint, "/")+"/_plumb/import", bytes.NewReader(order))
	if err != nil {
		return archive.Report{}, err
	}
	if token := i.settings.ControlToken.Reveal(); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return archive.Report{}, fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
		return archive.Report{}, fmt.Errorf("the server answered: %s", short(string(text), 300))
	}
	return i.follow(bufio.NewReader(res.Body))
}

// follow reads the server's reports until the last.
func (i *importer) follow(lines *bufio.Reader) (last archive.Report, err error) {
	for d := json.NewDecoder(lines); ; {
		var l struct {
			archive.Report
			End   bool   `json:"end"`
			Error string `json:"error"`
		}
		if err := d.Decode(&l); err != nil {
			return last, fmt.Errorf("the server ended before the import did; the same command goes on where it was: %w", err)
		}
		last = l.Report
		if l.End {
			if l.Error != "" {
				err = errors.New(l.Error)
			}
			return last, err
		}
		i.progress(l.Report)
	}
}

func (i *importer) progress(r archive.Report) {
	if !i.json {
		fmt.Fprintf(i.notes, "%d files, %d items, %d new, %d could not be read; now %s\n", r.Files, r.Items, r.Written, r.Unread, printable(r.File))
	}
}

func (i *importer) tell(r archive.Report) error {
	if i.json {
		e := json.NewEncoder(i.out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	for _, p := range r.Problems {
		at := printable(p.File)
		if p.Item > 0 {
			at += fmt.Sprintf(", item %d", p.Item)
		}
		fmt.Fprintf(i.out, "not read: %s: %s\n", at, short(p.Reason, 300))
	}
	if more := r.Unread - int64(len(r.Problems)); more > 0 {
		fmt.Fprintf(i.out, "not read: %d more\n", more)
	}
	_, err := fmt.Fprintf(i.out, "%d files, %d of them before; %d items: %d new (%d of them the newest of their resources), %d kept already, %d too old, %d not asked for, %d not read; %s\n",
		r.Files, r.Before, r.Items, r.Written, r.Newest, r.Kept, r.TooOld, r.Left, r.Unread, r.Took.Round(time.Millisecond))
	return err
}
