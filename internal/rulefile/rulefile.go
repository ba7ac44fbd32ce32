// Package rulefile finds the rules that somebody wrote in a folder: a function
// with a handler, a folder of the Rule Development Kit with its parameters.json,
// a policy in Guard, a file like those in rules/.
//
//	all, err := rulefile.Find("my-rules/encrypted")
//
// It reads files and says what they are. It runs nothing and stores nothing.
package rulefile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/textfile"
)

// A Kind is who decides about what a rule looks at.
type Kind string

// The kinds of rules that people write.
const (
	Function  Kind = "function" // of Lambda
	Policy    Kind = "policy"   // in Guard
	Catalogue Kind = "catalogue"
	Managed   Kind = "managed" // one of AWS's, which a template names
)

// A Rule is what somebody wrote.
type Rule struct {
	Kind Kind
	Name string
	Path string // the file, or the folder or zip file of a function's code
	Line int    // in a template that declares it
	Text string // of a policy that stands in a template

	Identifier string // of a managed rule

	Types      []string          // whose changes trigger it; none is every type
	Frequency  string            // TwentyFour_Hours and the like; empty if no schedule triggers it
	Parameters map[string]string // InputParameters

	Runtime, Handler string // of a function
	Timeout, Memory  int    // seconds and MiB
	Files            []string
	Library          bool              // it imports rdklib
	Variables        map[string]string // of its environment

	inline   map[string]string // the code of a function that stands in its declaration: texts by file name; Path is the folder of that
	excludes []*regexp.Regexp  // what the code leaves out of its folder, beside what it always does
	packed   *Code             // its code, if Pack read it
}

// OnChange reports whether changes trigger the rule.
func (r Rule) OnChange() bool { return len(r.Types) > 0 || r.Frequency == "" }

// Zipped reports whether the rule is a function whose code is a zip file already.
func (r Rule) Zipped() bool {
	info, err := os.Stat(r.Path)
	return r.Kind == Function && err == nil && info.Mode().IsRegular()
}

// Sources are the files and folders that the rule is made of.
func (r Rule) Sources() []string {
	if len(r.Files) == 0 {
		return []string{r.Path}
	}
	var all []string
	for _, f := range r.Files {
		all = append(all, filepath.Join(r.Path, f))
	}
	return all
}

// Defaults of functions: enough for one that loads an SDK.
const (
	defaultTimeout = 60
	defaultMemory  = 256
)

// Find returns the rules at a path: a file, or a folder and not those below it.
// None is an error that says what would be one.
func Find(path string) ([]Rule, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if all, err := fromTemplate(path); len(all) > 0 || err != nil {
			return all, err
		}
		if filepath.Ext(path) == ".tf" {
			return inFolder(filepath.Dir(path))
		}
		r, ok, err := fileBeside(path)
		if err == nil && !ok {
			err = fmt.Errorf("%s is no rule: %s", path, wanted)
		}
		return []Rule{r}, err
	}
	return inFolder(path)
}

const wanted = "a rule is a folder with parameters.json, a file with a handler (NAME.py, index.js, index.mjs, main.go, bootstrap), " +
	"a policy NAME.guard, a file NAME.yaml with identifier and check, or a template.yaml or .tf file that declares one"

func inFolder(path string) ([]Rule, error) {
	if r, ok, err := rdkFolder(path); ok || err != nil {
		return []Rule{r}, err
	}
	if all, err := templateIn(path); len(all) > 0 || err != nil {
		return all, err
	}
	if all, err := terraformIn(path); len(all) > 0 || err != nil {
		return all, err
	}
	all, err := filesIn(path)
	if len(all) > 0 || err != nil {
		return all, err
	}
	r, err := functionFolder(path)
	return []Rule{r}, err
}

// filesIn returns the rules of a folder that are a file each.
func filesIn(path string) (all []Rule, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".guard", ".yaml", ".yml"}, filepath.Ext(e.Name())) {
			continue
		}
		r, ok, err := file(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		if ok && slices.ContainsFunc(all, func(other Rule) bool { return other.Name == r.Name }) {
			r.Name = name(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))) // the folder's is taken
		}
		if ok {
			all = append(all, r)
		}
	}
	return all, nil
}

// fileBeside reads a file that may be a rule, and calls it as its folder's rules are called.
func fileBeside(path string) (Rule, bool, error) {
	if all, err := filesIn(filepath.Dir(path)); err == nil { // else what is wrong is with another file
		if i := slices.IndexFunc(all, func(r Rule) bool { return r.Path == filepath.Clean(path) }); i >= 0 {
			all[i].Path = path
			return all[i], true, nil
		}
	}
	return file(path)
}

// file reads a file that may be a rule.
func file(path string) (Rule, bool, error) {
	called, err := nameOf(path)
	if err != nil {
		return Rule{}, false, err
	}
	switch filepath.Ext(path) {
	case ".guard", ".ruleset":
		return Rule{Kind: Policy, Name: called, Path: path}, true, nil
	case ".yaml", ".yml":
		text, err := textfile.Read(path)
		return Rule{Kind: Catalogue, Name: called, Path: path}, err == nil && isCatalogue(text), err
	}
	h, ok, err := handlerIn(path)
	if err != nil || !ok {
		return Rule{}, false, err
	}
	r := Rule{Kind: Function, Name: called, Path: filepath.Dir(path), Runtime: h.runtime, Handler: h.handler, Library: h.library}
	r.Files = []string{filepath.Base(path)}
	return r.withDefaults(), true, nil
}

// isCatalogue reports whether a file has the keys that every file in rules/ has.
func isCatalogue(text []byte) bool {
	var identifier, check bool
	for line := range strings.Lines(string(text)) {
		identifier = identifier || strings.HasPrefix(line, "identifier:")
		check = check || strings.HasPrefix(line, "check:")
	}
	return identifier && check
}

func (r Rule) withDefaults() Rule {
	if r.Timeout == 0 {
		r.Timeout = defaultTimeout
	}
	if r.Memory == 0 {
		r.Memory = defaultMemory
	}
	return r
}

// nameOf is what the rule of a file is called: as the file, or as its folder, if the
// file's name says no more than that it is a rule.
func nameOf(path string) (string, error) {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if !slices.Contains([]string{"rule", "policy", "index", "main", "lambda_function"}, stem) {
		return name(stem), nil
	}
	abs, err := filepath.Abs(path)
	return name(filepath.Base(filepath.Dir(abs))), err
}

// name makes a name that a rule and a function can have.
func name(s string) string {
	s = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, s)
	if s = strings.Trim(s, "-"); s == "" {
		s = "rule"
	}
	return s[:min(len(s), 64)]
}

// CheckFrequency refuses what is no frequency of a schedule.
func CheckFrequency(s string) error {
	all := []string{"", "One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"}
	if !slices.Contains(all, s) {
		return fmt.Errorf("schedule %q is none of %s", s, strings.Join(all[1:], ", "))
	}
	return nil
}
