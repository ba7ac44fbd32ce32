package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/app"
	"plumb/internal/memory"
	"plumb/internal/rulebench"
	"plumb/internal/settings"
)

// stopWithin is how long running jobs and requests may take after the first
// signal: the longest function runs for 15 minutes.
const stopWithin = 15 * time.Minute

func newServeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Serve runs a Plumb server until it gets SIGTERM or SIGINT; it then finishes what runs. A second signal
ends it at once, which loses nothing either.

When it can answer it writes "ready http://HOST:PORT" to standard error, with --log-format json as a
record like the others. Every setting is also an environment variable and a key of the settings file:
see "plumb docs settings".`,
		Example: `  plumb serve
  plumb serve --listen 127.0.0.1:0 --data /var/lib/plumb
  plumb serve --target http://127.0.0.1:5000
  plumb serve --settings plumb.yaml`,
		Args: cobra.NoArgs,
	}
	load := addSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := load()
		if err != nil {
			s.LogFormat = askedFormat(cmd)
		}
		log := newLog(cmd, s)
		if err == nil {
			err = serve(cmd, s, log)
		}
		return logged(s, log, err)
	}
	return cmd
}

func serve(cmd *cobra.Command, s settings.Settings, log *slog.Logger) error {
	ctx, cancel := stopSignal(cmd.Context(), log)
	defer cancel()
	go memory.ReturnIdle(ctx)
	a, err := app.New(ctx, s, log, app.Options{Version: version(), Functions: rulebench.NewDesk(log, s)})
	if err == nil {
		err = a.Start(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told to end before it could begin
	}
	if err != nil {
		return err
	}
	writeReady(cmd, s, a.URL())
	waited := a.Wait(ctx)
	within, done := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer done()
	if err := a.Stop(within); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return waited
}

// writeReady says that the server answers, whatever the level of the log: who
// started it waits for this line.
func writeReady(cmd *cobra.Command, s settings.Settings, url string) {
	if s.LogFormat == "json" {
		slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)).Info("ready", "url", url)
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "ready %s\n", url)
}

// askedFormat is the log's format where the settings could not be read.
func askedFormat(cmd *cobra.Command) string {
	if f := cmd.Flags().Lookup("log-format"); f.Changed {
		return f.Value.String()
	}
	return os.Getenv("PLUMB_LOG_FORMAT")
}

// logged makes an error the last record of a log in JSON, where a line of
// another form would be lost.
func logged(s settings.Settings, log *slog.Logger, err error) error {
	if err == nil || s.LogFormat != "json" {
		return err
	}
	log.Error("the server ended", "err", err)
	return exitError{code: 1}
}

// stopSignal returns a context that the first SIGTERM or SIGINT ends; the second
// one ends the process.
func stopSignal(parent context.Context, log *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case s := <-signals:
			log.Info("finishing what runs; a second signal ends at once", "signal", s.String())
			cancel()
		case <-parent.Done():
			return
		}
		<-signals
		os.Exit(1)
	}()
	return ctx, cancel
}
