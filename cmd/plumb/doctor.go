package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumb/internal/settings"
)

func newDoctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine has for Plumb, and what to do about what is missing",
		Long: `Doctor looks at the settings, the data folder, the database, the runtimes for functions, the sandbox,
the target and the clients, and says what to do about what is missing. It makes nothing, and leaves the
schema of a database as it is.

It exits with 1 if the server could not run; a missing runtime is only a remark.

With --recount it also counts every resource and verdict of the database, and corrects the kept counts that
summaries are made of where they differ. A server may run meanwhile.`,
		Args: cobra.NoArgs,
	}
	load := addSettings(cmd)
	recount := cmd.Flags().Bool("recount", false, "count every resource and verdict, and correct kept counts that differ")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d := doctor{out: cmd.OutOrStdout()}
		s, err := load()
		if err != nil {
			d.say(finding{broken, "settings", err.Error(), "correct the setting and run doctor again"})
			return exitError{code: 1}
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
		defer cancel()
		for _, look := range checkups() {
			for _, f := range look(ctx, s) {
				d.say(f)
			}
		}
		if *recount {
			for _, f := range recountTallies(cmd.Context(), s) {
				d.say(f)
			}
		}
		if d.broken {
			return exitError{code: 1}
		}
		return nil
	}
	return cmd
}

// checkups lists what doctor looks at, in the order in which a server needs it.
func checkups() []func(context.Context, settings.Settings) []finding {
	return []func(context.Context, settings.Settings) []finding{
		checkSettings, checkFolder, checkDatabase, checkServer,
		checkRuntimes, checkSandbox, checkTarget, checkCLI,
	}
}

// The states of what doctor looks at.
type state int

const (
	fine state = iota
	remark
	broken
)

// A finding is one line of doctor's report; advice is empty when all is well.
type finding struct {
	state  state
	what   string
	found  string
	advice string
}

type doctor struct {
	out    io.Writer
	broken bool
}

func (d *doctor) say(f finding) {
	mark := map[state]string{fine: "ok", remark: "--", broken: "!!"}[f.state]
	fmt.Fprintf(d.out, "%s  %-10s %s\n", mark, f.what, f.found)
	if f.advice != "" {
		fmt.Fprintf(d.out, "    %-10s -> %s\n", "", f.advice)
	}
	d.broken = d.broken || f.state == broken
}

// checkSettings shows what was set, where, and variables that mean nothing.
func checkSettings(_ context.Context, s settings.Settings) []finding {
	var out []finding
	known := map[string]bool{"PLUMB_TEST_DATABASE": true}
	for _, r := range settings.Table() {
		known[r.Env()] = true
		if origin := s.Origin(r.Name); origin != "default" {
			out = append(out, finding{fine, "settings", fmt.Sprintf("%s = %s (%s)", r.Name, r.Show(s), origin), ""})
		}
	}
	if info, err := os.Stat(s.File); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		out = append(out, finding{remark, "settings", fmt.Sprintf("%s can be read or written by other users (mode %04o), and may hold secrets", s.File, info.Mode().Perm()), "chmod 600 " + s.File})
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PLUMB_") && !known[name] {
			out = append(out, finding{remark, "settings", name + " is set and is no setting", "see plumb docs settings"})
		}
	}
	if len(out) == 0 {
		out = append(out, finding{fine, "settings", "all at their defaults", ""})
	}
	return out
}

// checkFolder tries to write in the data folder, or in what it would be made in.
func checkFolder(_ context.Context, s settings.Settings) []finding {
	dir := s.Data
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return []finding{{fine, "data", dir + " will be made by the server", ""}}
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", dir)
	}
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "doctor-*"); err == nil {
			f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return []finding{{broken, "data", err.Error(), "give a folder that can be written with --data"}}
	}
	return []finding{{fine, "data", dir + " can be written", ""}}
}
