package rulefile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A handler is where a file's function begins.
type handler struct {
	runtime, handler string
	library          bool // it imports rdklib
}

// A keyword that is nearly right will do (deff, export.handler): the interpreter then says on which line the mistake is.
var (
	pythonHandler = regexp.MustCompile(`(?m)^(?:async )?[def]{2,5}[ \t]+(lambda_handler|handler|main)\b`)
	nodeHandler   = regexp.MustCompile(`(?m)(?:^|\s)(?:exports?\.|module\.exports?\.|exports? (?:const|async function|function) )(lambda_handler|lambdaHandler|handler)\b`)
	library       = []byte("from rdklib import")
)

// The runtimes of files whose folder names none. Which interpreter runs them is a
// setting of the server.
const (
	pythonRuntime  = "python3.12"
	nodeRuntime    = "nodejs20.x"
	programRuntime = "provided.al2023"
)

// handlerIn looks for the handler of a file of code.
func handlerIn(path string) (h handler, ok bool, err error) {
	base := filepath.Base(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	switch {
	case base == "bootstrap":
		return handler{programRuntime, "bootstrap", false}, true, nil
	case base == "main.go":
		return handler{programRuntime, "bootstrap", false}, true, nil
	case strings.HasSuffix(stem, "_test") || strings.HasSuffix(stem, ".test") || strings.HasPrefix(stem, "test_"):
		return h, false, nil
	}
	pattern := map[string]*regexp.Regexp{".py": pythonHandler, ".js": nodeHandler, ".mjs": nodeHandler, ".cjs": nodeHandler}[filepath.Ext(base)]
	if pattern == nil {
		return h, false, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return h, false, err
	}
	found := pattern.FindSubmatch(text)
	if found == nil {
		return h, false, nil
	}
	h.runtime = nodeRuntime
	if pattern == pythonHandler {
		h.runtime = pythonRuntime
	}
	h.handler, h.library = stem+"."+string(found[1]), bytes.Contains(text, library)
	return h, true, nil
}

// functionFolder reads a folder that is a function's code.
func functionFolder(path string) (Rule, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return Rule{}, err
	}
	found, without := map[string]handler{}, ""
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		h, ok, err := handlerIn(filepath.Join(path, e.Name()))
		if err != nil {
			return Rule{}, err
		}
		switch {
		case ok:
			found[e.Name()] = h
		case slices.Contains([]string{".py", ".js", ".mjs", ".cjs"}, filepath.Ext(e.Name())):
			without = e.Name()
		}
	}
	if len(found) == 0 && without != "" {
		return Rule{}, fmt.Errorf("%s holds no rule: %s has no function that is called lambda_handler, handler or main; call it so, or name it in plumb-test.yaml, "+
			"as handler: %s.FUNCTION", path, without, strings.TrimSuffix(without, filepath.Ext(without)))
	}
	h, err := one(path, found)
	if err != nil {
		return Rule{}, err
	}
	abs, err := filepath.Abs(path)
	r := Rule{Kind: Function, Name: name(filepath.Base(abs)), Path: path, Runtime: h.runtime, Handler: h.handler, Library: h.library}
	return r.withDefaults(), err
}

// one picks the only handler of a folder, or one of a file with a usual name.
func one(path string, found map[string]handler) (handler, error) {
	if len(found) == 1 {
		for _, h := range found {
			return h, nil
		}
	}
	folder := filepath.Base(path)
	for _, usual := range []string{"bootstrap", "main.go", "index.py", "index.mjs", "index.js", "lambda_function.py", folder + ".py", folder + ".js", folder + ".mjs"} {
		if h, ok := found[usual]; ok {
			return h, nil
		}
	}
	if len(found) == 0 {
		return handler{}, fmt.Errorf("%s holds no rule: %s", path, wanted)
	}
	var names []string
	for n := range found {
		names = append(names, n)
	}
	slices.Sort(names)
	return handler{}, fmt.Errorf("%s has several handlers (%s): name one in plumb-test.yaml, as handler: FILE.FUNCTION", path, strings.Join(names, ", "))
}

// RuntimeOf returns the runtime for a handler in a folder, by the file that the
// handler is in.
func RuntimeOf(folder, handler string) (string, error) {
	file, _, ok := strings.Cut(handler, ".")
	if !ok && handler == "bootstrap" {
		return programRuntime, nil
	}
	for ending, runtime := range map[string]string{".py": pythonRuntime, ".js": nodeRuntime, ".mjs": nodeRuntime, ".cjs": nodeRuntime} {
		if _, err := os.Stat(filepath.Join(folder, file+ending)); err == nil {
			return runtime, nil
		}
	}
	return "", fmt.Errorf("the handler %s has no file %s.py, %s.js or %s.mjs in %s", handler, file, file, file, folder)
}

// WithHandler returns the function at a path, a folder or a file in one, with the
// handler that the author names.
func WithHandler(path, handler string) (Rule, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Rule{}, err
	}
	folder := path
	if !info.IsDir() {
		folder = filepath.Dir(path)
	}
	r, rdk, err := rdkFolder(folder)
	if err != nil {
		return Rule{}, err
	}
	if !rdk {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return Rule{}, err
		}
		r = Rule{Kind: Function, Name: name(filepath.Base(abs)), Path: folder}
		if r.Runtime, err = RuntimeOf(folder, handler); err != nil {
			return Rule{}, err
		}
	}
	if !info.IsDir() {
		r.Files = []string{filepath.Base(path)}
		if r.Name, err = nameOf(path); err != nil {
			return Rule{}, err
		}
	}
	r.Handler = handler
	return r.withDefaults(), nil
}
