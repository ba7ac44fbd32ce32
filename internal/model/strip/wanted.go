package main

import (
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"plumb/internal/model"
)

// wanted returns which operations are kept, by service: those of services.json, and those that the files of resource types
// and Automation documents call.
func wanted(models, resources, documents fs.FS) (map[string]model.Listing, error) {
	all, err := model.Listings(models)
	if err != nil {
		return nil, err
	}
	if err := add(all, resources, callsOf); err != nil {
		return nil, err
	}
	return all, add(all, documents, callsOfDocument)
}

// add adds the calls of a folder's files.
func add(all map[string]model.Listing, folder fs.FS, callsOf func(fs.FS, string) ([]call, error)) error {
	files, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		calls, err := callsOf(folder, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, c := range calls {
			all[c.Service] = all[c.Service].With(c.Call)
		}
	}
	return nil
}

// callsOfDocument returns the calls that the steps of a document make.
func callsOfDocument(documents fs.FS, file string) ([]call, error) {
	text, err := fs.ReadFile(documents, file)
	if err != nil {
		return nil, err
	}
	var form struct {
		Document struct {
			Steps []struct {
				Action string `yaml:"action"`
				Inputs struct {
					Service string `yaml:"Service"`
					API     string `yaml:"Api"`
				} `yaml:"inputs"`
			} `yaml:"mainSteps"`
		} `yaml:"document"`
	}
	if err := yaml.Unmarshal(text, &form); err != nil {
		return nil, err
	}
	var all []call
	for _, s := range form.Document.Steps {
		switch {
		case s.Inputs.Service != "":
			all = append(all, call{s.Inputs.Service, s.Inputs.API})
		case s.Action == "aws:changeInstanceState":
			for _, operation := range []string{"DescribeInstances", "StartInstances", "StopInstances", "TerminateInstances"} {
				all = append(all, call{"ec2", operation})
			}
		}
	}
	return all, nil
}

// A call is what a resource type's file says of one, as far as it matters here.
type call struct {
	Service string `yaml:"service"`
	Call    string `yaml:"call"`
}

func callsOf(resources fs.FS, file string) ([]call, error) {
	f, err := resources.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var form struct {
		Service string `yaml:"service"`
		Parents []call `yaml:"parents"`
		List    call   `yaml:"list"`
		One     call   `yaml:"one"`
		Exists  call   `yaml:"exists"`
		Calls   []call `yaml:"calls"`
	}
	if err := yaml.NewDecoder(f).Decode(&form); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(append(append(form.Calls, form.Parents...), form.List, form.One, form.Exists), func(c call) bool { return c.Call == "" })
	for i := range all {
		if all[i].Service == "" {
			all[i].Service = form.Service
		}
	}
	return all, nil
}
