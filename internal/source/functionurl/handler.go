package functionurl

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/policy"
	"plumb/internal/source/httpevent"
)

// host is that of a URL, whatever stands for this server at its end.
var host = regexp.MustCompile(`^([0-9a-z]{32})\.lambda-url\.([a-z0-9-]+)\.`)

// IsHost reports whether a request's host is that of a function URL.
func IsHost(name string) bool { return host.MatchString(strings.ToLower(name)) }

const tooLarge = `{"message":"Request Entity Too Large"}`

// maxBody is how many bytes a request may have: those of an invocation.
const maxBody = 6 << 20

// A Handler answers requests for the URLs of functions.
type Handler struct {
	log       *slog.Logger
	functions *lambda.Service
	now       func() time.Time
	identify  func(r *http.Request, body []byte) (caller.Caller, error)

	// Admit refuses a signature that holds for no body; nil refuses none.
	Admit func(r *http.Request) error
	// Authorize refuses a caller of the function's account whose policies do not let it
	// invoke the function; nil refuses none.
	Authorize func(ctx context.Context, functionARN string) error
	// Note is told of each request that a function was invoked for or that was refused, and
	// who sent it, if that is known; nil is told nothing.
	Note func(r *http.Request, who caller.Caller, e audit.Event)
}

// New returns the handler. identify says who signed a request, or an error that is
// answered as a refusal.
func New(
	log *slog.Logger, functions *lambda.Service, now func() time.Time, identify func(r *http.Request, body []byte) (caller.Caller, error),
) *Handler {
	return &Handler{log: log, functions: functions, now: now, identify: identify}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := host.FindStringSubmatch(strings.ToLower(r.Host))
	if m == nil {
		refuse(w, nil)
		return
	}
	u, text, found, err := h.functions.URLByID(r.Context(), m[1])
	switch {
	case err != nil:
		h.fail(w, u, err)
		return
	case !found || u.Ref.Region != m[2]:
		h.note(r, audit.Event{Code: denied, Message: "no function has this address", Resources: []string{m[1]}}, nil)
		refuse(w, nil)
		return
	}
	if answered := preflight(w, r, u.CORS); answered {
		return
	}
	if err := h.maySend(r, u, text); err != nil { // a stranger's body is not read
		h.deny(w, r, u, nil, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		unread(w, err)
		return
	}
	var who *caller.Caller
	if u.Auth == lambda.AuthIAM {
		if who, err = h.admit(r, body, u, text); err != nil {
			h.deny(w, r, u, who, err)
			return
		}
	}
	h.invoke(w, r, u, who, event(r, u, who, body, h.now()))
}

// denied is the code of a refusal.
const denied = "AccessDeniedException"

// note tells of a request; who is nil where nobody signed it.
func (h *Handler) note(r *http.Request, e audit.Event, who *caller.Caller) {
	if h.Note == nil {
		return
	}
	if who == nil {
		who = &caller.Caller{}
	}
	e.Service, e.Operation, e.RequestID = "lambda", "InvokeFunctionUrl", who.RequestID
	h.Note(r, *who, e)
}

// noteOf tells of a request for a function's address.
func (h *Handler) noteOf(r *http.Request, u lambda.URL, who *caller.Caller, code string) {
	h.note(r, audit.Event{Place: u.Ref.Place, Resources: []string{u.Ref.ARN()}, Code: code}, who)
}

// errForbidden is that the function's policy does not let a caller in.
var errForbidden = errors.New("the function's policy does not allow it")

// maySend refuses what needs no look at the body: a request without a signature to a URL
// that wants one, or to one whose policy does not let everybody in.
func (h *Handler) maySend(r *http.Request, u lambda.URL, text string) error {
	if u.Auth != lambda.AuthIAM {
		return allowed(text, u, policy.Request{})
	}
	if r.Header.Get("Authorization") == "" && !r.URL.Query().Has("X-Amz-Signature") {
		return errForbidden
	}
	if h.Admit == nil {
		return nil
	}
	return h.Admit(r)
}

// unread answers a request whose body was not read to its end.
func unread(w http.ResponseWriter, err error) {
	if errors.As(err, new(*http.MaxBytesError)) {
		write(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	write(w, http.StatusServiceUnavailable, `{"Message":"Service Unavailable"}`)
}

// allowed asks the function's policy.
func allowed(text string, u lambda.URL, ask policy.Request) error {
	ask.Action, ask.Resource = "lambda:InvokeFunctionUrl", u.Ref.ARN()
	if ask.Context == nil {
		ask.Context = policy.Context{}
	}
	ask.Context["lambda:functionurlauthtype"] = []string{u.Auth}
	d, err := policy.Parse(text)
	if err != nil || !d.Evaluate(ask).Allowed {
		return errForbidden
	}
	return nil
}

// admit says who signed a request, if they may send it. The function's own account needs
// no statement in the policy.
func (h *Handler) admit(r *http.Request, body []byte, u lambda.URL, text string) (*caller.Caller, error) {
	c, err := h.identify(r, body)
	if err != nil {
		return &c, err
	}
	if c.Account == u.Ref.Account {
		if h.Authorize != nil && h.Authorize(caller.With(r.Context(), c), u.Ref.ARN()) != nil {
			return &c, errForbidden
		}
		return &c, nil
	}
	ask := policy.Request{Context: policy.Context{"aws:principalaccount": {c.Account}}}
	for _, id := range []string{c.PrincipalARN, c.Account, "arn:aws:iam::" + c.Account + ":root"} {
		ask.Principals = append(ask.Principals, policy.Principal{Type: "AWS", ID: id})
	}
	return &c, allowed(text, u, ask)
}

// troubleshooting is what a caller reads who is not let in.
const troubleshooting = "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"

func (h *Handler) deny(w http.ResponseWriter, r *http.Request, u lambda.URL, who *caller.Caller, err error) {
	if _, named := model.Named(err); !named && !errors.Is(err, errForbidden) {
		h.fail(w, u, err)
		return
	}
	h.noteOf(r, u, who, denied)
	refuse(w, new(troubleshooting))
}

func refuse(w http.ResponseWriter, message *string) {
	text, _ := json.Marshal(struct{ Message *string }{message}) // text always can
	w.Header().Set("x-amzn-ErrorType", "AccessDeniedException")
	write(w, http.StatusForbidden, string(text))
}

func (h *Handler) fail(w http.ResponseWriter, u lambda.URL, err error) {
	if !errors.Is(err, context.Canceled) {
		h.log.Error("request for a function url failed", "function", u.Ref.ARN(), "err", err)
	}
	write(w, http.StatusInternalServerError, `{"Message":"Internal Server Error"}`)
}

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body) // a client that has gone away is not our error
}

func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, u lambda.URL, who *caller.Caller, payload []byte) {
	a, err := h.functions.Invoke(r.Context(), u.Ref, lambda.Call{Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id")})
	httpevent.Allow(w.Header(), r, u.CORS)
	h.noteOf(r, u, who, codeOf(err))
	switch {
	case model.IsCode(err, "RequestEntityTooLargeException"): // with its base64
		write(w, http.StatusRequestEntityTooLarge, tooLarge)
	case model.IsCode(err, "TooManyRequestsException"):
		write(w, http.StatusTooManyRequests, `{"Message":"Rate Exceeded."}`)
	case err != nil:
		if _, named := model.Named(err); !named {
			h.log.Error("function of a url could not be invoked", "function", u.Ref.ARN(), "err", err)
		}
		badGateway(w)
	case a.FunctionError != "":
		badGateway(w)
	default:
		answer(w, a.Payload)
	}
}

// codeOf is what is told of an invocation that did not come about.
func codeOf(err error) string {
	named, ok := model.Named(err)
	switch {
	case err == nil:
		return ""
	case ok:
		return named.Code
	}
	return "ServiceException"
}

func badGateway(w http.ResponseWriter) { write(w, http.StatusBadGateway, "Internal Server Error") }

// answer writes what a function answered.
func answer(w http.ResponseWriter, payload []byte) {
	a, err := httpevent.ReadV2(payload)
	if err != nil {
		badGateway(w)
		return
	}
	a.WriteTo(w)
}

// preflight answers a browser that asks whether it may send a request; the function is
// not asked.
func preflight(w http.ResponseWriter, r *http.Request, c *lambda.CORS) bool {
	if c == nil || !httpevent.IsPreflight(r) {
		return false
	}
	httpevent.Preflight(w.Header(), r, c)
	w.WriteHeader(http.StatusOK)
	return true
}
