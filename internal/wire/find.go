package wire

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// A call is an operation with the way to read its input from this request.
type call struct {
	route  *model.Route
	decode func(into any) error
}

func (h *Handler) find(x *exchange, s *served) (call, error) {
	switch x.protocol.kind {
	case "query":
		return h.findQuery(x, s)
	case "json":
		return h.findJSON(x, s)
	}
	route, labels, ok := findRest(s.rest, x.r)
	if !ok {
		return call{}, model.UnknownOperationException("%s has no operation at %s %s.", s.Info.Title, x.r.Method, x.r.URL.Path)
	}
	return call{route, func(into any) error { return h.decodeRest(x.protocol, x.r, x.body, labels, into) }}, nil
}

// isSentOn reports whether a request asks a service for an operation that it does not have here, and that is a matter of
// Fallback.
func (h *Handler) isSentOn(x *exchange, s *served) bool {
	if h.options.Fallback == nil || !slices.Contains(h.options.SentOn, s.Info.Signing) {
		return false
	}
	var known bool
	switch x.protocol.kind {
	case "query":
		action := formOf(x.r, x.body).Get("Action")
		_, known = s.Route(action)
		known = known || action == "" && strings.Trim(x.r.URL.Path, "/") == "" // a path is of another version, which is REST
	case "json":
		_, name, _ := strings.Cut(x.r.Header.Get("X-Amz-Target"), ".")
		_, known = s.Route(name)
		known = known || name == ""
	default:
		_, _, known = findRest(s.rest, x.r)
	}
	return !known
}

// findJSON: a missing target and a wrong content type are both an operation that AWS does not know.
func (h *Handler) findJSON(x *exchange, s *served) (call, error) {
	_, name, _ := strings.Cut(x.r.Header.Get("X-Amz-Target"), ".")
	if name == "" || x.r.Method != http.MethodPost || !jsonContent(x.r.Header.Get("Content-Type")) {
		err := model.UnknownOperationException("A request to %s is a POST in application/x-amz-json-%s with an X-Amz-Target.",
			s.Info.Title, s.Info.JSONVersion)
		err.Status = http.StatusNotFound
		return call{}, err
	}
	route, ok := s.Route(name)
	if !ok {
		return call{}, model.UnknownOperationException("%s has no operation %q.", s.Info.Title, name)
	}
	return call{route, func(into any) error {
		if err := h.json.decode(x.body, into); err != nil || !s.Info.NoNUL {
			return err
		}
		return refuseNUL(x.body)
	}}, nil
}

// jsonContent: either version of awsJson will do, as it does at AWS.
func jsonContent(header string) bool {
	media, _, _ := mime.ParseMediaType(header)
	return media == "application/x-amz-json-1.1" || media == "application/x-amz-json-1.0"
}

func (h *Handler) findQuery(x *exchange, s *served) (call, error) {
	form := formOf(x.r, x.body)
	action := form.Get("Action")
	route, ok := s.Route(action)
	switch {
	case action == "":
		return call{}, model.Errorf(model.Error{Code: "MissingAction", Status: 400}, "Missing Action")
	case !ok:
		return call{}, model.Errorf(model.Error{Code: "InvalidAction", Status: 400},
			"Could not find operation %s for version %s", action, form.Get("Version"))
	}
	if s.Info.QueryCompatible {
		queueFromPath(x.r, form)
	}
	return call{route, func(into any) error { return h.plans.decodeQuery(form, into) }}, nil
}

// queueFromPath: old SQS clients post to the queue's URL and leave the parameter out.
func queueFromPath(r *http.Request, form url.Values) {
	if !form.Has("QueueUrl") && len(segments(r.URL.Path)) >= 2 {
		form.Set("QueueUrl", caller.From(r.Context()).Endpoint+r.URL.Path)
	}
}
