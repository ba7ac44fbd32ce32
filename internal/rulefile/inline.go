package rulefile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// inlineFile is the file that CloudFormation makes of code that stands in a template.
func inlineFile(runtime string) string {
	if strings.HasPrefix(runtime, "nodejs") {
		return "index.js"
	}
	return "index.py"
}

// inlineSources reads the source blocks of an archive_file: the texts of files by their names.
func inlineSources(blocks []any) (map[string]string, error) {
	all := map[string]string{}
	for _, b := range blocks {
		m, _ := b.(map[string]any)
		name, named := m["filename"].(string)
		text, known := m["content"].(string)
		if !named || !known || strings.HasPrefix(text, reference) {
			return nil, fmt.Errorf("a source has no filename, or its content is not known before it is applied")
		}
		name = path.Clean(filepath.ToSlash(name))
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("the filename %q of a source leads out of the archive", name)
		}
		all[name] = text
	}
	return all, nil
}

// packTexts packs files by their names.
func packTexts(files map[string]string) ([]byte, error) {
	var b bytes.Buffer
	z := newZip(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		head := &zip.FileHeader{Name: name, Method: zip.Deflate}
		head.SetMode(0o644)
		w, err := z.CreateHeader(head)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// excludesOf reads the excludes of an archive_file.
func excludesOf(v any) (all []*regexp.Regexp, err error) {
	list, _ := v.([]any)
	for _, one := range list {
		text, ok := one.(string)
		if !ok || strings.HasPrefix(text, reference) {
			return nil, fmt.Errorf("excludes are not known before they are applied")
		}
		all = append(all, globOf(text))
	}
	return all, nil
}

var globParts = regexp.MustCompile(`\*\*/|\*\*|\*|\?|[^*?]+`)

// globOf is a pattern of paths below a folder: * is any text in a name, ** any path.
func globOf(pattern string) *regexp.Regexp {
	var b strings.Builder
	for _, part := range globParts.FindAllString(path.Clean(filepath.ToSlash(pattern)), -1) {
		switch part {
		case "**/":
			b.WriteString("(?:.*/)?")
		case "**":
			b.WriteString(".*")
		case "*":
			b.WriteString("[^/]*")
		case "?":
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(part))
		}
	}
	return regexp.MustCompile("^" + b.String() + "$")
}
