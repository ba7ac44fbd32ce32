package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"plumb/internal/model"
)

// strip reads one service and returns its stripped description.
func strip(dir, release string, listing model.Listing) ([]byte, error) {
	var src source
	if err := readSource(dir, "service-2", &src); err != nil {
		return nil, err
	}
	paginators, err := readPaginators(dir)
	if err != nil {
		return nil, err
	}
	api := &model.API{
		Metadata:   src.Metadata.Metadata,
		Operations: map[string]*model.Operation{},
		Shapes:     map[string]*model.Shape{},
	}
	api.Metadata.Source = release
	api.Metadata.QueryCompatible = len(src.Metadata.AWSQueryCompatible) > 0
	if err := speak(&api.Metadata); err != nil {
		return nil, err
	}
	for name, op := range src.Operations {
		if listing.Wants(name) {
			api.Operations[name] = operation(op, paginators[name])
		}
	}
	if err := missing(listing, api); err != nil {
		return nil, err
	}
	for _, op := range api.Operations {
		for _, r := range []*model.Ref{op.Input, op.Output} {
			if r != nil {
				keep(src, api, r.ShapeName)
			}
		}
		for _, name := range op.Errors {
			keep(src, api, name)
		}
	}
	return print(api)
}

// speak keeps a protocol that the client and the server have: a service that prefers another one also has one of these.
func speak(m *model.Metadata) error {
	for _, protocol := range append([]string{m.Protocol}, m.Protocols...) {
		if slices.Contains([]string{"ec2", "json", "query", "rest-json", "rest-xml"}, protocol) {
			m.Protocol = protocol
			return nil
		}
	}
	return fmt.Errorf("none of the service's protocols is spoken here: %s, %v", m.Protocol, m.Protocols)
}

// missing refuses a list that names operations which the source does not have.
func missing(listing model.Listing, api *model.API) error {
	for _, name := range listing.Operations {
		if _, ok := api.Operations[name]; !ok {
			return fmt.Errorf("operation %s is named, and the model does not have it", name)
		}
	}
	return nil
}

func operation(op sourceOperation, p sourcePaginator) *model.Operation {
	out := &model.Operation{
		Input: op.Input, Output: op.Output,
		Method: op.HTTP.Method, URI: op.HTTP.RequestURI, Status: op.HTTP.ResponseCode,
		AuthType: op.AuthType, HostPrefix: op.Endpoint.HostPrefix, UnsignedPayload: op.UnsignedPayload,
		NeedsChecksum: op.HTTPChecksumRequired || op.HTTPChecksum.RequestChecksumRequired,
		Deprecated:    op.Deprecated,
	}
	if out.Status == 200 {
		out.Status = 0
	}
	for _, e := range op.Errors {
		out.Errors = append(out.Errors, e.ShapeName)
	}
	if len(p.InputToken) > 0 {
		out.Paginator = &model.Paginator{
			InputToken: p.InputToken, OutputToken: p.OutputToken, LimitKey: p.LimitKey,
			ResultKey: p.ResultKey, MoreResults: p.MoreResults,
		}
	}
	return out
}

// keep copies a shape and what it reaches.
func keep(src source, api *model.API, name string) {
	if _, done := api.Shapes[name]; done {
		return
	}
	from := src.Shapes[name]
	s := from.Shape
	s.Members = from.Members
	api.Shapes[name] = &s
	for _, m := range s.Members {
		keep(src, api, m.ShapeName)
	}
	for _, r := range []*model.Ref{s.Member, s.Key, s.Value} {
		if r != nil {
			keep(src, api, r.ShapeName)
		}
	}
}

// print writes one operation and one shape a line, sorted, so that a new version of the source is a readable diff.
func print(api *model.API) ([]byte, error) {
	var b bytes.Buffer
	meta, err := line(api.Metadata)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "{\n\"metadata\": %s,\n\"operations\": {", meta)
	if err := entries(&b, api.Operations); err != nil {
		return nil, err
	}
	b.WriteString("\n},\n\"shapes\": {")
	if err := entries(&b, api.Shapes); err != nil {
		return nil, err
	}
	b.WriteString("\n}\n}\n")
	return b.Bytes(), nil
}

func entries[T any](b *bytes.Buffer, all map[string]T) error {
	for i, name := range slices.Sorted(maps.Keys(all)) {
		text, err := line(all[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "\n%q: %s", name, text)
	}
	return nil
}

func line(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
