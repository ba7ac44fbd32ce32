package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"plumb/internal/settings"
)

// addSettings gives a command one flag for each row of the settings' table, and
// returns what loads the settings once the flags are parsed.
func addSettings(cmd *cobra.Command) (load func() (settings.Settings, error)) {
	d := settings.Default()
	for _, r := range settings.Table() {
		help := r.Help
		if v := r.Show(d); v != "" {
			help += " (default " + v + ")"
		}
		cmd.Flags().Var(&text{kind: r.Kind}, r.Name, help)
		if r.Switch {
			cmd.Flags().Lookup(r.Name).NoOptDefVal = "true"
		}
	}
	return func() (settings.Settings, error) {
		given := map[string]string{}
		for _, r := range settings.Table() {
			if f := cmd.Flags().Lookup(r.Name); f.Changed {
				given[r.Name] = f.Value.String()
			}
		}
		return settings.Load(given, os.LookupEnv)
	}
}

// text is the value of every flag: the settings' table itself knows how to read
// each. The help shows its kind.
type text struct{ kind, value string }

func (t *text) String() string     { return t.value }
func (t *text) Set(s string) error { t.value = s; return nil }
func (t *text) Type() string       { return t.kind }

// newLog makes the program's logger: it writes to w as the settings say.
func newLog(cmd *cobra.Command, s settings.Settings) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		level = slog.LevelInfo // the settings were checked, so this does not happen
	}
	opts := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opts))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opts))
}
