package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// serve takes a request through its stations: service, caller, operation, input, constraints, handler, answer.
func (h *Handler) serve(x *exchange) error {
	x.credential, x.credErr = readCredential(x.r)
	form, err := h.earlyForm(x)
	if err != nil {
		return err
	}
	to := h.pick(x.r, x.credential, form)
	switch {
	case to.s3:
		x.service = to.name
		return h.serveS3(x)
	case to.served == nil:
		x.service = "other" // a client could invent any number of names
		return h.serveOther(x, to.name)
	}
	x.service = to.name
	x.protocol = protocolOf(to.served.Info, x.r)
	if err := h.readAll(x); err != nil {
		return err
	}
	if _, err := h.enter(x, payloadHash(x.r, x.credential, x.body)); err != nil {
		return err
	}
	if h.options.Verify {
		if err := checkScope(x.credential, to.served.Info.Signing); err != nil {
			return err
		}
	}
	if x.body, err = unpack(x.r, x.body, h.options.MaxBody); err != nil {
		return err
	}
	return h.serveOperation(x, to.served)
}

// earlyForm reads the parameters of an unsigned request, for which they are all there is to pick the service by.
func (h *Handler) earlyForm(x *exchange) (url.Values, error) {
	if x.credential.service != "" || x.r.Header.Get("X-Amz-Target") != "" {
		return nil, nil
	}
	if !isForm(x.r) {
		return x.r.URL.Query(), nil
	}
	if err := h.readAll(x); err != nil {
		return nil, err
	}
	return formOf(x.r, x.body), nil
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// formOf joins the parameters of query and body, as awsQuery allows both.
func formOf(r *http.Request, body []byte) url.Values {
	form := r.URL.Query()
	if isForm(r) {
		values, _ := url.ParseQuery(string(body)) // what does not parse is not there
		for name, v := range values {
			form[name] = v
		}
	}
	return form
}

func (h *Handler) readAll(x *exchange) error {
	if x.read {
		return nil
	}
	x.read = true
	body, err := readBody(x.r.Body, h.options.MaxBody)
	x.body = body
	return err
}

// enter authenticates and puts the caller into the request's context. The secret is for bodies that are signed in pieces.
func (h *Handler) enter(x *exchange, payload string) (secret string, err error) {
	id := x.caller.RequestID
	x.caller, secret, err = h.authenticate(x.r, x.credential, x.credErr, payload)
	x.caller.RequestID = id
	x.r = x.r.WithContext(caller.With(x.r.Context(), x.caller))
	return secret, err
}

func (h *Handler) serveS3(x *exchange) error {
	x.protocol = protocol{kind: "s3"}
	if h.options.S3 == nil {
		return model.NotImplementedException("S3 is not served here.")
	}
	if x.read { // a form, which only looked like a request of another service
		x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	}
	secret, err := h.enter(x, streamedHash(x.r, x.credential))
	if err != nil {
		return err
	}
	if err := openBody(x.r, x.credential, secret); err != nil {
		return err
	}
	x.w.Header()["x-amz-request-id"] = []string{x.caller.RequestID}
	h.options.S3.ServeHTTP(x.w, x.r)
	return nil
}

// serveOther hands a request for another service on, with its body as it came.
func (h *Handler) serveOther(x *exchange, name string) error {
	if err := h.readAll(x); err != nil {
		return err
	}
	if _, err := h.enter(x, payloadHash(x.r, x.credential, x.body)); err != nil {
		return err
	}
	if h.options.Fallback == nil {
		return model.NotImplementedException("The service %s is not served here.", name)
	}
	x.r.Body, x.r.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	h.options.Fallback(x.w, x.r, name)
	return nil
}

// serveOperation finds and runs the operation. The order of the checks is AWS's: operation, body, constraints, handler.
func (h *Handler) serveOperation(x *exchange, s *served) error {
	call, err := h.find(x, s)
	if err != nil {
		return err
	}
	x.operation = call.route.Operation
	if h.options.Allow != nil {
		if err := h.options.Allow(x.r.Context(), x.service, x.operation); err != nil {
			return err
		}
	}
	if !call.route.Built() {
		return model.NotImplementedException("%s: the operation %s is not implemented yet.", s.Info.Title, x.operation)
	}
	in := call.route.New()
	if err := call.decode(in); err != nil {
		return reword(err, s.Info)
	}
	checker := s.NewChecker()
	call.route.Check(in, checker)
	if err := checker.Err(); err != nil {
		return err
	}
	out, err := call.route.Call(x.r.Context(), in)
	if err != nil {
		return err
	}
	return h.answer(x, call.route, out)
}

func (h *Handler) answer(x *exchange, route *model.Route, out any) error {
	var err error
	switch x.protocol.kind {
	case "query":
		h.answerQuery(x.w, x.protocol, route, out, x.caller.RequestID)
	case "json":
		err = h.answerJSON(x.w, x.protocol, route, out)
	default:
		err = h.answerRest(x.w, route, out)
	}
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// reword gives a body that does not parse the code that the service has for it.
func reword(err error, info model.Info) error {
	if info.MalformedCode == "" || !model.IsCode(err, "SerializationException") {
		return err
	}
	return model.Errorf(model.Error{Code: info.MalformedCode, Status: http.StatusBadRequest, Typed: true},
		"Could not parse request body into json: %s", err.(*model.Error).Message)
}
