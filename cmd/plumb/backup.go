package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"plumb/internal/backup"
)

func newBackupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FOLDER",
		Short: "Copy the data folder and the database, while the server runs",
		Long: `Backup copies one state of the database, with every object that it names, to a folder that is not there
yet. Servers may run meanwhile. A PostgreSQL is copied by its own pg_dump, which has to be installed.

The settings file is not in a backup, and a backup holds what the database holds: keep it as secret.`,
		Example: "  plumb backup --data /var/lib/plumb /backups/plumb-$(date +%F)",
		Args:    cobra.ExactArgs(1),
	}
	load := addSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := load()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		b, err := backup.Make(ctx, slog.New(slog.DiscardHandler), s, args[0], version())
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s holds %s\n", args[0], told(b))
		return nil
	}
	return cmd
}

func newVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FOLDER",
		Short: "Check that a backup is whole",
		Long: `Verify reads a backup and says whether each file is as it was written, the database is whole and of a
schema that this program knows, and the objects that it names are there. It changes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := backup.Verify(cmd.Context(), slog.New(slog.DiscardHandler), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is whole: it holds %s\n", args[0], told(b))
			return nil
		},
	}
}

func newRestoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FOLDER",
		Short: "Make a data folder and a database of a backup",
		Long: `Restore verifies a backup and makes a data folder and a database of it: those of the settings, neither of
which may hold anything yet. A server that is started on them goes on where the backup was made; what was
due by then is done at once.`,
		Example: "  plumb restore --data /var/lib/plumb /backups/plumb-2026-11-29",
		Args:    cobra.ExactArgs(1),
	}
	load := addSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := load()
		if err != nil {
			return err
		}
		b, err := backup.Restore(cmd.Context(), slog.New(slog.DiscardHandler), s, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s and %s hold %s\n", s.Data, s.ShownDatabase(), told(b))
		return nil
	}
	return cmd
}

func told(b backup.Backup) string {
	return fmt.Sprintf("the %s database at step %d of the schema and %d objects, %d bytes in all, as of %s, made by Plumb %s",
		b.Database, b.Schema, b.Objects, b.Bytes, b.Made.Format("2006-01-02 15:04:05 MST"), b.Version)
}
