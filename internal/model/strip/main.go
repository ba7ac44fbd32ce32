// Command strip writes the descriptions under models/ from a folder of botocore's API models:
//
//	go run ./internal/model/strip -botocore .../botocore            all services
//	go run ./internal/model/strip -botocore .../botocore sqs kms    these
//
// It keeps what a server or a client needs (names, types, constraints, bindings, errors, paging) and drops prose and
// whatever no kept operation reaches. models/services.json says which operations the program itself serves or calls; those
// that read resources are named by the files of resources/ alone.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	botocore := flag.String("botocore", "", "folder of the botocore package, with data/ in it")
	out := flag.String("o", "models", "folder of the stripped models")
	runbooks := flag.String("documents", "documents", "folder of the Automation documents")
	files := flag.String("resources", "resources", "folder of the resource types")
	flag.Parse()
	if err := run(*botocore, *out, *files, *runbooks, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "strip:", err)
		os.Exit(1)
	}
}

func run(botocore, out, files, runbooks string, only []string) error {
	wanted, err := wanted(os.DirFS(out), os.DirFS(files), os.DirFS(runbooks))
	if err != nil {
		return err
	}
	release, err := release(botocore)
	if err != nil {
		return err
	}
	if len(only) == 0 {
		only = slices.Sorted(maps.Keys(wanted))
	}
	for _, name := range only {
		listing, ok := wanted[name]
		if !ok {
			return fmt.Errorf("nothing names %s: neither models/services.json nor a file of resources/ or documents/", name)
		}
		dir, err := newest(filepath.Join(botocore, "data", name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text, err := strip(dir, release, listing)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(out, name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var version = regexp.MustCompile(`__version__ = ['"]([0-9.]+)['"]`)

// release names the source, which is written into what is made of it.
func release(botocore string) (string, error) {
	text, err := os.ReadFile(filepath.Join(botocore, "__init__.py"))
	if err != nil {
		return "", err
	}
	m := version.FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s does not say its version", botocore)
	}
	return strings.Join([]string{"botocore", string(m[1])}, " "), nil
}

// newest picks the latest API version; the folders are named by date.
func newest(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var versions []string
	for _, e := range entries {
		if e.IsDir() {
			versions = append(versions, e.Name())
		}
	}
	if len(versions) == 0 {
		return "", fmt.Errorf("no API version in %s", dir)
	}
	return filepath.Join(dir, slices.Max(versions)), nil
}
