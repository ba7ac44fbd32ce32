package functionurl

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/policy"
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

	// Authorize refuses a caller of the function's account whose policies do not let it
	// invoke the function; nil refuses none.
	Authorize func(ctx context.Context, functionARN string) error
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
		refuse(w, nil)
		return
	}
	if answered := preflight(w, r, u.CORS); answered {
		return
	}
	if err := h.maySend(r, u, text); err != nil { // a stranger's body is not read
		h.deny(w, u, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		write(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	var who *caller.Caller
	if u.Auth == lambda.AuthIAM {
		if who, err = h.admit(r, body, u, text); err != nil {
			h.deny(w, u, err)
			return
		}
	}
	h.invoke(w, r, u, event(r, u, who, body, h.now()))
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
	return nil
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
			return nil, errForbidden
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

func (h *Handler) deny(w http.ResponseWriter, u lambda.URL, err error) {
	if _, named := model.Named(err); !named && !errors.Is(err, errForbidden) {
		h.fail(w, u, err)
		return
	}
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

func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, u lambda.URL, payload []byte) {
	a, err := h.functions.Invoke(r.Context(), u.Ref, lambda.Call{Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id")})
	allow(w.Header(), r, u.CORS)
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

func badGateway(w http.ResponseWriter) { write(w, http.StatusBadGateway, "Internal Server Error") }

// preflight answers a browser that asks whether it may send a request; the function is
// not asked.
func preflight(w http.ResponseWriter, r *http.Request, c *lambda.CORS) bool {
	if c == nil || r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if allow(w.Header(), r, c) {
		set := func(name string, values []string) {
			if len(values) > 0 {
				w.Header().Set(name, strings.Join(values, ","))
			}
		}
		set("Access-Control-Allow-Methods", c.Methods)
		set("Access-Control-Allow-Headers", c.Headers)
		if c.MaxAge != nil {
			w.Header().Set("Access-Control-Max-Age", number(*c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusOK)
	return true
}

// allow tells a browser which page may read the answer; false for one that may not.
func allow(header http.Header, r *http.Request, c *lambda.CORS) bool {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return false
	}
	everyone := slices.Contains(c.Origins, "*")
	if !everyone && !slices.Contains(c.Origins, origin) {
		return false
	}
	credentials := c.Credentials != nil && *c.Credentials
	if everyone && !credentials {
		header.Set("Access-Control-Allow-Origin", "*")
	} else {
		header.Set("Access-Control-Allow-Origin", origin)
		header.Add("Vary", "Origin")
	}
	if credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.Expose) > 0 {
		header.Set("Access-Control-Expose-Headers", strings.Join(c.Expose, ","))
	}
	return true
}
