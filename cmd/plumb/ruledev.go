package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/ruledev"
	"plumb/internal/settings"
)

func newRuleDevCommand() *cobra.Command {
	var s ruledev.Session
	var watch bool
	var endpoint string
	cmd := &cobra.Command{
		Use:   "dev FOLDER",
		Short: "Evaluate a rule that is being written, and again on each save",
		Long: `Dev finds the rules of a folder and has them evaluate what there is to look at: the tests of plumb-test.yaml,
the items in the folder fixtures, or with --endpoint what a running server has recorded. It prints each
verdict with its annotation, what the function printed and where it failed, or which clauses decided.

A folder holds a rule if there is parameters.json of the Rule Development Kit, a file with a handler
(NAME.py, index.js, index.mjs, main.go, bootstrap), a policy NAME.guard, a rule file, or a template.yaml
or .tf files that declare rules. Functions are deployed to a throw-away server, or to the running one.

Exit codes without --watch: 0 no test failed, 1 a test failed, 2 a rule could not be run.`,
		Example: `  plumb rule dev my-rule --watch
  plumb rule dev my-rule --endpoint http://127.0.0.1:4577 --watch`,
		Args: cobra.ExactArgs(1),
	}
	load := addSettings(cmd, "account", "region", "target", "python", "node", "node-path", "sandbox", "rules")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "again after each save, until a signal")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of a running server in development mode, in the place of a throw-away one")
	cmd.Flags().IntVar(&s.Limit, "limit", 50, "how many recorded resources are evaluated")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		given, err := load()
		if err != nil {
			return err
		}
		given.LogLevel = "error"
		ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer cancel()
		s.Folder, s.Out, s.Color, s.Running = args[0], cmd.OutOrStdout(), isTerminal(cmd.OutOrStdout()), endpoint != ""
		s.Managed = sync.OnceValues(func() (*managed.Catalogue, error) { return managed.LoadWith(given.Rules) })
		bench := &lazyBench{cmd: cmd, settings: given, endpoint: endpoint, reload: watch}
		s.Bench = bench.get
		defer func() { err = errors.Join(err, bench.close()) }()
		if watch {
			return s.Watch(ctx)
		}
		return roundEnded(s.Round(ctx), s)
	}
	return cmd
}

// roundEnded is how the program ends after a round.
func roundEnded(err error, s ruledev.Session) error {
	switch {
	case err != nil:
		return exitError{exitBroken, err}
	case s.Broken:
		return exitError{code: exitBroken}
	case s.Failed:
		return exitError{code: exitFailed}
	}
	return nil
}

// A lazyBench is a running server, or a throw-away one that starts when it is
// needed.
type lazyBench struct {
	cmd      *cobra.Command
	settings settings.Settings
	endpoint string
	reload   bool // of functions, in a warm process
	bench    *rulebench.Bench
}

func (l *lazyBench) get(ctx context.Context) (*rulebench.Bench, error) {
	if l.bench != nil {
		return l.bench, nil
	}
	var err error
	if l.endpoint != "" {
		b := reach(l.settings, l.endpoint)
		if err = b.Record(ctx); err == nil {
			l.bench = b
		}
		return b, err
	}
	l.bench, err = rulebench.Start(ctx, newLog(l.cmd, l.settings), rulebench.Options{Settings: l.settings, Reload: l.reload})
	return l.bench, err
}

func (l *lazyBench) close() error {
	if l.bench == nil {
		return nil
	}
	return l.bench.Close()
}

// reach talks to a running server as the default account, or as the environment
// says.
func reach(s settings.Settings, endpoint string) *rulebench.Bench {
	if endpoint == "" {
		endpoint = s.URL()
	}
	id, secret, token := s.Account, "any", ""
	if own := os.Getenv("AWS_ACCESS_KEY_ID"); own != "" {
		id, secret, token = own, os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")
	}
	return rulebench.Reach(endpoint, config.Place{Account: s.Account, Region: s.Region}, awsclient.Static(id, secret, token))
}
