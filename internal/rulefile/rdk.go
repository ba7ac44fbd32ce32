package rulefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"plumb/internal/textfile"
)

// parametersFile is what makes a folder one of the Rule Development Kit.
const parametersFile = "parameters.json"

// rdkParameters is what matters here of parameters.json.
type rdkParameters struct {
	Parameters struct {
		RuleName         string
		SourceRuntime    string
		SourceHandler    string
		SourceEvents     string // types, with commas between them
		SourcePeriodic   string
		InputParameters  string // JSON; those that a rule must have
		SourceIdentifier string // of a managed rule, which has no code
		Timeout          json.Number
		Memory           json.Number
	}
}

// rdkFolder reads a folder that the Rule Development Kit made.
func rdkFolder(path string) (Rule, bool, error) {
	text, err := textfile.Read(filepath.Join(path, parametersFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Rule{}, false, nil
	}
	if err != nil {
		return Rule{}, false, err
	}
	fail := func(err error) (Rule, bool, error) {
		return Rule{}, true, fmt.Errorf("%s: %w", filepath.Join(path, parametersFile), err)
	}
	var in rdkParameters
	if err := json.Unmarshal(text, &in); err != nil {
		return fail(err)
	}
	p := in.Parameters
	if p.SourceIdentifier != "" {
		return fail(fmt.Errorf("it is the managed rule %s, which has no code to test", p.SourceIdentifier))
	}
	r := Rule{Kind: Function, Name: name(p.RuleName), Path: path, Types: rdkTypes(p.SourceEvents), Frequency: p.SourcePeriodic, Handler: p.SourceHandler}
	if err := CheckFrequency(r.Frequency); err != nil {
		return fail(err)
	}
	if p.InputParameters != "" {
		if r.Parameters, err = texts([]byte(p.InputParameters)); err != nil {
			return fail(fmt.Errorf("InputParameters: %w", err))
		}
	}
	timeout, _ := p.Timeout.Int64()
	memory, _ := p.Memory.Int64()
	r.Timeout, r.Memory = int(timeout), int(memory)
	h, err := rdkHandler(path, p.RuleName)
	if err != nil && r.Handler == "" {
		return Rule{}, true, err
	}
	r.Library = h.library
	if r.Handler == "" {
		r.Handler = h.handler
	}
	if r.Runtime = strings.TrimSuffix(p.SourceRuntime, "-lib"); r.Runtime == "" {
		r.Runtime = h.runtime
	}
	r.Runtime = served(r.Runtime)
	return r.withDefaults(), true, nil
}

// served is the runtime that can be had in the place of one that AWS has ended.
func served(runtime string) string {
	switch {
	case strings.HasPrefix(runtime, "python"):
		return pythonRuntime
	case strings.HasPrefix(runtime, "nodejs"):
		return nodeRuntime
	}
	return runtime
}

// rdkHandler finds the file of the rule's name, or the only one with a handler:
// some public folders were renamed and their files were not.
func rdkHandler(path, rule string) (handler, error) {
	for _, ending := range []string{".py", ".js", ".mjs"} {
		h, ok, err := handlerIn(filepath.Join(path, rule+ending))
		if ok && err == nil {
			return h, nil
		}
	}
	r, err := functionFolder(path)
	return handler{r.Runtime, r.Handler, r.Library}, err
}

func rdkTypes(events string) []string {
	var out []string
	for t := range strings.SplitSeq(events, ",") {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// texts reads parameters, whose values AWS Config has as text.
func texts(text []byte) (map[string]string, error) {
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(values))
	for k, v := range values {
		out[k] = fmt.Sprint(v)
	}
	return out, nil
}
