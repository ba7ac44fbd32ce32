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

When it can answer it writes "ready http://HOST:PORT" to standard error. Every setting is also an
environment variable and a key of the settings file: see "plumb docs settings".`,
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
			return err
		}
		return serve(cmd, s, newLog(cmd, s))
	}
	return cmd
}

func serve(cmd *cobra.Command, s settings.Settings, log *slog.Logger) error {
	ctx, cancel := stopSignal(cmd.Context(), log)
	defer cancel()
	a, err := app.New(ctx, s, log, app.Options{Version: version()})
	if err == nil {
		err = a.Start(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told to end before it could begin
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "ready %s\n", a.URL())
	waited := a.Wait(ctx)
	within, done := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer done()
	if err := a.Stop(within); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return waited
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
