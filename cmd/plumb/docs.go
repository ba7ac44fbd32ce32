package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/app"
	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/internal/rule/managed"
	"plumb/internal/settings"
	"plumb/models"
	"plumb/resources"
)

// pages are the pages of docs/ that the program prints, by their names there.
func pages() map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"coverage":       app.WriteCoverage,
		"managed-rules":  writeManagedRules,
		"resource-types": writeResourceTypes,
		"settings":       settings.WriteDocs,
	}
}

func writeManagedRules(w io.Writer) error {
	catalogue, err := managed.Load()
	if err != nil {
		return err
	}
	return catalogue.WriteDocs(w)
}

// schemaVariable names a checkout of AWS's public resource schema, which the page on resource types compares with.
const schemaVariable = "PLUMB_SCHEMA_CHECKOUT"

func writeResourceTypes(w io.Writer) error {
	types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		return err
	}
	var schema fs.FS
	if dir := os.Getenv(schemaVariable); dir != "" {
		schema = os.DirFS(filepath.Join(dir, "config", "properties", "resource-types"))
	}
	return types.WriteDocs(context.Background(), w, schema)
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
