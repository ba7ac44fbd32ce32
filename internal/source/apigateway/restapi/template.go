package restapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"plumb/internal/source/apigateway"
	"plumb/internal/velocity"
)

// limits bound a mapping template.
var limits = velocity.Limits{Steps: 200_000, Output: 10 << 20}

// templates are those that were parsed, by their text.
type templates struct {
	parsed *apigateway.Cache[*velocity.Template]
}

// CheckTemplates refuses mapping templates that do not parse.
func CheckTemplates(all map[string]string) error {
	for kind, text := range all {
		if _, err := velocity.Parse(text); err != nil {
			return invalid("Invalid mapping template specified for %s: %v", kind, err)
		}
	}
	return nil
}

// An input is $input: a body, and the parameters of the request.
type input struct {
	x    *exchange
	body string
}

var errPath = errors.New("the JSON path is not supported")

func (in input) Get(name string) any {
	if name == "body" {
		return in.body
	}
	return nil
}

func (in input) value(path string) (any, error) {
	v, err := velocity.ParseJSON(in.body)
	if err != nil { // it is text to the template
		v = in.body
		if in.body == "" {
			v = velocity.NewMap()
		}
	}
	out, ok := lookUp(v, path)
	if !ok {
		return nil, fmt.Errorf("%w: %.100s", errPath, path)
	}
	return out, nil
}

func (in input) Call(name string, args []any) (any, bool, error) {
	path, _ := first(args)
	switch name {
	case "path":
		v, err := in.value(path)
		return v, true, err
	case "json":
		v, err := in.value(path)
		if err != nil {
			return nil, true, err
		}
		if v == nil {
			return `""`, true, nil
		}
		text, err := velocity.JSON(v)
		return text, true, err
	case "params":
		if len(args) == 0 {
			m := velocity.NewMap()
			m.Set("path", velocity.Of(in.x.match.params))
			m.Set("querystring", velocity.Of(flat(in.x.query())))
			m.Set("header", velocity.Of(flat(in.x.header())))
			return m, true, nil
		}
		return in.x.param(path), true, nil
	}
	return nil, false, nil
}

func first(args []any) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	s, ok := args[0].(string)
	return s, ok
}

// flat has the last of several values.
func flat(values map[string][]string) map[string]string {
	out := make(map[string]string, len(values))
	for k, list := range values {
		if len(list) > 0 {
			out[k] = list[len(list)-1]
		}
	}
	return out
}

// param is a parameter of the request, wherever it is: path, query, header.
func (x *exchange) param(name string) string {
	if v, ok := x.match.params[name]; ok {
		return v
	}
	if v, ok := flat(x.query())[name]; ok {
		return v
	}
	return x.header().Get(name)
}

// A utility is $util.
type utility struct{}

func (utility) Get(string) any { return nil }

// script escapes as Java's escapeJavaScript does. AWS's own text says that single quotes
// are escaped too, which JSON does not know.
var script = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`, `/`, `\/`)

func (utility) Call(name string, args []any) (any, bool, error) {
	text, ok := first(args)
	if !ok && len(args) > 0 {
		var err error
		if text, err = velocity.JSON(args[0]); err != nil {
			return nil, true, err
		}
	}
	switch name {
	case "escapeJavaScript":
		return script.Replace(text), true, nil
	case "parseJson":
		v, err := velocity.ParseJSON(text)
		if err != nil {
			return nil, true, fmt.Errorf("parseJson: %w", err)
		}
		return v, true, nil
	case "urlEncode":
		return url.QueryEscape(text), true, nil
	case "urlDecode":
		v, err := url.QueryUnescape(text)
		return v, true, err
	case "base64Encode":
		return base64.StdEncoding.EncodeToString([]byte(text)), true, nil
	case "base64Decode":
		v, err := base64.StdEncoding.DecodeString(text)
		return string(v), true, err
	}
	return nil, false, nil
}

// An override is what a template set: $context.responseOverride.status and the headers.
type override struct {
	status  int64
	headers map[string]string
}

// render runs a mapping template on a body.
func (s *Service) render(x *exchange, text, body string) (string, override, error) {
	t, ok := s.templates.parsed.Get(text, s.now())
	if !ok {
		var err error
		if t, err = velocity.Parse(text); err != nil {
			return "", override{}, err
		}
		s.templates.parsed.Put(text, t, time.Time{})
	}
	about := x.context()
	out, err := t.Execute(map[string]any{
		"input": input{x, body}, "util": utility{}, "context": about, "stageVariables": velocity.Of(x.stage.Variables),
	}, limits)
	return out, overrideOf(about), err
}

func overrideOf(about *velocity.Map) (out override) {
	m, ok := about.Value("responseOverride").(*velocity.Map)
	if !ok {
		return out
	}
	out.status, _ = m.Value("status").(int64)
	if headers, ok := m.Value("header").(*velocity.Map); ok {
		out.headers = map[string]string{}
		for _, k := range headers.Keys() {
			if v, ok := headers.Value(k).(string); ok {
				out.headers[k] = v
			}
		}
	}
	return out
}
