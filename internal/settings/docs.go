package settings

import (
	"fmt"
	"io"
	"strings"
)

// WriteDocs writes docs/settings.md: every setting with its three names, its
// default and an example.
func WriteDocs(w io.Writer) error {
	var b strings.Builder
	b.WriteString(docsHead)
	d := Default()
	group := ""
	for _, r := range Table() {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", r.Name, r.Help)
		fmt.Fprintf(&b, "| flag | variable | key | default |\n|---|---|---|---|\n")
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", flag(r), r.Env(), key(r), shownDefault(r, d))
		if !r.NoFile {
			fmt.Fprintf(&b, "\n```yaml\n%s: %s\n```\n", r.Name, example(r))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const docsHead = `# Settings

` + "`plumb docs settings`" + ` prints this page. Each setting is a flag of the command, an environment variable, and a key of the YAML file
that ` + "`--settings`" + ` names. A flag wins over a variable, a variable over the file. Nothing has to be set: the default is a server on
loopback that keeps its data in the folder ` + "`.plumb`" + `. Lists are written in YAML everywhere, in a flag or variable too. Lists that hold
secrets are no flags: all users of a machine may read its command lines.

The file may hold secrets, such as access keys and passwords. It should be for the server's user alone: mode 0600, owned by that user. ` + "`plumb doctor`" + `
says so where it is not.
`

func flag(r Setting) string {
	if r.NoFlag {
		return ""
	}
	return fmt.Sprintf("`--%s %s`", r.Name, strings.ReplaceAll(r.Kind, "|", `\|`))
}

func key(r Setting) string {
	if r.NoFile {
		return ""
	}
	return "`" + r.Name + "`"
}

// shownDefault reads the default as it is, secret or not: a default is public.
func shownDefault(r Setting, d Settings) string {
	if v := r.get(&d); v != "" {
		return "`" + v + "`"
	}
	return ""
}

// example quotes what YAML would take for something else than text.
func example(r Setting) string {
	if r.Kind == "DIGITS" {
		return `"` + r.Example + `"`
	}
	return r.Example
}
