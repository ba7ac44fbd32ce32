package wire

import (
	"bytes"
	"context"
	"errors"
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
	if x.credential.misnamed {
		return errScope() // nothing may be called so, in no mode
	}
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
		x.service, x.unserved = "other", to.name
		return h.serveOther(x, to.name)
	}
	x.service, x.served = to.name, to.served
	x.protocol = protocolOf(to.served.Info, x.r)
	if err := h.readFrom(x, bodyLimit(to.name, h.options.MaxBody)); err != nil {
		return err
	}
	if h.options.Verify {
		if err := checkScope(x.credential, to.served.Info.Signing); err != nil {
			return err
		}
	}
	if x.body, err = x.unpack(bodyLimit(to.name, h.options.MaxBody)); err != nil {
		return err
	}
	if h.isSentOn(x, to.served) {
		x.service, x.unserved, x.served = "other", to.served.Info.Signing, nil
		x.r.Header.Del("Content-Encoding") // the body was unpacked
		return h.handOn(x, x.unserved)
	}
	c, err := h.find(x, to.served)
	if err != nil {
		return err
	}
	x.operation, x.call = c.route.Operation, c
	if err := h.throttle.check(to.served.Info.Signing, x.caller, x.operation); err != nil {
		return err
	}
	if h.options.Route == nil {
		return h.serveOperation(x, to.served, c)
	}
	asked := Asked{Service: to.served.Info.Signing, Operation: x.operation, Built: c.route.Built(), Body: x.body,
		Authorize: func() error { return h.authorize(x, to.served, c) }}
	return h.options.Route(x.w, x.r, asked, func(w http.ResponseWriter) { h.answerTo(w, x, to.served, c) })
}

// Asked is what a request for a served service asks.
type Asked struct {
	Service   string // its name in credential scopes
	Operation string
	Built     bool // there is a handler for the operation
	Body      []byte
	Authorize func() error // refuses what the caller may not do; who answers it elsewhere asks
}

// answerTo runs an operation for whoever reads the answer.
func (h *Handler) answerTo(w http.ResponseWriter, x *exchange, s *served, c call) {
	if w == http.ResponseWriter(x.w) {
		if err := h.serveOperation(x, s, c); err != nil {
			h.fail(x, err)
		}
		return
	}
	apart := *x
	apart.w = &recorder{ResponseWriter: w}
	if err := h.serveOperation(&apart, s, c); err != nil {
		h.fail(&apart, err)
	}
	x.input, x.output, x.w.failed = apart.input, apart.output, apart.w.failed
}

