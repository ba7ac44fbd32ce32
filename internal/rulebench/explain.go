package rulebench

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/report"
)

// task is where a function finds its code.
const task = "/var/task/"

// In returns the answer as the author sees it, who has the function's code in folder:
// paths in its error, trace and log are those of the author's files, the trace has
// only frames in these, and Cause is the innermost of them. The log is without the
// lines of the platform and of the runtime.
func (a Answer) In(folder string) Answer {
	shown := filepath.ToSlash(report.Relative(folder)) + "/"
	if shown == "./" {
		shown = ""
	}
	here := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(s, "file://"+task, shown), task, shown)
	}
	t := trace{folder: folder, shown: shown}
	for _, frame := range a.Trace {
		t.add(frame)
	}
	plain := a.Error
	a.Log = here(printed(a.Log, plain))
	a.Error = here(plain)
	a.Trace, a.Cause = t.lines(here, plain), t.cause()
	return a
}

// Explained are the lines that help to find out why the function did what it did:
// what it printed, then the trace of its error.
func (a Answer) Explained() (lines []string) {
	for line := range strings.Lines(strings.Trim(a.Log, "\n")) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return append(lines, a.Trace...)
}

// A Place is a line of a file.
type Place struct {
	Path string
	Line int
}

// The forms in which runtimes write where a frame of a trace is.
var (
	pythonFrame = regexp.MustCompile(`File "([^"]+)",? [Ll]ine (\d+)`)
	nodeFrame   = regexp.MustCompile(`(?:^|[( ])(?:file://)?(/[^:()\s]+):(\d+)(?::\d+)?\)?$`)
	goFrame     = regexp.MustCompile(`^\s*(\S+\.go):(\d+), in `)
)

// A trace is that of an error, frame by frame.
type trace struct {
	folder, shown string
	all           []string
	own           []string
	places        []Place
	innermostLast bool // as Python has it
}

func (t *trace) add(frame string) {
	frame = strings.TrimRight(frame, "\n")
	t.all = append(t.all, frame)
	if m := pythonFrame.FindStringSubmatch(frame); m != nil {
		t.innermostLast = true
		t.frame(frame, m[1], m[2])
	} else if m := nodeFrame.FindStringSubmatch(frame); m != nil {
		t.frame(frame, m[1], m[2])
	} else if m := goFrame.FindStringSubmatch(frame); m != nil {
		if path, ok := t.source(m[1]); ok {
			t.frame(strings.Replace(frame, m[1], task+path, 1), task+path, m[2])
		}
	} else if !strings.HasPrefix(strings.TrimSpace(frame), "at ") {
		t.own = append(t.own, frame) // the code of the line before, or a part of the message
	}
}

// frame keeps a frame that is in the function's own files.
func (t *trace) frame(text, path, line string) {
	inside, ok := strings.CutPrefix(path, task)
	if !ok || strings.Contains(inside, "node_modules/") {
		return
	}
	n, err := strconv.Atoi(line)
	if err != nil {
		return
	}
	t.own = append(t.own, text)
	t.places = append(t.places, Place{filepath.Join(t.folder, filepath.FromSlash(inside)), n})
}

// source finds a file of a Go program, which a trace names after its module.
func (t *trace) source(path string) (string, bool) {
	for {
		if info, err := os.Stat(filepath.Join(t.folder, filepath.FromSlash(path))); err == nil && info.Mode().IsRegular() {
			return path, true
		}
		_, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !ok {
			return "", false
		}
		path = rest
	}
}

func (t *trace) cause() Place {
	switch {
	case len(t.places) == 0:
		return Place{}
	case t.innermostLast:
		return t.places[len(t.places)-1]
	}
	return t.places[0]
}

// maxFrames bounds a trace of which no frame is in the function's own files.
const maxFrames = 10

// lines are those that are shown: frames in the function's own files, else all.
func (t *trace) lines(here func(string) string, failure string) (lines []string) {
	frames := t.own
	if len(t.places) == 0 {
		frames = slices.DeleteFunc(slices.Clone(t.all), ofNode)
		frames = frames[:min(len(frames), maxFrames)]
	}
	for _, frame := range frames {
		for line := range strings.Lines(here(frame)) {
			line = strings.TrimRight(line, "\r\n")
			if text := strings.TrimSpace(line); text != "" && !repeats(here(failure), text) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// ofNode reports whether a frame is inside of Node.js or of the runtime, which lead to
// no code of the author's.
func ofNode(frame string) bool {
	return strings.Contains(frame, "(node:") || strings.Contains(frame, " node:") || strings.Contains(frame, "/var/runtime/")
}

// repeats reports whether a line of a trace is one of the message, which is told
// already.
func repeats(failure, line string) bool {
	for part := range strings.Lines(failure) {
		if strings.HasSuffix(strings.TrimSpace(part), line) {
			return true
		}
	}
	return false
}

// maxLine is how much of a line of a log is shown.
const maxLine = 1000 // bytes

// printed is what the function printed itself. A runtime writes an error at the end
// of a log: that is told elsewhere.
func printed(log, failure string) string {
	kind, _, _ := strings.Cut(failure, ":")
	var b strings.Builder
	first := true
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		cut := first && len(log) >= maxTail
		first = false
		switch {
		case cut:
			line = "(what was printed before is cut off)"
		case failure != "" && strings.HasPrefix(line, "[ERROR] "+kind):
			return b.String()
		case ofPlatform(line), failure != "" && ofRuntime(line), strings.TrimSpace(line) == "":
			continue
		}
		b.WriteString(short(line, maxLine) + "\n")
	}
	return b.String()
}

// maxTail is how much of a log Lambda hands over with an answer.
const maxTail = 4 << 10

func ofPlatform(line string) bool {
	for _, word := range []string{"START", "END", "REPORT"} {
		if strings.HasPrefix(line, word+" RequestId: ") {
			return true
		}
	}
	return strings.HasPrefix(line, "INIT_START ") || strings.HasPrefix(line, "INIT_REPORT ")
}

// ofRuntime reports whether a runtime wrote a line of a log because the function
// failed.
func ofRuntime(line string) bool {
	for _, part := range []string{
		"\tERROR\tInvoke Error \t{", "\tERROR\tUncaught Exception \t{", "\tERROR\tUnhandled Promise Rejection \t{", // of Node.js
		"LAMBDA_WARNING: Unhandled exception. ", // of Python
		`"stackTrace":[{"path":`,                // of Lambda's library for Go
	} {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}
