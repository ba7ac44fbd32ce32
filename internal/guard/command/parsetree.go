package command

import (
	"fmt"
	"io"
	"os"

	"plumb/internal/guard/report"
	"plumb/internal/guard/syntax"
)

// A ParseTree prints the tree of a rule file.
type ParseTree struct {
	Rules  string // standard input if empty
	Output string // standard output if empty
	Format string // JSON or YAML
}

// Run reads and prints, and gives the code to exit with.
func (p *ParseTree) Run(s Streams) (int, error) {
	in := s.In
	if p.Rules != "" {
		f, err := os.Open(p.Rules)
		if err != nil {
			return Error, fmt.Errorf("reading rules: %w", err)
		}
		defer f.Close()
		in = f
	}
	source, err := io.ReadAll(in)
	if err != nil {
		return Error, fmt.Errorf("reading rules: %w", err)
	}
	file, err := syntax.Parse("", string(source))
	if err != nil {
		return Error, err
	}
	if p.Output == "" {
		return OK, report.ParseTree(s.Out, p.Format, file)
	}
	return OK, p.toFile(file)
}

func (p *ParseTree) toFile(file *syntax.File) error {
	f, err := os.Create(p.Output)
	if err != nil {
		return fmt.Errorf("writing the tree: %w", err)
	}
	if err := report.ParseTree(f, p.Format, file); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
