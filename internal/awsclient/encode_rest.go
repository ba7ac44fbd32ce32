package awsclient

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"plumb/internal/model"
)

// encodeREST puts each member where the model binds it: path, query, header or body.
func encodeREST(r *request, api *model.API, op *model.Operation, in map[string]any) error {
	path, query, _ := strings.Cut(op.URI, "?")
	if query != "" {
		fixed, err := url.ParseQuery(query)
		if err != nil {
			return fmt.Errorf("the model's URI: %w", err)
		}
		r.query = fixed
	}
	r.path = path
	if api.Metadata.EndpointPrefix == "s3" {
		r.header.Set("Accept-Encoding", "identity") // or else the transport would open objects that are gzip themselves
	}
	if op.Input != nil {
		for _, name := range sortedKeys(in) {
			if err := bind(r, op.Input.Shape, name, in[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := restBody(r, api, op, in); err != nil {
			return err
		}
	}
	if at := strings.IndexByte(r.path, '{'); at >= 0 {
		return fmt.Errorf("input %s is missing", r.path[at:])
	}
	return nil
}

// bind places one member, unless it belongs to the body.
func bind(r *request, input *model.Shape, name string, v any) error {
	m := input.Lookup(name)
	if m == nil {
		return fmt.Errorf("the operation has no such input")
	}
	if v == nil {
		return nil
	}
	at := orElse(m.LocationName, m.Name)
	switch m.Location {
	case "uri":
		return bindPath(r, at, &m.Ref, v)
	case "querystring":
		return bindQuery(r, at, &m.Ref, v)
	case "header":
		s, err := text(&m.Ref, v, formatHTTP)
		r.header.Set(at, s)
		return err
	case "headers":
		return bindHeaders(r, m, v)
	}
	return nil
}

func bindPath(r *request, at string, ref *model.Ref, v any) error {
	s, err := text(ref, v, formatISO)
	if err != nil {
		return err
	}
	if s == "" {
		return fmt.Errorf("must not be empty: it is part of the path")
	}
	if at == "Bucket" {
		r.bucket = s
	}
	r.path = strings.Replace(r.path, "{"+at+"}", escape(s, false), 1)
	r.path = strings.Replace(r.path, "{"+at+"+}", escape(s, true), 1)
	return nil
}

// escape writes all but the unreserved characters as %XX, as signatures count on; slashes stay in greedy labels.
func escape(s string, slashes bool) string {
	const upper = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("-._~", c) >= 0 || slashes && c == '/' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', upper[c>>4], upper[c&15]})
	}
	return b.String()
}

func bindQuery(r *request, at string, ref *model.Ref, v any) error {
	switch ref.Shape.Type {
	case "list":
		list, ok := asList(v)
		if !ok {
			return fmt.Errorf("%T is no list", v)
		}
		for _, e := range list {
			s, err := text(ref.Shape.Member, e, formatISO)
			if err != nil {
				return err
			}
			r.query.Add(at, s)
		}
		return nil
	case "map":
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%T is no map", v)
		}
		for k, e := range m {
			if err := bindQuery(r, k, ref.Shape.Value, e); err != nil {
				return err
			}
		}
		return nil
	}
	s, err := text(ref, v, formatISO)
	r.query.Set(at, s)
	return err
}

func bindHeaders(r *request, m *model.Member, v any) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%T is no map", v)
	}
	for k, e := range fields {
		s, err := text(m.Shape.Value, e, formatHTTP)
		if err != nil {
			return err
		}
		r.header.Set(m.LocationName+k, s)
	}
	return nil
}

// restBody writes the payload member, or else all members that are bound nowhere.
func restBody(r *request, api *model.API, op *model.Operation, in map[string]any) error {
	ref, v := op.Input, any(orEmpty(in))
	if name := op.Input.Shape.Payload; name != "" {
		m := op.Input.Shape.Lookup(name)
		if in[name] == nil {
			return nil
		}
		ref, v = &m.Ref, in[name]
		if m.Shape.Type == "blob" || m.Shape.Type == "string" {
			b, ok := blob(v)
			if !ok {
				return fmt.Errorf("%s: %T is no body", name, v)
			}
			r.body = b
			return nil
		}
	} else if !hasBody(op.Input.Shape) {
		return nil
	}
	if api.Metadata.Protocol == "rest-xml" {
		return xmlBody(r, ref, v)
	}
	value, err := (jsonCodec{rest: true}).value("", ref, v)
	if err != nil {
		return err
	}
	r.header.Set("Content-Type", "application/json")
	r.body, err = json.Marshal(value)
	return err
}

func hasBody(s *model.Shape) bool {
	for _, m := range s.Members {
		if m.Location == "" {
			return true
		}
	}
	return false
}
