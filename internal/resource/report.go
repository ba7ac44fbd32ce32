package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// WriteDocs writes docs/resource-types.md: how each type is read and what that costs. schema has AWS's public description
// of each type as TYPE.properties.json, and the page then says what it has and our examples lack, and the reverse; nil leaves
// that out.
func (c *Catalogue) WriteDocs(ctx context.Context, w io.Writer, schema fs.FS) error {
	var b strings.Builder
	beyond := 0
	for _, f := range c.files {
		if f.Beyond {
			beyond++
		}
	}
	fmt.Fprintf(&b, `# Resource types

Printed by `+"`plumb docs resource-types`"+` from the files in `+"`resources/`"+`. %d types are read: %d of the %d that AWS Config knows, and %d beyond them that
its managed rules judge. The others can be pushed with `+"`PutResourceConfig`"+`.

"Calls" are those of one reading: the list, and as many for each resource. "Single" is the call that reads one resource, or says whether it is there.

| type | list | for each resource | single | poll |
|---|---|---|---|---|
`, len(c.files), len(c.files)-beyond, len(c.known), beyond)
	for _, info := range c.Types() {
		writeType(&b, c.form(info.Type))
	}
	if schema != nil {
		if err := c.compare(ctx, &b, schema); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeType(b *strings.Builder, f *form) {
	var each []string
	for _, k := range f.Calls {
		each = append(each, k.service(f)+":"+k.Call)
	}
	single := ""
	for _, k := range []*call{f.Exists, f.One} {
		if k != nil {
			single = k.service(f) + ":" + k.Call
		}
	}
	name, poll := f.Type, "as set"
	if f.Beyond {
		name += " (beyond)"
	}
	if f.Poll > 0 {
		poll = f.Poll.String()
	}
	lists := make([]string, 0, len(f.Parents)+1)
	for _, k := range append(slices.Clone(f.Parents), f.List) {
		lists = append(lists, k.service(f)+":"+k.Call)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, strings.Join(lists, ", "), strings.Join(each, ", "), single, poll)
}

// compare writes what the schema and our examples do not share.
func (c *Catalogue) compare(ctx context.Context, b *strings.Builder, schema fs.FS) error {
	b.WriteString(`
## Against AWS's resource schema

Paths of the configuration that AWS's public schema has and no example of ours shows ("lacks"), and the reverse ("more"). A path below something that is
null or empty in every example is not counted.

| type | shared | lacks | more |
|---|---|---|---|
`)
	for _, info := range c.Types() {
		theirs, err := schemaPaths(schema, info.Type)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		ours, hollow, err := c.examplePaths(ctx, info.Type)
		if err != nil {
			return err
		}
		var lacks, more []string
		shared := 0
		for p := range theirs {
			switch {
			case ours[p]:
				shared++
			case !below(p, hollow) && !below(p, ours) || isTop(p) && !hollow[p]:
				lacks = append(lacks, p)
			}
		}
		for p := range ours {
			if !theirs[p] && !below(p, theirs) && !above(p, theirs) {
				more = append(more, p)
			}
		}
		fmt.Fprintf(b, "| %s | %d | %s | %s |\n", info.Type, shared, few(lacks), few(more))
	}
	return nil
}

func isTop(path string) bool { return !strings.Contains(path, ".") }

// few names up to twelve paths.
func few(paths []string) string {
	const most = 12
	slices.Sort(paths)
	if len(paths) <= most {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
}

// below reports whether a path begins with one of the set.
func below(path string, set map[string]bool) bool {
	for i := range path {
		if path[i] == '.' && set[path[:i]] {
			return true
		}
	}
	return false
}

// above reports whether one of the set begins with the path.
func above(path string, set map[string]bool) bool {
	for p := range set {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

func schemaPaths(schema fs.FS, typ string) (map[string]bool, error) {
	text, err := fs.ReadFile(schema, typ+".properties.json")
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", typ, err)
	}
	out := map[string]bool{}
	for p := range maps.Keys(all) {
		if rest, ok := strings.CutPrefix(p, "configuration."); ok {
			out[rest] = true
		}
	}
	return out, nil
}

// examplePaths are the paths with a value in a type's examples, and those that are null or empty.
func (c *Catalogue) examplePaths(ctx context.Context, typ string) (paths, hollow map[string]bool, err error) {
	examples, err := c.Examples(typ)
	if err != nil {
		return nil, nil, err
	}
	paths, hollow = map[string]bool{}, map[string]bool{}
	for _, ex := range examples {
		items, err := c.Run(ctx, typ, ex)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", typ, err)
		}
		for _, it := range items {
			walk("", it.Configuration, paths, hollow)
		}
	}
	return paths, hollow, nil
}

func walk(path string, v any, paths, hollow map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			hollow[path] = true
		}
		for k, e := range v {
			at := k
			if path != "" {
				at = path + "." + k
			}
			walk(at, e, paths, hollow)
		}
	case []any:
		if len(v) == 0 {
			hollow[path] = true
		}
		for _, e := range v {
			walk(path, e, paths, hollow)
		}
	case nil:
		hollow[path], paths[path] = true, true
	default:
		paths[path] = true
	}
}
