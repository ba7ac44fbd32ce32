package managed

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// LoadWith is Load with the rules of a user's own folder beside: each YAML file in
// it and below it is one, under an identifier that no managed rule has. The error
// names the file and the line.
func LoadWith(folder string) (*Catalogue, error) {
	c, err := Load()
	if err != nil || folder == "" {
		return c, err
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isRuleFile(path) {
			return err
		}
		return c.addOwn(path)
	})
	if err != nil {
		return nil, fmt.Errorf("rules of your own: %w", err)
	}
	return c, nil
}

// isRuleFile reports whether a file of the folder is to be read. Tests and hidden
// files may stand beside the rules.
func isRuleFile(path string) bool {
	name := filepath.Base(path)
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".") && name != "plumb-test.yaml"
}

// ownIdentifier is what a rule of one's own may be called.
var ownIdentifier = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// maxIdentifier is how long PutConfigRule lets an identifier be.
const maxIdentifier = 256

func (c *Catalogue) addOwn(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := c.ParseFile(path, content)
	if err != nil {
		return err
	}
	if wrong := c.wrongIdentifier(f.Identifier); wrong != "" {
		return fmt.Errorf("%s:%d: the identifier %q %s", path, lineOf(content, "identifier:"), f.Identifier, wrong)
	}
	c.known[f.Identifier] = Info{
		Identifier: f.Identifier, DefaultName: strings.TrimSuffix(FileName(f.Identifier), ".yaml"), Trigger: f.Trigger, Types: f.Resources,
		Parameters: f.Parameters, Evaluated: true, Proactive: f.Proactive != nil, own: content,
	}
	c.order = append(c.order, f.Identifier)
	c.files[f.Identifier] = func() (*File, error) { return f, nil }
	return nil
}

// wrongIdentifier says what keeps a rule from having an identifier; "" for nothing.
func (c *Catalogue) wrongIdentifier(identifier string) string {
	info, taken := c.known[identifier]
	switch {
	case !ownIdentifier.MatchString(identifier) || len(identifier) > maxIdentifier:
		return fmt.Sprintf("is not of capital letters, digits and single underscores, such as OUR_BUCKETS_TAGGED, of at most %d", maxIdentifier)
	case taken && info.own != nil:
		return "is that of another file in the folder"
	case taken:
		return "is that of a managed rule; choose one that AWS does not have, such as OUR_" + identifier
	}
	return ""
}

// lineOf returns the number of the first line that begins so; 1 if none does.
func lineOf(content []byte, begin string) int {
	lines := strings.Split(string(content), "\n")
	return max(1, 1+slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, begin) }))
}
