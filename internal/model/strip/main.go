// Command strip writes the descriptions under models/ from a folder of botocore's API models:
//
//	go run ./internal/model/strip -botocore .../botocore -o models
//
// It keeps what a server or a client needs (names, types, constraints, bindings, errors, paging) and drops prose and
// whatever no kept operation reaches. models/services.json says which services and operations are kept.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"plumb/internal/model"
)

func main() {
	botocore := flag.String("botocore", "", "folder of the botocore package, with data/ in it")
	out := flag.String("o", "models", "folder of the stripped models")
	flag.Parse()
	if err := run(*botocore, *out); err != nil {
		fmt.Fprintln(os.Stderr, "strip:", err)
		os.Exit(1)
	}
}

func run(botocore, out string) error {
	listings, err := model.Listings(os.DirFS(out))
	if err != nil {
		return err
	}
	for name, listing := range listings {
		dir, err := newest(filepath.Join(botocore, "data", name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text, err := strip(dir, listing)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(out, name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
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
