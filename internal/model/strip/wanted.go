package main

import (
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"

	"plumb/internal/model"
)

// wanted returns which operations are kept, by service: those of services.json, and those that the files of resource types
// call.
func wanted(models, resources fs.FS) (map[string]model.Listing, error) {
	all, err := model.Listings(models)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(resources, "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		calls, err := callsOf(resources, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, c := range calls {
			all[c.Service] = all[c.Service].With(c.Call)
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
