package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

// A dataFile is a document with its name and text.
type dataFile struct {
	name  string
	text  string
	value *document.Value
}

// A ruleFile is a rule file with the name that it is shown by.
type ruleFile struct {
	name  string
	rules *guard.RuleSet
	err   error
}

func readData(name string, text []byte) (dataFile, error) {
	v, err := document.Parse(text, document.Template)
	if err != nil {
		return dataFile{}, fmt.Errorf("%s: %w", name, err)
	}
	return dataFile{name, string(text), v}, nil
}

// data reads the documents, from standard input if no path is given.
func (v *Validate) data(in io.Reader) ([]dataFile, error) {
	if len(v.Data) == 0 {
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		d, err := readData("STDIN", text)
		return []dataFile{d}, err
	}
	paths, err := find(v.Data, v.LastModified, false, dataEndings)
	if err != nil {
		return nil, err
	}
	files := make([]dataFile, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading data: %w", err)
		}
		if files[i], err = readData(canonical(path), text); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// canonical is a path as the original names documents.
func canonical(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}

// parameters reads the parameter files and merges them into one document, or nil.
func (v *Validate) parameters() (*document.Value, error) {
	paths, err := find(v.InputParameters, v.LastModified, false, dataEndings)
	if err != nil {
		return nil, err
	}
	var merged *document.Value
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading parameters: %w", err)
		}
		d, err := readData(path, text)
		if err != nil {
			return nil, err
		}
		if merged == nil {
			merged = d.value
		} else if merged, err = document.Merge(merged, d.value); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return merged, nil
}

// ruleFiles reads the rule files. One that cannot be read does not keep the others
// from being evaluated.
func (v *Validate) ruleFiles() ([]ruleFile, error) {
	paths, err := find(v.Rules, v.LastModified, true, ruleEndings)
	if err != nil {
		return nil, err
	}
	files := make([]ruleFile, len(paths))
	for i, path := range paths {
		rules, err := rulesFrom(path)
		files[i] = ruleFile{filepath.Base(path), rules, err}
	}
	return files, nil
}

// payload reads rules and documents from one JSON text.
func payload(in io.Reader) ([]ruleFile, []dataFile, error) {
	var p struct {
		Rules []string `json:"rules"`
		Data  []string `json:"data"`
	}
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return nil, nil, fmt.Errorf("reading the payload from standard input: %w", err)
	}
	rules := make([]ruleFile, len(p.Rules))
	for i, source := range p.Rules {
		name := fmt.Sprintf("RULES_STDIN[%d]", i+1)
		set, err := guard.Parse(name, source)
		rules[i] = ruleFile{name, set, err}
	}
	data := make([]dataFile, len(p.Data))
	for i, text := range p.Data {
		var err error
		if data[i], err = readData(fmt.Sprintf("DATA_STDIN[%d]", i+1), []byte(text)); err != nil {
			return nil, nil, err
		}
	}
	return rules, data, nil
}
