package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"plumb/internal/model"
)

// A restRoute is an operation's path, taken apart.
type restRoute struct {
	route    *model.Route
	segments []string   // "functions", "{FunctionName}"
	query    url.Values // parameters that belong to the route: find=LayerVersion
}

// restRoutes are ordered so that the first match is the most specific.
func restRoutes(r *model.Registry) []restRoute {
	var all []restRoute
	for _, route := range r.Routes() {
		path, query, _ := strings.Cut(route.URI, "?")
		values, _ := url.ParseQuery(query) // generated, and tested
		all = append(all, restRoute{route, segments(path), values})
	}
	slices.SortStableFunc(all, func(a, b restRoute) int { return b.weight() - a.weight() })
	return all
}

func (r restRoute) weight() int {
	n := 10 * len(r.query)
	for _, s := range r.segments {
		if s[0] != '{' {
			n++
		}
	}
	return n
}

// segments splits a path; a final slash, which old SDKs send, makes no difference.
func segments(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match returns the values of the path's labels.
func (r restRoute) match(method string, path []string, query url.Values) (map[string]string, bool) {
	if method != r.route.Method || len(path) != len(r.segments) {
		return nil, false
	}
	for name, values := range r.query {
		if !query.Has(name) || query.Get(name) != values[0] {
			return nil, false
		}
	}
	labels := map[string]string{}
	for i, s := range r.segments {
		text, err := url.PathUnescape(path[i])
		switch {
		case err != nil:
			return nil, false
		case s[0] == '{':
			labels[s[1:len(s)-1]] = text
		case s != text:
			return nil, false
		}
	}
	return labels, true
}

// findRest picks the operation by method and path.
func findRest(routes []restRoute, r *http.Request) (*model.Route, map[string]string, bool) {
	path, query := segments(r.URL.EscapedPath()), r.URL.Query()
	for _, route := range routes {
		if labels, ok := route.match(r.Method, path, query); ok {
			return route.route, labels, true
		}
	}
	return nil, nil, false
}

// decodeRest fills an input from path, query, headers and body.
func (h *Handler) decodeRest(p protocol, r *http.Request, body []byte, labels map[string]string, into any) error {
	v := reflect.ValueOf(into).Elem()
	fields := h.plans.of(v.Type())
	if p.kind != "rest-xml" && !slices.ContainsFunc(fields, func(f field) bool { return f.place == "payload" }) {
		if err := h.json.decode(body, into); err != nil {
			return err
		}
	}
	query := r.URL.Query()
	for _, f := range fields {
		f.xml = p.kind == "rest-xml"
		if value := v.Field(f.index); f.place == "query" && value.Kind() == reflect.Map {
			bindRest(value, query, fields)
			continue
		}
		if err := h.bindIn(f, v.Field(f.index), r.Header, query, labels, body); err != nil {
			if f.xml && f.place == "payload" {
				return err
			}
			return model.SerializationException("%s: %s", f.key, err)
		}
	}
	return nil
}

func (h *Handler) bindIn(
	f field, v reflect.Value, header http.Header, query url.Values, labels map[string]string, body []byte,
) error {
	switch f.place {
	case "uri":
		return setScalar(v, labels[f.key], f.time)
	case "header":
		return setIfAny(v, header.Values(f.key), f.time)
	case "query":
		return setIfAny(v, query[f.key], f.time)
	case "payload":
		switch {
		case v.Kind() == reflect.Slice:
			v.SetBytes(body)
		case f.xml:
			return h.bindXML(v, body)
		case len(body) > 0:
			v.Set(reflect.New(v.Type().Elem()))
			return h.json.decode(body, v.Interface())
		}
	}
	return nil
}

// bindRest gives a map the parameters of the query that have no member of their own.
func bindRest(v reflect.Value, query url.Values, fields []field) {
	rest := map[string]string{}
	for key, values := range query {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.place == "query" && f.key == key }) {
			rest[key] = values[0]
		}
	}
	if len(rest) > 0 && v.Type() == reflect.TypeOf(rest) {
		v.Set(reflect.ValueOf(rest))
	}
}

// setIfAny sets a scalar from the first value, or a list from all of them.
func setIfAny(v reflect.Value, values []string, timeFormat string) error {
	if len(values) == 0 {
		return nil
	}
	if isScalar(v.Type()) {
		return setScalar(v, values[0], timeFormat)
	}
	if v.Kind() != reflect.Slice {
		return fmt.Errorf("a %s has no place here", v.Kind())
	}
	v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
	for i, text := range values {
		if err := setScalar(v.Index(i), text, timeFormat); err != nil {
			return err
		}
	}
	return nil
}

// answerRest writes an output: members in headers, the status, and a payload or a JSON body.
func (h *Handler) answerRest(w http.ResponseWriter, p protocol, info model.Info, route *model.Route, out any) error {
	v := reflect.ValueOf(out).Elem()
	status, payload, name := route.Status, reflect.Value{}, ""
	for _, f := range h.plans.of(v.Type()) {
		value := v.Field(f.index)
		switch f.place {
		case "header":
			if text, ok := scalarText(value, f.time); ok {
				w.Header().Set(f.key, text)
			}
		case "status":
			if !value.IsNil() {
				status = int(value.Elem().Int())
			}
		case "payload":
			payload, name = value, v.Type().Field(f.index).Name
		}
	}
	if p.kind == "rest-xml" {
		var body []byte
		if payload.IsValid() && !payload.IsNil() {
			body = h.payloadXML(name, p.namespace, payload)
		}
		write(w, status, "text/xml", body)
		return nil
	}
	body, err := h.restBody(info, route, status, payload, out)
	if err != nil {
		return err
	}
	write(w, status, "application/json", body)
	return nil
}

func (h *Handler) restBody(info model.Info, route *model.Route, status int, payload reflect.Value, out any) ([]byte, error) {
	switch {
	case status == http.StatusNoContent, route.NoOutput:
		return nil, nil
	case !payload.IsValid():
		return h.json.encodeFor(info, out)
	case payload.Kind() == reflect.Slice:
		return payload.Bytes(), nil
	}
	return h.json.encodeFor(info, payload.Interface())
}
