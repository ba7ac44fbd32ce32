package faulty

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/model"
)

// token is the page token of answers that this package makes.
const token = "faulty-token"

// later reports whether a request is for a page after the first.
func later(r *http.Request, body []byte) bool {
	return bytes.Contains(body, []byte(token)) || strings.Contains(r.URL.RawQuery, token)
}

// call finds the service and the operation of a request, and the texts of its input.
func (t *Target) call(r *http.Request, body []byte) (*model.API, *model.Operation, map[string]string) {
	for _, api := range t.apis {
		if signedFor(r) != api.Metadata.Signing() {
			continue
		}
		if op, in := called(api, r, body); op != nil {
			return api, op, in
		}
	}
	return nil, nil, nil
}

// signedFor is the service in the credential scope of a signature.
func signedFor(r *http.Request) string {
	if parts := strings.Split(r.Header.Get("Authorization"), "/"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

func called(api *model.API, r *http.Request, body []byte) (*model.Operation, map[string]string) {
	switch api.Metadata.Protocol {
	case "json":
		target := r.Header.Get("X-Amz-Target")
		name := target[strings.LastIndexByte(target, '.')+1:]
		var all map[string]any
		_ = json.Unmarshal(body, &all) // without texts no answer fits
		return api.Operations[name], texts(all)
	case "query", "ec2":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, nil
		}
		return api.Operations[form.Get("Action")], values(form)
	}
	return route(api, r)
}

func texts(all map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range all {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

func values(form url.Values) map[string]string {
	out := map[string]string{}
	for k := range form {
		out[k] = form.Get(k)
	}
	return out
}

// route finds the operation of a REST service by method, path and the fixed part of the query. The one that fixes most wins.
func route(api *model.API, r *http.Request) (found *model.Operation, in map[string]string) {
	most := -1
	for _, op := range api.Operations {
		path, query, _ := strings.Cut(op.URI, "?")
		labels, ok := match(path, r.URL.EscapedPath())
		fixed, isFixed := fixes(query, r.URL.Query())
		if op.Method == r.Method && ok && isFixed && fixed > most {
			found, in, most = op, labels, fixed
		}
	}
	if found != nil && found.Input != nil {
		for _, m := range found.Input.Shape.Members {
			if m.Location == "querystring" && r.URL.Query().Has(m.LocationName) {
				in[m.Name] = r.URL.Query().Get(m.LocationName)
			}
		}
	}
	return found, in
}

// match lays a path over a template and returns what its labels stand for, by the member's name.
func match(template, path string) (map[string]string, bool) {
	want, got := strings.Split(strings.Trim(template, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(want) != len(got) {
		return nil, false
	}
	labels := map[string]string{}
	for i, w := range want {
		label, isLabel := strings.CutPrefix(w, "{")
		switch {
		case isLabel && got[i] != "":
			text, err := url.PathUnescape(got[i]) // an ARN in a path has slashes of its own
			if err != nil {
				return nil, false
			}
			labels[strings.TrimRight(label, "+}")] = text
		case w != got[i]:
			return nil, false
		}
	}
	return labels, true
}

// fixes reports whether the query has what a template fixes, and how much that is.
func fixes(template string, query url.Values) (int, bool) {
	want, err := url.ParseQuery(template)
	if err != nil {
		return 0, false
	}
	for k := range want {
		if !query.Has(k) || query.Get(k) != want.Get(k) {
			return 0, false
		}
	}
	return len(want), true
}
