package awsclient

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/model"
)

// A request is a call written down, before it is known where it goes.
type request struct {
	operation string
	input     map[string]any

	method   string
	path     string // escaped
	query    url.Values
	header   http.Header
	body     []byte
	bucket   string // S3: the bucket that begins the path
	prefix   string // what the operation puts before the service's host name, with the labels filled in
	unsigned bool
}

// encode writes a call in the service's protocol.
func encode(api *model.API, op *model.Operation, in map[string]any) (*request, error) {
	r := &request{
		operation: op.Name, input: in, method: op.Method, path: "/", query: url.Values{}, header: http.Header{}, unsigned: op.AuthType == "none",
	}
	if err := checkRequired(op, in); err != nil {
		return nil, err
	}
	var err error
	if r.prefix, err = hostPrefix(op.HostPrefix, in); err != nil {
		return nil, err
	}
	switch api.Metadata.Protocol {
	case "ec2", "query":
		err = encodeQuery(r, api, op, in)
	case "json":
		err = encodeJSON(r, api, op, in)
	case "rest-json", "rest-xml":
		err = encodeREST(r, api, op, in)
	default:
		err = fmt.Errorf("protocol %q is not spoken here", api.Metadata.Protocol)
	}
	return r, err
}

// hostPrefix fills the labels of a prefix such as "{AccountId}." in. A label is one part of a host name.
func hostPrefix(template string, in map[string]any) (string, error) {
	open, end := strings.IndexByte(template, '{'), strings.IndexByte(template, '}')
	if open < 0 || end < open {
		return template, nil
	}
	name := template[open+1 : end]
	value, _ := in[name].(string)
	if value == "" || strings.Trim(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("input %s: %q cannot be a part of a host name", name, value)
	}
	return template[:open] + value + template[end+1:], nil
}

// checkRequired catches what the service would refuse, with the caller's names in the text.
func checkRequired(op *model.Operation, in map[string]any) error {
	if op.Input == nil {
		if len(in) > 0 {
			return fmt.Errorf("the operation takes no input")
		}
		return nil
	}
	for _, name := range op.Input.Shape.Required {
		if in[name] == nil {
			return fmt.Errorf("input %s is missing", name)
		}
	}
	return nil
}

func newHTTP(ctx context.Context, enc *request, base *url.URL) (*http.Request, error) {
	u := *base
	u.RawQuery = queryText(enc.query)
	req, err := http.NewRequestWithContext(ctx, enc.method, u.String(), bytes.NewReader(enc.body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	for k, v := range enc.header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "plumb")
	if len(enc.body) == 0 {
		req.Body = http.NoBody
	}
	return req, nil
}

// queryText is Encode with the blank as %20, which signatures demand.
func queryText(q url.Values) string {
	return string(bytes.ReplaceAll([]byte(q.Encode()), []byte("+"), []byte("%20")))
}
