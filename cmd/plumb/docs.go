package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/app"
	"plumb/internal/settings"
)

// pages are the pages of docs/ that the program prints, by their names there.
func pages() map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"coverage": app.WriteCoverage,
		"settings": settings.WriteDocs,
	}
}

func newDocsCommand() *cobra.Command {
	var names []string
	for name := range pages() {
		names = append(names, name)
	}
	slices.Sort(names)
	return &cobra.Command{
		Use:       "docs [PAGE]",
		Short:     "Print a page of the documentation that the program knows best, or their names",
		Example:   "  plumb docs settings",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(names, "\n"))
				return err
			}
			write, ok := pages()[args[0]]
			if !ok {
				return fmt.Errorf("no page %q; there is %s", args[0], strings.Join(names, ", "))
			}
			return write(cmd.OutOrStdout())
		},
	}
}
