package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/httpevent"
)

// maxTimeout is how long an integration may take.
const maxTimeout = 30 * time.Second

// A Service keeps HTTP APIs and answers the requests for them.
type Service struct {
	log     *slog.Logger
	db      *db.DB
	invoker apigateway.Invoker
	now     func() time.Time
	client  *http.Client

	deployed *apigateway.Cache[*Definition] // by API and deployment: they never change
	verdicts *apigateway.Cache[verdict]     // of authorizers

	// Admit refuses a signature that holds for no body, Identify says who signed a
	// request, and Authorize refuses who may not call an API; nil refuses none.
	Admit     func(r *http.Request) error
	Identify  func(r *http.Request, body []byte) (caller.Caller, error)
	Authorize func(ctx context.Context, resource string) error
	// Note is told of requests that were refused; nil is told nothing.
	Note apigateway.Note
}

// New returns the service. client makes the calls of HTTP_PROXY integrations.
func New(log *slog.Logger, d *db.DB, invoker apigateway.Invoker, client *http.Client, now func() time.Time) *Service {
	longer := *client
	longer.Timeout = 0 // each call has its own
	return &Service{log: log, db: d, invoker: invoker, client: &longer, now: now,
		deployed: apigateway.NewCache[*Definition](256), verdicts: apigateway.NewCache[verdict](10_000)}
}

// An exchange is a request on its way.
type exchange struct {
	apigateway.Request
	*Definition
	stage     apigatewayv2api.Stage
	flushed   int64
	path      string // without the stage
	match     match
	body      []byte
	id        string
	who       *caller.Caller // who signed it
	allowance verdict        // of an authorizer
}

