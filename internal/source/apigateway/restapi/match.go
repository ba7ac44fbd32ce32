package restapi

import (
	"net/url"
	"strings"

	"plumb/internal/model/apigatewayapi"
)

// A match is the resource that a path leads to.
type match struct {
	resource apigatewayapi.Resource
	method   apigatewayapi.Method
	params   map[string]string
}

// find returns the method for a request; false if there is none.
func (d *Definition) find(verb, path string) (match, bool) {
	have := strings.Split(strings.Trim(path, "/"), "/")
	if have[0] == "" {
		have = nil
	}
	var best match
	rank, found := "", false
	for _, r := range d.Resources {
		params, n, ok := matches(*r.Path, have)
		if ok && len(r.ResourceMethods) > 0 && (!found || n > rank) {
			best, rank, found = match{resource: r, params: params}, n, true
		}
	}
	if !found {
		return best, false
	}
	m, ok := best.resource.ResourceMethods[verb]
	if !ok {
		m, ok = best.resource.ResourceMethods["ANY"]
	}
	best.method = m
	return best, ok
}

// matches ranks how a path fits: text before a variable before a greedy one.
func matches(pattern string, have []string) (params map[string]string, rank string, ok bool) {
	params = map[string]string{}
	want := strings.Split(strings.Trim(pattern, "/"), "/")
	if want[0] == "" {
		return params, "", len(have) == 0
	}
	for i, w := range want {
		if i >= len(have) {
			return nil, "", false
		}
		switch {
		case strings.HasSuffix(w, "+}"):
			params[strings.Trim(w, "{}+")] = unescape(strings.Join(have[i:], "/"))
			return params, rank + "1", true
		case strings.HasPrefix(w, "{"):
			params[strings.Trim(w, "{}")] = unescape(have[i])
			rank += "2"
		case unescape(have[i]) == w:
			rank += "3"
		default:
			return nil, "", false
		}
	}
	return params, rank, len(have) == len(want)
}

func unescape(text string) string {
	if out, err := url.PathUnescape(text); err == nil {
		return out
	}
	return text
}
