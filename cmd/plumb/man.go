package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"plumb/internal/settings"
)

func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Print the man page",
		Example: "  plumb man > /usr/local/share/man/man1/plumb.1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeMan(cmd.OutOrStdout())
		},
	}
}

// writeMan writes the man page: what help says of every command, and the settings
// once.
func writeMan(w io.Writer) error {
	root := newRootCommand()
	p := &roff{}
	p.line(`.TH PLUMB 1 "" "plumb" "User Commands"`)
	p.line(".SH NAME")
	p.text("plumb - " + root.Short)
	p.line(".SH SYNOPSIS")
	p.line(`.B plumb`)
	p.text("COMMAND [FLAGS] [ARGUMENTS]")
	p.line(".SH DESCRIPTION")
	p.text(root.Long)
	p.line(".SH COMMANDS")
	p.commands(root)
	p.line(".SH SETTINGS")
	p.text("Commands that start or describe a server take settings: as flags, as variables, or as keys of the file that --settings names. " +
		"A flag comes before a variable, and that before the file.")
	for _, r := range settings.Table() {
		name := "--" + r.Name + " " + r.Kind
		if r.NoFlag {
			name = r.Name + " " + r.Kind
		}
		p.term(name + ", " + r.Env())
		p.text(r.Help)
	}
	p.line(".SH EXIT STATUS")
	p.term("0")
	p.text("All is well.")
	p.term("1")
	p.text("The command failed; of commands that check something: what was checked is not as it should be.")
	p.term("2")
	p.text("Of commands that check something: something could not be checked.")
	p.line(".SH SEE ALSO")
	p.text(`"plumb docs" lists the pages of the documentation and prints them.`)
	_, err := io.WriteString(w, p.String())
	return err
}

// A roff is a man page that is being written.
type roff struct{ strings.Builder }

func (p *roff) line(s string) { p.WriteString(s + "\n") }

// escaped is text that troff takes as it is.
func escaped(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// text writes paragraphs; lines that are indented stay as they are.
func (p *roff) text(s string) {
	verbatim := false
	for line := range strings.Lines(strings.TrimRight(s, "\n")) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !verbatim:
			p.line(".nf")
		case !indented && verbatim:
			p.line(".fi")
		}
		verbatim = indented
		if line == "" {
			p.line(".PP")
			continue
		}
		p.line(escaped(line))
	}
	if verbatim {
		p.line(".fi")
	}
}

func (p *roff) term(s string) {
	p.line(".TP")
	p.line(".B " + escaped(s))
}

// commands writes what is below a command, and not what cobra adds.
func (p *roff) commands(parent *cobra.Command) {
	for _, c := range parent.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		if c.Runnable() {
			p.command(c)
		}
		p.commands(c)
	}
}

func (p *roff) command(c *cobra.Command) {
	p.line(fmt.Sprintf(`.SS "%s"`, escaped(c.UseLine())))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	p.text(text)
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || len(f.Annotations[groupOf]) > 0 {
			return // the settings stand below
		}
		kind, help := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		p.term(strings.TrimSpace(name + " " + kind))
		p.text(help)
	})
	if c.Example != "" {
		p.line(".PP")
		p.text(c.Example)
	}
}
