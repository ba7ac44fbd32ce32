package managed

import (
	"fmt"
	"io/fs"
	"strings"
)

// A stencil makes the files of rules that differ by little more than the type.
type stencil struct {
	name       string // of the template
	identifier string // of the rule, or *SUFFIX
	member     string // the path of the configuration that the rule reads
}

// stencils reads templates/templates.tsv.
func stencils(source fs.FS) ([]stencil, error) {
	text, err := fs.ReadFile(source, "templates/templates.tsv")
	if err != nil {
		return nil, err
	}
	var out []stencil
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "template\t") {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("templates.tsv: %q is not a template, an identifier and a member", line)
		}
		out = append(out, stencil{fields[0], fields[1], fields[2]})
	}
	return out, nil
}

func (s stencil) fits(identifier string) bool {
	suffix, many := strings.CutPrefix(s.identifier, "*")
	return s.identifier == identifier || many && strings.HasSuffix(identifier, suffix)
}

// stencilOf returns the template that a rule without a file is made of; its name
// is empty when there is none.
func stencilOf(all []stencil, info Info) stencil {
	for _, s := range all {
		if s.fits(info.Identifier) && len(info.Types) == 1 {
			return s
		}
	}
	return stencil{}
}

// fill makes the text of a rule's file.
func (s stencil) fill(source fs.FS, info Info) ([]byte, error) {
	text, err := fs.ReadFile(source, "templates/"+s.name+".yaml")
	if err != nil {
		return nil, err
	}
	return []byte(strings.NewReplacer(
		"{{identifier}}", info.Identifier, "{{name}}", info.DefaultName, "{{type}}", info.Types[0], "{{member}}", s.member,
	).Replace(string(text))), nil
}
