package settings

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"

	"go.yaml.in/yaml/v3"
)

// Load reads the settings: the file that the flag or variable "settings" names,
// over it the environment, over it the flags, by their names. Everything that is
// not in the table, or not as a whole in order, is an error.
func Load(flags map[string]string, env func(string) (string, bool)) (Settings, error) {
	s := Default()
	given := given(flags, env)
	if file, ok := given["settings"]; ok && file.value != "" {
		if err := s.readFile(file.value); err != nil {
			return Settings{}, err
		}
	}
	for _, r := range Table() {
		word, ok := given[r.Name]
		if !ok {
			continue
		}
		if err := r.set(&s, &yaml.Node{Kind: yaml.ScalarNode, Value: word.value}); err != nil {
			return Settings{}, fmt.Errorf("%s: %w", word.name, err)
		}
		s.origins[r.Name] = word.origin
	}
	if err := s.Check(); err != nil {
		return Settings{}, err
	}
	return s, nil
}

type word struct{ value, name, origin string }

// given collects what flags and environment say; a flag wins.
func given(flags map[string]string, env func(string) (string, bool)) map[string]word {
	all := map[string]word{}
	for _, r := range Table() {
		if v, ok := env(r.Env()); ok && v != "" {
			all[r.Name] = word{v, r.Env(), "environment"}
		}
		if v, ok := flags[r.Name]; ok {
			all[r.Name] = word{v, "--" + r.Name, "flag"}
		}
	}
	return all
}

// readFile takes the settings of a YAML file. Errors name the file and the line.
func (s *Settings) readFile(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("settings file: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil // an empty file says nothing
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: line %d: want keys with values, such as listen: 127.0.0.1:4577", name, root.Line)
	}
	rows := map[string]Setting{}
	for _, r := range Table() {
		if !r.NoFile {
			rows[r.Name] = r
		}
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if err := s.readKey(rows, seen, root.Content[i], root.Content[i+1]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *Settings) readKey(rows map[string]Setting, seen map[string]int, key, value *yaml.Node) error {
	r, ok := rows[key.Value]
	if !ok {
		return fmt.Errorf("line %d: unknown setting %q%s", key.Line, key.Value, meant(maps.Keys(rows), key.Value))
	}
	if line, ok := seen[r.Name]; ok {
		return fmt.Errorf("line %d: %s was set before, on line %d", key.Line, r.Name, line)
	}
	seen[r.Name] = key.Line
	if err := r.set(s, value); err != nil {
		line := value.Line
		if inner, ok := errors.AsType[lineError](err); ok {
			line, err = inner.line, errors.New(inner.text)
		}
		return fmt.Errorf("line %d: %s: %w", line, r.Name, err)
	}
	s.origins[r.Name] = "file"
	return nil
}

func meant(names iter.Seq[string], name string) string {
	if best := Nearest(names, name); best != "" {
		return fmt.Sprintf("; is %s meant?", best)
	}
	return ""
}

// Nearest returns the name that is one or two letters away from a mistyped one,
// and "" when none is.
func Nearest(names iter.Seq[string], mistyped string) string {
	best, least := "", 3
	for known := range names {
		if d := distance(known, mistyped); d < least || d == least && known < best {
			best, least = known, d
		}
	}
	return best
}

// distance counts the letters to change, add or drop to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
