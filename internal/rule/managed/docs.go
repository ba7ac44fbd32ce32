package managed

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// WriteDocs writes docs/managed-rules.md: what each rule checks, with its
// parameters, its sources and what it leaves open, as its file says.
func (c *Catalogue) WriteDocs(w io.Writer) error {
	var b strings.Builder
	evaluated := c.Evaluated()
	made := 0
	for _, identifier := range evaluated {
		if c.Template(identifier) != "" {
			made++
		}
	}
	fmt.Fprintf(&b, `# Managed rules

Printed by `+"`plumb docs managed-rules`"+` from the files in `+"`rules/`"+`. %d of the %d identifiers give verdicts: %d have a file of their own, %d are made of
a template. The others can be put, give no verdict, and say so in their status.

`, len(evaluated), len(c.order), len(evaluated)-made, made)
	for _, identifier := range evaluated {
		f, err := c.File(identifier)
		if err != nil {
			return err
		}
		if c.Template(identifier) == "" {
			c.writeRule(&b, f)
		}
	}
	c.writeMade(&b, evaluated)
	if err := c.writeRest(&b); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Catalogue) writeRule(b *strings.Builder, f *File) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n- judges %s; trigger: %s; %d examples\n", f.Identifier, strings.TrimSpace(f.Description),
		strings.Join(f.Resources, ", "), f.Trigger, len(f.Examples))
	for _, p := range f.Parameters {
		fmt.Fprintf(b, "- `%s`: %s\n", p.Name, p.words())
	}
	if len(f.Finds) > 0 {
		fmt.Fprintf(b, "- looks through %s\n", strings.Join(f.Finds, ", "))
	}
	if f.Note != "" {
		fmt.Fprintf(b, "- note: %s\n", oneLine(f.Note))
	}
	for _, s := range f.Sources {
		fmt.Fprintf(b, "- source: %s\n", oneLine(s))
	}
	b.WriteString("\n")
}

// words say what values a parameter takes.
func (p Parameter) words() string {
	parts := []string{p.Kind}
	if p.Optional {
		parts = append(parts, "optional")
	}
	if p.Default != "" {
		parts = append(parts, "default "+p.Default)
	}
	if domain := p.Domain.words(); domain != "" {
		parts = append(parts, domain)
	}
	return strings.Join(parts, ", ")
}

func (d *Domain) words() string {
	if d == nil {
		return ""
	}
	var parts []string
	if len(d.Values) > 0 {
		parts = append(parts, "one of "+strings.Join(d.Values, ", "))
	}
	if d.Min != nil || d.Max != nil {
		parts = append(parts, d.bounds())
	}
	if d.Pattern != nil {
		parts = append(parts, "pattern `"+d.Pattern.String()+"`")
	}
	if d.Ports {
		parts = append(parts, "ports and ranges of ports")
	}
	return strings.Join(parts, ", ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// writeMade lists the rules that templates make.
func (c *Catalogue) writeMade(b *strings.Builder, evaluated []string) {
	b.WriteString("## Made of templates\n\n| identifier | type | template |\n|---|---|---|\n")
	for _, identifier := range evaluated {
		if t := c.Template(identifier); t != "" {
			fmt.Fprintf(b, "| %s | %s | %s |\n", identifier, c.known[identifier].Types[0], t)
		}
	}
}

// writeRest lists the rules that give no verdict.
func (c *Catalogue) writeRest(b *strings.Builder) error {
	reasons, err := c.Unevaluated()
	if err != nil {
		return err
	}
	b.WriteString("\n## Without an evaluator\n\n")
	for _, identifier := range c.order {
		if info := c.known[identifier]; !info.Evaluated {
			fmt.Fprintf(b, "- %s (%s): %s\n", identifier, strings.Join(info.Types, ", "), reasons[identifier])
		}
	}
	return nil
}

// Unevaluated returns why rules are not evaluated, by identifier.
func (c *Catalogue) Unevaluated() (map[string]string, error) {
	text, err := fs.ReadFile(c.source, "unevaluated.tsv")
	if err != nil {
		return nil, fmt.Errorf("read why rules are not evaluated: %w", err)
	}
	reasons := map[string]string{}
	for line := range strings.Lines(string(text)) {
		identifier, reason, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		reasons[identifier] = reason
	}
	return reasons, nil
}
