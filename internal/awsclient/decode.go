package awsclient

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"plumb/internal/model"
)

// errEmpty is an answer of an operation whose answers have a body.
var errEmpty = errors.New("the answer is empty")

// Decode reads a recorded answer as Call would have: body of an operation that succeeded, or an *Error.
func (m *Models) Decode(
	service, operation string, status int, header http.Header, body []byte,
) (map[string]any, error) {
	api, op, err := m.operation(service, operation)
	if err != nil {
		return nil, err
	}
	ans := &answer{status, header, body}
	if status >= 300 {
		return nil, readError(api, ans)
	}
	return decode(api, op, ans)
}

// decode reads an answer by the shape of the operation's output. Members that the model does not know are left out.
func decode(api *model.API, op *model.Operation, ans *answer) (map[string]any, error) {
	if op.Output == nil {
		return map[string]any{}, nil
	}
	switch api.Metadata.Protocol {
	case "ec2", "query":
		return decodeQuery(op, ans.body)
	case "json":
		return jsonCodec{}.decode(op.Output, ans.body)
	}
	return decodeREST(api, op, ans)
}

// decodeQuery finds the output under the root element, and under the wrapper where the protocol has one.
func decodeQuery(op *model.Operation, body []byte) (map[string]any, error) {
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if root.name != op.Name+"Response" {
		return nil, fmt.Errorf("the answer is <%s> and not <%sResponse>", root.name, op.Name)
	}
	if wrapper := op.Output.ResultWrapper; wrapper != "" {
		inner := root.child(wrapper)
		if inner == nil {
			return nil, fmt.Errorf("the answer has no <%s>", wrapper)
		}
		root = inner
	}
	return xmlStructure(op.Output.Shape, root)
}

// decodeREST reads headers and status into their members, and the body into the payload member or into the rest.
func decodeREST(api *model.API, op *model.Operation, ans *answer) (map[string]any, error) {
	shape := op.Output.Shape
	out, err := restBodyOf(api, op, ans)
	if err != nil {
		return nil, err
	}
	for _, m := range shape.Members {
		switch m.Location {
		case "header":
			if s := ans.header.Get(orElse(m.LocationName, m.Name)); s != "" {
				if out[m.Name], err = value(&m.Ref, s); err != nil {
					return nil, fmt.Errorf("header %s: %w", m.LocationName, err)
				}
			}
		case "headers":
			out[m.Name] = prefixed(ans.header, m.LocationName)
		case "statusCode":
			out[m.Name] = int64(ans.status)
		}
	}
	return out, nil
}

func prefixed(h http.Header, prefix string) map[string]any {
	out := map[string]any{}
	for k := range h {
		if rest, ok := strings.CutPrefix(strings.ToLower(k), strings.ToLower(prefix)); ok {
			out[rest] = h.Get(k)
		}
	}
	return out
}

func restBodyOf(api *model.API, op *model.Operation, ans *answer) (map[string]any, error) {
	shape := op.Output.Shape
	ref := op.Output
	if shape.Payload != "" {
		m := shape.Lookup(shape.Payload)
		switch m.Shape.Type {
		case "blob":
			return map[string]any{m.Name: ans.body}, nil
		case "string":
			if len(ans.body) == 0 {
				return nil, errEmpty
			}
			return map[string]any{m.Name: string(ans.body)}, nil
		}
		ref = &m.Ref
	} else if !hasBody(shape) {
		return map[string]any{}, nil
	}
	body, err := restValue(api, op, ref, ans.body)
	if err != nil {
		return nil, err
	}
	if shape.Payload != "" {
		return map[string]any{shape.Payload: body}, nil
	}
	return body, nil
}

// restValue reads the document that the operation answers in its body. Without one there is no answer: AWS sends at least
// an empty element or object.
func restValue(api *model.API, op *model.Operation, ref *model.Ref, body []byte) (map[string]any, error) {
	if api.Metadata.Protocol == "rest-json" {
		return jsonCodec{rest: true}.decode(ref, body)
	}
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if root.name == "Error" { // S3 may fail after it answered 200
		return nil, readError(api, &answer{status: http.StatusInternalServerError, body: body})
	}
	switch {
	case isRoot(op, ref, root.name):
	case root.name == listOfObjects: // an S3 that ignores a subresource lists the bucket
		return nil, &Error{Code: "NotImplemented", Status: http.StatusNotImplemented, Message: "the service does not know " + op.Name}
	default:
		return nil, fmt.Errorf("the answer is <%s> and not <%s>", root.name, orElse(op.Root, ref.ShapeName))
	}
	if op.Name == "GetBucketLocation" { // the root element is the member itself, alone in all of S3
		return map[string]any{"LocationConstraint": root.text}, nil
	}
	return xmlStructure(ref.Shape, root)
}

// listOfObjects is the root element of S3's lists of objects.
const listOfObjects = "ListBucketResult"

// isRoot reports whether the root element of an answer has the operation's name for it, or the one that imitations of AWS
// take, who go by the operation or by its older name (GetBucketNotification for GetBucketNotificationConfiguration).
func isRoot(op *model.Operation, ref *model.Ref, name string) bool {
	if strings.HasPrefix(op.Name, "ListObjects") { // no name in the model says it
		return name == listOfObjects
	}
	for _, known := range []string{op.Root, ref.LocationName, ref.ShapeName, ref.Shape.LocationName, op.Name + "Result"} {
		if known != "" && name == known {
			return true
		}
	}
	older, ok := strings.CutSuffix(name, "Response")
	return ok && len(older) > len("Get") && strings.HasPrefix(op.Name, older)
}

// httpCode is the code of an error that came without one.
func httpCode(status int) string { return strconv.Itoa(status) }