// earlyForm reads the parameters of an unsigned request, for which they are all there is to pick the service by.
func (h *Handler) earlyForm(x *exchange) (url.Values, error) {
	if x.credential.service != "" || x.r.Header.Get("X-Amz-Target") != "" {
		return nil, nil
	}
	if !isForm(x.r) {
		return x.r.URL.Query(), nil
	}
	if h.options.Verify && errors.Is(x.credErr, errUnsigned) {
		return nil, model.MissingAuthenticationToken() // a stranger's body is not read
	}
	if err := h.readAll(x, h.options.MaxBody); err != nil {
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

// plainBody bounds what is sent to any service but Lambda, which takes archives: AWS's own bounds are below.
const plainBody = 8 << 20

// strangersBody bounds what is sent without a signature to an operation that needs none.
const strangersBody = 64 << 10

func bodyLimit(service string, most int64) int64 {
	if service == "lambda" {
		return most
	}
	return min(plainBody, most)
}

// readAll reads the body, as far as the memory for bodies allows.
func (h *Handler) readAll(x *exchange, limit int64) (err error) {
	if x.read {
		return nil
	}
	x.read = true
	x.body, err = readBody(x.share.Reader(x.r.Body), limit)
	return err
}

// readFrom admits a sender and reads the body that the signature covers.
func (h *Handler) readFrom(x *exchange, limit int64) error {
	if err := h.admitSender(x); err != nil {
		return err
	}
	if x.admitted.nobody {
		limit = min(limit, strangersBody)
	}
	if err := h.readAll(x, limit); err != nil {
		return err
	}
	return h.enter(x, payloadHash(x.r, x.credential, x.body))
}

func (h *Handler) admitSender(x *exchange) (err error) {
	id := x.caller.RequestID
	x.admitted, err = h.admit(x.r, x.credential, x.credErr)
	x.admitted.who.RequestID = id
	x.caller = x.admitted.who
	return err
}

// enter verifies the signature and puts the caller into the request's context.
func (h *Handler) enter(x *exchange, payload string) error {
	err := h.verify(x.r, x.credential, &x.admitted, payload)
	x.caller = x.admitted.who
	x.r = x.r.WithContext(caller.With(x.r.Context(), x.caller))
	return err
}

func (h *Handler) serveS3(x *exchange) error {
	x.protocol = protocol{kind: "s3"}
	if h.options.S3 == nil {
		return model.NotImplementedException("S3 is not served here.")
	}
	if x.read { // a form, which only looked like a request of another service
		x.r.Body = io.NopCloser(bytes.NewReader(x.body))
	}
	if err := h.admitSender(x); err != nil {
		return err
	}
	if err := h.enter(x, streamedHash(x.r, x.credential)); err != nil {
		return err
	}
	if err := openBody(x.r, x.credential, x.admitted.secret); err != nil {
		return err
	}
	x.w.Header()["x-amz-request-id"] = []string{x.caller.RequestID}
	h.options.S3.ServeHTTP(x.w, x.r)
	return nil
}

// serveOther hands a request for another service on, with its body as it came.
func (h *Handler) serveOther(x *exchange, name string) error {
	if err := h.readFrom(x, h.options.MaxBody); err != nil {
		return err
	}
	return h.handOn(x, name)
}

func (h *Handler) handOn(x *exchange, name string) error {
	if h.options.Fallback == nil {
		return model.NotImplementedException("The service %s is not served here.", name)
	}
	x.r.Body, x.r.ContentLength = io.NopCloser(bytes.NewReader(x.body)), int64(len(x.body))
	h.options.Fallback(x.w, x.r, name)
	return nil
}

// serveOperation runs an operation. The order of the checks is AWS's: operation, body, constraints, handler.
func (h *Handler) serveOperation(x *exchange, s *served, call call) error {
	if !call.route.Built() {
		return model.NotImplementedException("%s: the operation %s is not implemented yet.", s.Info.Title, x.operation)
	}
	in, ctx, err := h.input(x, s, call)
	if err != nil {
		return err
	}
	out, err := call.route.Call(ctx, in)
	if err != nil {
		return err
	}
	x.output = out
	return h.answer(x, s.Info, call.route, out)
}

// input reads and checks an operation's input and asks whether the caller may call the
// operation with it.
func (h *Handler) input(x *exchange, s *served, call call) (in any, ctx context.Context, err error) {
	in, ctx = call.route.New(), x.r.Context()
	if err := call.decode(in); err != nil {
		return nil, nil, reword(err, s.Info)
	}
	x.input = in
	checker := s.NewChecker()
	call.route.Check(in, checker)
	if err := checker.Err(); err != nil {
		return nil, nil, err
	}
	if h.options.Authorize != nil {
		ctx, err = h.options.Authorize(ctx, s.Info, x.operation, in)
	}
	return in, ctx, err
}

// authorize is asked where a request may be answered elsewhere. What has no handler here
// is asked about without its input.
func (h *Handler) authorize(x *exchange, s *served, call call) error {
	if h.options.Authorize == nil {
		return nil
	}
	if !call.route.Built() {
		_, err := h.options.Authorize(x.r.Context(), s.Info, x.operation, &struct{}{})
		return err
	}
	_, _, err := h.input(x, s, call)
	return err
}

func (h *Handler) answer(x *exchange, info model.Info, route *model.Route, out any) error {
	var err error
	switch x.protocol.kind {
	case "query":
		h.answerQuery(x.w, x.protocol, route, out, x.caller.RequestID)
	case "json":
		err = h.answerJSON(x.w, x.protocol, route, out)
	default:
		err = h.answerRest(x.w, x.protocol, info, route, out)
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
