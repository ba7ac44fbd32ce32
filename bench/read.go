package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// readRules is how many rules a page of DescribeConfigRules has.
const readRules = 25

// read measures operations that read, on a place with 25 rules and 100
// resources that have ten items each.
func read(ctx context.Context, b *bench) error {
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	if err := s.fill(ctx); err != nil {
		return err
	}
	keys := []map[string]string{}
	for i := range 20 {
		keys = append(keys, map[string]string{"resourceType": instanceType, "resourceId": instanceID(i)})
	}
	for _, op := range []struct {
		name string
		in   any
	}{
		{"DescribeConfigRules", map[string]any{}},
		{"DescribeComplianceByConfigRule", map[string]any{}},
		{"GetComplianceDetailsByResource", map[string]any{"ResourceType": instanceType, "ResourceId": instanceID(1)}},
		{"ListDiscoveredResources", map[string]any{"resourceType": instanceType}},
		{"GetResourceConfigHistory", map[string]any{"resourceType": instanceType, "resourceId": instanceID(1)}},
		{"BatchGetResourceConfig", map[string]any{"resourceKeys": keys}},
	} {
		if err := b.readOne(ctx, s, op.name, op.in); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return nil
}

func instanceID(i int) string { return fmt.Sprintf("i-%017x", i) }

// fill pushes instances through the API, as authors push fixtures, and puts
// rules.
func (s *server) fill(ctx context.Context) error {
	if err := s.startRecorder(ctx); err != nil {
		return err
	}
	all := append([]string{flipped}, others...)
	for i := range readRules {
		if err := s.putManagedRule(ctx, fmt.Sprintf("rule-%02d", i), all[i%len(all)]); err != nil {
			return err
		}
	}
	for version := range 10 {
		for i := range 100 {
			text := strings.Replace(string(instanceJSON), "03:04:05.000", fmt.Sprintf("03:04:05.%03d", version), 1)
			err := s.call(ctx, "PutResourceConfig", map[string]any{
				"ResourceType": instanceType, "ResourceId": instanceID(i), "SchemaVersionId": "1", "Configuration": text,
			}, nil)
			if err != nil {
				return err
			}
			if version > 0 && i >= 5 {
				break // a history for some is enough
			}
		}
	}
	return s.app.Drain(ctx)
}

func (b *bench) readOne(ctx context.Context, s *server, operation string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := s.callRaw(ctx, operation, body)
	if err != nil {
		return err
	}
	echo, err := b.bareEcho(answer)
	if err != nil {
		return err
	}
	r, err := b.compare(ctx,
		together(b.clients, func(ctx context.Context) error {
			_, err := s.callRaw(ctx, operation, body)
			return err
		}),
		together(b.clients, func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, "POST", echo, strings.NewReader(string(body)))
			if err != nil {
				return err
			}
			_, err = do(s.client, r)
			return err
		}))
	if err != nil {
		return err
	}
	b.table.race(fmt.Sprintf("%s, %.1f KB, %d clients", operation, float64(len(answer))/1000, b.clients), "calls/s", r, 0.5)
	return nil
}

// bareEcho answers the same again: net/http and encoding/json, which decode the
// request and encode the answer, with nothing behind them. The answer is what
// encoding/json makes of any JSON, maps and lists, which it encodes slower than
// structs; the option ready measures against no encoding at all.
func (b *bench) bareEcho(answer []byte) (url string, err error) {
	var decoded any
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return "", err
	}
	return b.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out := answer
		if !b.ready {
			var err error
			if out, err = json.Marshal(decoded); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Write(out)
	}))
}

// serve answers on a free port of loopback until the end.
func (b *bench) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	b.atEnd(func() { server.Close() })
	return "http://" + l.Addr().String(), nil
}
