package git

import (
	"slices"
	"strings"
)

// A Difference is a path at which two trees differ. A side without an id has nothing there.
type Difference struct {
	Path          string
	Before, After Entry
}

// Differences compares what two entries lead to, file by file, by path. One without an id is
// empty.
func Differences(s Source, before, after Entry) ([]Difference, error) {
	var out []Difference
	if err := differ(s, "", before, after, &out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func differ(s Source, path string, before, after Entry, out *[]Difference) error {
	if before.ID == after.ID && before.Mode == after.Mode {
		return nil
	}
	old, err := below(s, before)
	if err != nil {
		return err
	}
	now, err := below(s, after)
	if err != nil {
		return err
	}
	d := Difference{Path: path}
	if before.Mode != ModeFolder {
		d.Before = before
	}
	if after.Mode != ModeFolder {
		d.After = after
	}
	if d.Before.ID != "" || d.After.ID != "" {
		*out = append(*out, d)
	}
	for name, e := range old {
		if err := differ(s, join(path, name), e, now[name], out); err != nil {
			return err
		}
		delete(now, name)
	}
	for name, e := range now {
		if err := differ(s, join(path, name), Entry{}, e, out); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// below returns what is in a folder by name; nothing of anything else.
func below(s Source, e Entry) (map[string]Entry, error) {
	out := map[string]Entry{}
	if e.ID == "" || e.Mode != ModeFolder {
		return out, nil
	}
	entries, err := Entries(s, e.ID)
	for _, x := range entries {
		out[x.Name] = x
	}
	return out, err
}