// Serve answers one request.
func (s *Service) Serve(w http.ResponseWriter, r apigateway.Request) {
	x := &exchange{Request: r, id: lambda.NewID()}
	w.Header().Set("Apigw-Requestid", x.id)
	found, err := s.open(x)
	switch {
	case err != nil:
		s.fail(w, x, err)
		return
	case !found:
		apigateway.Message(w, http.StatusNotFound, "Not Found")
		return
	case model.Deref(x.Definition.API.DisableExecuteApiEndpoint):
		s.refuse(w, x, http.StatusForbidden, "Forbidden")
		return
	}
	cors := corsOf(x.Definition.API.CorsConfiguration)
	if cors != nil && httpevent.IsPreflight(r.Request) {
		httpevent.Preflight(w.Header(), r.Request, cors)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	httpevent.Allow(w.Header(), r.Request, cors)
	if x.match, found = x.Definition.find(r.Method, x.path); !found {
		apigateway.Message(w, http.StatusNotFound, "Not Found")
		return
	}
	if !s.admitByHead(w, x) || !s.admitByFunction(w, x) { // a stranger's body is not read
		return
	}
	if x.body, err = apigateway.ReadBody(w, r.Request); errors.Is(err, apigateway.ErrBodyTooLarge) {
		apigateway.Message(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil {
		apigateway.Message(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	if !s.admitSigned(w, x) {
		return
	}
	s.integrate(w, x, cors != nil)
}

// open finds the stage and what it shows; false if there is none.
func (s *Service) open(x *exchange) (bool, error) {
	var shown apigateway.Stage
	found := false
	err := s.db.Read(x.Context(), func(tx *db.Tx) error {
		list, err := apigateway.Stages(x.Context(), tx, x.Request.API.ID)
		if err != nil {
			return err
		}
		names := make([]string, len(list))
		for i, st := range list {
			names[i] = st.Name
		}
		name := x.Request.Stage
		if x.path = x.Path; name == "" {
			name, x.path, _ = stagePath(names, x.Path)
		}
		for _, st := range list {
			if st.Name == name && st.Deployment != "" {
				shown, found = st, true
			}
		}
		if !found {
			return nil
		}
		key := x.Request.API.ID + "/" + shown.Deployment
		if d, ok := s.deployed.Get(key, time.Time{}); ok {
			x.Definition = d
			return nil
		}
		d, err := apigateway.FindDeployment(x.Context(), tx, x.Request.API.ID, shown.Deployment)
		if err != nil {
			return err
		}
		parsed, err := read(d.Definition)
		if err == nil {
			x.Definition = &parsed
			s.deployed.Put(key, &parsed, time.Time{})
		}
		return err
	})
	if err != nil || !found {
		return false, err
	}
	now, err := read(x.Request.API.Definition) // CORS and the endpoint are the API's, not the deployment's
	if err != nil {
		return false, err
	}
	own := *x.Definition
	own.API, x.flushed = now.API, shown.Flushed
	x.Definition = &own
	x.stage, err = stageOf(shown)
	return true, err
}

func corsOf(c *apigatewayv2api.Cors) *lambda.CORS {
	if c == nil {
		return nil
	}
	out := &lambda.CORS{Credentials: c.AllowCredentials, Headers: c.AllowHeaders, Methods: c.AllowMethods, Origins: c.AllowOrigins, Expose: c.ExposeHeaders}
	if c.MaxAge != nil {
		out.MaxAge = new(int(*c.MaxAge))
	}
	return out
}

// fail answers what went wrong here.
func (s *Service) fail(w http.ResponseWriter, x *exchange, err error) {
	if !errors.Is(err, context.Canceled) {
		s.log.Error("request for an api failed", "api", x.Request.API.ID, "request", x.id, "err", err)
	}
	apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
}

// stageVariables fills ${stageVariables.name} in.
func (x *exchange) stageVariables(text string) string {
	return variables.ReplaceAllStringFunc(text, func(name string) string {
		return x.stage.StageVariables[variables.FindStringSubmatch(name)[1]]
	})
}

func (x *exchange) method() string {
	verb, pattern, found := strings.Cut(model.Deref(x.match.route.RouteKey), " ")
	if !found { // $default
		return "/" + Default
	}
	if verb == "ANY" {
		verb = "*"
	}
	return verb + pattern
}

// source is what a function's policy knows the request by.
func (x *exchange) source() string {
	return apigateway.SourceARN(x.Request.API.Place, x.Request.API.ID, model.Deref(x.stage.StageName)+"/"+strings.TrimPrefix(x.method(), "/"))
}

// integrate has the route's integration answer.
func (s *Service) integrate(w http.ResponseWriter, x *exchange, cors bool) {
	id, _ := strings.CutPrefix(model.Deref(x.match.route.Target), "integrations/")
	in, err := x.Integration(id)
	if err != nil { // the route has no target
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if in.IntegrationType == apigatewayv2api.IntegrationTypeHttpProxy {
		s.forward(w, x, *in, cors)
		return
	}
	a, err := s.invoker.Invoke(x.Context(), apigateway.Call{
		Function: x.stageVariables(model.Deref(in.IntegrationUri)), Role: model.Deref(in.CredentialsArn), Source: x.source(), Account: x.Request.API.Account,
		Payload: s.event(x, *in), TraceID: x.Header.Get("X-Amzn-Trace-Id"), Timeout: time.Duration(*in.TimeoutInMillis) * time.Millisecond,
	})
	switch {
	case errors.Is(err, apigateway.ErrTimeout), model.IsCode(err, "TooManyRequestsException"), model.IsCode(err, "ServiceUnavailable"):
		apigateway.Message(w, http.StatusServiceUnavailable, "Service Unavailable")
	case model.IsCode(err, "RequestEntityTooLargeException"): // with its base64
		apigateway.Message(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case errors.Is(err, apigateway.ErrForbidden), err == nil && a.FunctionError != "":
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
	case err != nil:
		s.fail(w, x, err)
	default:
		s.answer(w, x, *in, a.Payload, cors)
	}
}

// answer writes what a function answered.
func (s *Service) answer(w http.ResponseWriter, x *exchange, in apigatewayv2api.Integration, payload []byte, cors bool) {
	readAnswer := httpevent.ReadV2
	if model.Deref(in.PayloadFormatVersion) == "1.0" {
		readAnswer = func(payload []byte) (httpevent.Answer, error) { return httpevent.ReadV1(payload, true) }
	}
	a, err := readAnswer(payload)
	if err != nil {
		apigateway.Message(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	s.write(w, x, in, a, cors)
}

// write answers a client, as the integration changes answers.
func (s *Service) write(w http.ResponseWriter, x *exchange, in apigatewayv2api.Integration, a httpevent.Answer, cors bool) {
	if cors { // the API's count, not the function's
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				delete(a.Header, name)
			}
		}
	}
	x.changeAnswer(in, &a)
	a.WriteTo(w)
}
