package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"plumb/internal/repeat"
	"plumb/internal/settings"
)

// addSettings gives a command one flag for each row of the settings' table, or for
// those named, and returns what loads the settings once the flags are parsed.
func addSettings(cmd *cobra.Command, only ...string) (load func() (settings.Settings, error)) {
	d := settings.Default()
	for _, r := range settings.Table() {
		if r.NoFlag || len(only) > 0 && !slices.Contains(only, r.Name) {
			continue
		}
		help := r.Help
		if v := r.Show(d); v != "" {
			help += " (default " + v + ")"
		}
		cmd.Flags().Var(&text{kind: r.Kind}, r.Name, help)
		cmd.Flags().SetAnnotation(r.Name, groupOf, []string{r.Group})
		if len(r.Choices) > 0 {
			cmd.RegisterFlagCompletionFunc(r.Name, cobra.FixedCompletions(r.Choices, cobra.ShellCompDirectiveNoFileComp))
		}
		if r.Switch {
			cmd.Flags().Lookup(r.Name).NoOptDefVal = "true"
		}
	}
	return func() (settings.Settings, error) {
		given := map[string]string{}
		for _, r := range settings.Table() {
			if f := cmd.Flags().Lookup(r.Name); f != nil && f.Changed {
				given[r.Name] = f.Value.String()
			}
		}
		return settings.Load(given, os.LookupEnv)
	}
}

// groupOf annotates a flag with the group of its setting.
const groupOf = "group"

// helpWidth is where help breaks its lines.
const helpWidth = 100

// flagGroups lists a command's own flags: those of the settings by their groups,
// after the others.
func flagGroups(cmd *cobra.Command) string {
	sets, names := map[string]*pflag.FlagSet{}, []string{""}
	for _, r := range settings.Table() {
		if !slices.Contains(names, r.Group) {
			names = append(names, r.Group)
		}
	}
	for _, name := range names {
		sets[name] = pflag.NewFlagSet(name, pflag.ContinueOnError)
		sets[name].SortFlags = name == ""
	}
	cmd.LocalFlags().SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		group := ""
		if g := f.Annotations[groupOf]; len(g) > 0 {
			group = g[0]
		}
		sets[group].AddFlag(f)
	})
	var b strings.Builder
	for _, name := range names {
		if !sets[name].HasAvailableFlags() {
			continue
		}
		title := "Flags"
		if name != "" {
			title = "Settings: " + name
		}
		fmt.Fprintf(&b, "%s:\n%s\n", title, sets[name].FlagUsagesWrapped(helpWidth))
	}
	return strings.TrimSpace(b.String())
}

// usage is cobra's, with the flags in groups.
func usage(template string) string {
	cobra.AddTemplateFunc("flagGroups", flagGroups)
	return strings.Replace(template, "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}", "{{flagGroups .}}", 1)
}

// suggestFlag adds the flag that is meant to the error of an unknown one.
func suggestFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	for _, r := range settings.Table() {
		if r.NoFlag && r.Name == unknown.GetSpecifiedName() {
			return fmt.Errorf("%w: a command line is shown to all users of the machine; give it in the settings file or in %s", err, r.Env())
		}
	}
	names := func(yield func(string) bool) {
		more := true
		cmd.Flags().VisitAll(func(f *pflag.Flag) { more = more && !f.Hidden && yield(f.Name) })
	}
	if best := settings.Nearest(names, unknown.GetSpecifiedName()); best != "" {
		return fmt.Errorf("%w; is --%s meant?", err, best)
	}
	return err
}

// text is the value of every flag: the settings' table itself knows how to read
// each. The help shows its kind.
type text struct{ kind, value string }

func (t *text) String() string     { return t.value }
func (t *text) Set(s string) error { t.value = s; return nil }
func (t *text) Type() string       { return t.kind }

// newLog makes the program's logger: it writes to standard error as the settings
// say, and a failure that goes on once an hour. At level debug each is logged.
func newLog(cmd *cobra.Command, s settings.Settings) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		level = slog.LevelInfo // the settings were checked, so this does not happen
	}
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(cmd.ErrOrStderr(), opts)
	if s.LogFormat == "json" {
		h = slog.NewJSONHandler(cmd.ErrOrStderr(), opts)
	}
	if level > slog.LevelDebug {
		h = repeat.New(h)
	}
	return slog.New(h)
}
