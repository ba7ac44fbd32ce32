// Package scaffold writes new rules, each with a first test that passes.
//
//	files, err := scaffold.New("my-rules/owner", scaffold.Python, "AWS::S3::Bucket")
//
// It writes files and keeps nothing.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// templates has a folder for each language.
//
//go:embed templates
var templates embed.FS

// The languages of rules.
const (
	Python = "python"
	Node   = "node"
	Go     = "go"
	Guard  = "guard"
	CEL    = "cel"
)

// Languages are all of them.
func Languages() []string { return []string{Python, Node, Go, Guard, CEL} }

var typeName = regexp.MustCompile(`^\w+::\w+::\w+$`)

// New writes a rule into a new or empty folder and returns the files.
func New(folder, language, resourceType string) ([]string, error) {
	if !slices.Contains(Languages(), language) {
		return nil, fmt.Errorf("the language %q is none of %s", language, strings.Join(Languages(), ", "))
	}
	if !typeName.MatchString(resourceType) {
		return nil, fmt.Errorf("%q is not a resource type such as AWS::S3::Bucket", resourceType)
	}
	abs, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	words, err := fillIn(filepath.Base(abs), resourceType)
	if err != nil {
		return nil, err
	}
	if err := empty(folder); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(templates, "templates/"+language)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		text, err := fs.ReadFile(templates, path.Join("templates", language, e.Name()))
		if err != nil {
			return files, err
		}
		file := filepath.Join(folder, strings.TrimSuffix(e.Name(), ".tmpl"))
		if err := os.WriteFile(file, []byte(words.Replace(string(text))), 0o644); err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Rule returns the text of a new rule's own file, and what the file is called.
func Rule(name, language, resourceType string) (file, text string, err error) {
	own := map[string]string{Python: "rule.py", Node: "index.mjs", Go: "main.go", Guard: "rule.guard", CEL: "rule.yaml"}
	if own[language] == "" {
		return "", "", fmt.Errorf("the language %q is none of %s", language, strings.Join(Languages(), ", "))
	}
	if !typeName.MatchString(resourceType) {
		return "", "", fmt.Errorf("%q is not a resource type such as AWS::S3::Bucket", resourceType)
	}
	words, err := fillIn(name, resourceType)
	if err != nil {
		return "", "", err
	}
	content, err := fs.ReadFile(templates, path.Join("templates", language, own[language]+".tmpl"))
	return own[language], words.Replace(string(content)), err
}

var ruleName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// fillIn returns what puts the names of a rule into a template.
func fillIn(name, resourceType string) (*strings.Replacer, error) {
	if !ruleName.MatchString(name) {
		return nil, fmt.Errorf("the folder's name %q is the rule's: want a letter, then up to 63 letters, digits, - and _", name)
	}
	identifier := strings.ReplaceAll(name, "-", "_")
	return strings.NewReplacer("{{name}}", name, "{{type}}", resourceType, "{{identifier}}", identifier, "{{IDENTIFIER}}", strings.ToUpper(identifier)), nil
}

// empty makes the folder, and refuses one that holds something.
func empty(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: name a folder that is not there", folder)
	}
	return nil
}
