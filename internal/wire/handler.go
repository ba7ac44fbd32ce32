package wire

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"plumb/internal/caller"
	"plumb/internal/memory"
	"plumb/internal/model"
)

// Options say what is served and how requests are trusted.
type Options struct {
	Services []*model.Registry

	// S3 serves requests for S3, after their signature was checked, with bodies that check themselves while they are
	// read. Fallback serves requests for services that are not here. Without them such requests get an error.
	S3       http.Handler
	Fallback func(w http.ResponseWriter, r *http.Request, service string)

	// Route may have a request for a served service, other than S3, answered elsewhere. here answers it as if there were no
	// Route, to a client or to code that reads the answer first.
	Route func(w http.ResponseWriter, r *http.Request, a Asked, here func(http.ResponseWriter)) error

	// SentOn are served services, by their names in credential scopes, whose operations that are not known here are a matter
	// of Fallback, as those of services that are not served.
	SentOn []string

	// Unsigned are the operations that need no signature, by the services' names: Cognito's GetId.
	Unsigned map[string][]string

	Verify         bool    // server mode: signatures must hold
	Secrets        Secrets // without it Verify refuses everyone; in development mode it names the owners of known keys
	DefaultAccount string  // of requests that name no account, in development mode
	DefaultRegion  string  // of requests without a signing scope

	// PublicURL is where clients reach the server, when they do not do so by the address that they name themselves.
	PublicURL string

	// Authorize may refuse an operation with its input, which was read and checked, to the caller in ctx. The handler gets
	// the context that it returns. Without it everything is allowed.
	Authorize func(ctx context.Context, info model.Info, operation string, in any) (context.Context, error)
	// Throttle refuses what comes too often. Without it nothing does.
	Throttle Throttle
	// Observe is told of every answer, with the context of its request.
	Observe func(ctx context.Context, a Answered)

	MaxBody    int64            // 0: 72 MiB, room for a function's 50 MB archive in base64
	BodyMemory int64            // for all bodies that are read whole; 0: four times MaxBody, and 256 MiB at least
	Now        func() time.Time // what signatures are compared with and a throttle counts by; nil: time.Now
}

// A Handler serves all services on one endpoint. It is safe for concurrent use.
type Handler struct {
	log      *slog.Logger
	options  Options
	services []*served
	sharing  map[string]bool // names in credential scopes that several services have
	json     jsonCodec
	plans    plans
	buffered *memory.Budget // for bodies
	throttle *throttle      // nil: none
}

// New makes a handler. Handlers of operations must be bound before.
func New(log *slog.Logger, o Options) *Handler {
	if o.MaxBody == 0 {
		o.MaxBody = 72 << 20
	}
	if o.BodyMemory == 0 {
		o.BodyMemory = max(4*o.MaxBody, 256<<20)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &Handler{log: log, options: o, json: newJSONCodec(), buffered: memory.New(o.BodyMemory),
		throttle: newThrottle(o.Throttle, o.Now), sharing: map[string]bool{}}
	for _, r := range o.Services {
		s := &served{Registry: r}
		if r.Info.Protocol == "rest-json" || r.Info.Protocol == "rest-xml" {
			s.rest = restRoutes(r)
		}
		for _, other := range h.services {
			if other.Info.Signing == r.Info.Signing {
				h.sharing[r.Info.Signing] = true
			}
		}
		h.services = append(h.services, s)
	}
	return h
}

// An exchange is one request on its way through.
type exchange struct {
	w          *recorder
	r          *http.Request
	credential credential
	credErr    error
	admitted   admission
	share      *memory.Share // of the memory for bodies
	body       []byte        // nil while S3 or nobody has read it
	read       bool
	caller     caller.Caller
	protocol   protocol
	service    string
	operation  string
	unserved   string // what the client calls a service that is not served
	served     *served
	call       call
	input      any
	output     any
}

// ServeHTTP answers one request. Panics of handlers end here: logged, and answered like any other internal error.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	x := &exchange{w: &recorder{ResponseWriter: w}, r: r, protocol: guessProtocol(r), share: h.buffered.Share()}
	id := newRequestID()
	x.caller.RequestID = id
	w.Header()["x-amzn-RequestId"] = []string{id}
	defer func() {
		x.share.Release()
		if p := recover(); p != nil {
			h.recovered(x, p)
		}
		if h.options.Observe != nil {
			h.options.Observe(x.r.Context(), x.answered(time.Since(begun)))
		}
	}()
	if err := h.serve(x); err != nil {
		h.fail(x, err)
	}
}

func (h *Handler) recovered(x *exchange, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	h.log.Error("handler panicked", "service", x.service, "operation", x.operation,
		"request", x.caller.RequestID, "err", p, "stack", string(debug.Stack()))
	if x.w.status == 0 {
		writeError(x.w, x.protocol, model.InternalFailure(), x.caller.RequestID)
	}
}

// fail answers an error. One that AWS does not name is logged here, once, and leaves without its text.
func (h *Handler) fail(x *exchange, err error) {
	named, ok := model.Named(err)
	if !ok {
		if x.r.Context().Err() == nil {
			h.log.Error("request failed", "account", x.caller.Account, "region", x.caller.Region, "service", x.service,
				"operation", x.operation, "request", x.caller.RequestID, "err", err)
		}
	}
	if x.w.status == 0 {
		// A stranger begins anew, outside of the server: the head of a second request would be read with the
		// server's own buffers.
		if h.options.Verify && !x.caller.Verified {
			x.w.Header().Set("Connection", "close")
		}
		writeError(x.w, x.protocol, named, x.caller.RequestID)
	}
}

// A recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status    int
	operation string // of S3, whose handler finds it
	failed    *model.Error
}

// Failed is called with the error that is answered.
func (r *recorder) Failed(err *model.Error) { r.failed = err }

// Serves is called by the handler of S3 once it knows the operation.
func (r *recorder) Serves(operation string) { r.operation = operation }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush is for handlers that ask for http.Flusher themselves.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
