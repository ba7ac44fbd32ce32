package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumb/docs"
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
		"plumb.1":        writeMan,
		"resource-types": writeResourceTypes,
		"settings":       settings.WriteDocs,
	}
}

// pageFile is the name of a page's file in docs/.
func pageFile(name string) string {
	if name == "plumb.1" {
		return name
	}
	return name + ".md"
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

// comparison begins the part of the page that needs the schema.
const comparison = "\n## Against"

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
	var write string
	cmd := &cobra.Command{
		Use:   "docs [PAGE]",
		Short: "Print a page of the documentation, or the list of them",
		Long: `Docs prints a page of the documentation, or the list of all pages. A page is named as in the list, or by the
last part of its name.`,
		Example: "  plumb docs\n  plumb docs settings\n  plumb docs first-rule",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case write != "":
				return writePages(write)
			case len(args) == 0:
				return listPages(cmd.OutOrStdout())
			}
			return writePage(cmd.OutOrStdout(), args[0])
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			names, err := pageNames()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&write, "write", "", "write the pages that the program makes to `FOLDER`")
	cmd.Flags().MarkHidden("write") // for those who build it
	return cmd
}

// pageNames are the names of all pages: their paths, without .md.
func pageNames() (names []string, err error) {
	err = fs.WalkDir(docs.Pages, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, strings.TrimSuffix(path, ".md"))
		}
		return err
	})
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), cmp.Compare(a, b))
	})
	return names, err
}

// listPages prints the name of each page and its title.
func listPages(w io.Writer) error {
	names, err := pageNames()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range names {
		text, err := fs.ReadFile(docs.Pages, pageFile(name))
		if err != nil {
			return err
		}
		title, _, _ := strings.Cut(string(text), "\n")
		if title = strings.TrimPrefix(title, "# "); name == "plumb.1" {
			title = "The man page"
		}
		fmt.Fprintf(table, "%s\t%s\n", name, title)
	}
	return table.Flush()
}

// writePage prints a page. What the program can make anew, it makes.
func writePage(w io.Writer, asked string) error {
	if write, ok := pages()[asked]; ok {
		return write(w)
	}
	names, err := pageNames()
	if err != nil {
		return err
	}
	var found []string
	for _, name := range names {
		if name == asked || strings.HasSuffix(name, "/"+asked) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 0:
		if best := settings.Nearest(slices.Values(names), asked); best != "" {
			return fmt.Errorf("no page %q; is %s meant?", asked, best)
		}
		return fmt.Errorf("no page %q: plumb docs lists all", asked)
	case 1:
		text, err := fs.ReadFile(docs.Pages, pageFile(found[0]))
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	return fmt.Errorf("several pages are called %q: %s", asked, strings.Join(found, ", "))
}

// writePages writes the pages that the program makes.
func writePages(folder string) error {
	for name, write := range pages() {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		file := filepath.Join(folder, pageFile(name))
		if name == "resource-types" && os.Getenv(schemaVariable) == "" {
			old, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if _, compared, ok := bytes.Cut(old, []byte(comparison)); ok {
				text.WriteString(comparison)
				text.Write(compared) // which cannot be made anew
			}
		}
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
