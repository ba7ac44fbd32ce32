package httpapi

import (
	"net/url"
	"slices"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
)

// A match is the route that takes a request.
type match struct {
	route  apigatewayv2api.Route
	params map[string]string // of the path, as they mean
	rank   string            // the greater, the more specific
}

// find returns the route for a method and a path: a full match before a greedy one, the
// longest fixed beginning before others, the method before ANY, and $default at last.
func (d *Definition) find(method, path string) (match, bool) {
	var best match
	found := false
	for _, r := range d.Routes {
		m, ok := matches(r, method, path)
		if ok && (!found || m.rank > best.rank) {
			best, found = m, true
		}
	}
	return best, found
}

// The ranks of a segment: what stands there, a variable, a greedy one.
const (
	rankText     = "3"
	rankVariable = "2"
	rankGreedy   = "1"
)

func matches(r apigatewayv2api.Route, method, path string) (m match, ok bool) {
	m = match{route: r, params: map[string]string{}}
	key := model.Deref(r.RouteKey)
	if key == Default {
		return m, true // its rank is empty
	}
	verb, pattern, _ := strings.Cut(key, " ")
	if verb != "ANY" && verb != method {
		return m, false
	}
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	rank, full := "", "1"
	for i, w := range want {
		switch {
		case strings.HasSuffix(w, "+}"):
			rest := strings.Join(have[min(i, len(have)):], "/")
			if i >= len(have) || rest == "" {
				return m, false
			}
			m.params[strings.Trim(w, "{}+")] = unescape(rest)
			rank, full, have = rank+rankGreedy, "0", have[:i+1]
		case i >= len(have):
			return m, false
		case strings.HasPrefix(w, "{") && strings.HasSuffix(w, "}"):
			if have[i] == "" {
				return m, false
			}
			m.params[strings.Trim(w, "{}")] = unescape(have[i])
			rank += rankVariable
		case unescape(have[i]) != w:
			return m, false
		default:
			rank += rankText
		}
	}
	if len(have) != len(want) {
		return m, false
	}
	own := "1"
	if verb == "ANY" {
		own = "0"
	}
	m.rank = full + rank + "/" + own // "/" is less than every rank, so the longer path wins
	return m, true
}

func unescape(segment string) string {
	if text, err := url.PathUnescape(segment); err == nil {
		return text
	}
	return segment
}

// stagePath tells a path's stage: the one that its first segment names, or the default
// one, and what remains.
func stagePath(names []string, path string) (stage, rest string, ok bool) {
	first, tail, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if name := unescape(first); name != "" && slices.Contains(names, name) && name != Default {
		return name, "/" + tail, true
	}
	return Default, path, slices.Contains(names, Default)
}
