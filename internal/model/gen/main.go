// Command gen writes the Go packages of the served services from the descriptions under models/:
//
//	go run ./internal/model/gen
//
// For each service that services.json marks "serve" it writes internal/model/NAMEapi: types, enums, constraint checks,
// errors, and a Service with one method per operation. It holds no knowledge of any one service; what AWS does
// differently from its own model stands in models/patches.json.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"plumb/internal/model"
	"plumb/models"
)

func main() {
	out := flag.String("o", "internal/model", "folder in which the packages lie")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	files, err := Generate()
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Generate returns every generated file by its path below internal/model.
func Generate() (map[string][]byte, error) {
	listings, err := model.Listings(models.FS)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, l := range listings {
		if !l.Serve {
			continue
		}
		api, err := model.Load(models.FS, name)
		if err != nil {
			return nil, err
		}
		p, err := plan(api)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for file, write := range map[string]func(*packageText) error{
			"types": p.types, "enums": p.enums, "errors": p.errors, "checks": p.checks, "service": p.service,
		} {
			text, err := p.file(write)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", name, file, err)
			}
			if text == nil {
				continue // a service without enums
			}
			files[filepath.Join(p.name, file+".gen.go")] = text
		}
	}
	return files, nil
}
