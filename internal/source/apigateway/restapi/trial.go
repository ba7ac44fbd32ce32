package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/httpevent"
)

// A Trial is a request that is tried on a method as it is now, deployed or not. Authorizers,
// API keys and resource policies are not asked.
type Trial struct {
	Resource, Method string
	Path             string // with the query; empty is the resource's
	Header           http.Header
	Body             []byte
	Variables        map[string]string // of the stage
}

// A Tried is what came of a trial.
type Tried struct {
	httpevent.Answer
	Log     string
	Latency time.Duration
}

// What API Gateway says of a trial in the places of what a request has.
const (
	trialStage  = "test-invoke-stage"
	trialHost   = "testPrefix.testDomainName"
	trialSource = "test-invoke-source-ip"
)

// A record is what happens in a trial, line by line.
type record struct {
	begun time.Time
	now   func() time.Time
	text  strings.Builder
}

// note adds a line to the record of a trial; other requests have none.
func (x *exchange) note(format string, args ...any) {
	if x.trial != nil {
		fmt.Fprintf(&x.trial.text, "%s : %s\n", x.trial.now().UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), fmt.Sprintf(format, args...))
	}
}

// Try has a method's integration answer a request.
func (s *Service) Try(ctx context.Context, p config.Place, api string, t Trial) (out Tried, err error) {
	x := &exchange{id: lambda.NewID(), at: s.now(), trial: &record{begun: time.Now(), now: s.now}}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		a, d, err := find(ctx, tx, p, api)
		x.API, x.def = a, &d
		return err
	})
	if err != nil {
		return out, err
	}
	if err := x.try(ctx, t); err != nil {
		return out, err
	}
	x.noteRequest()
	a, f := httpevent.Answer{}, s.validate(x)
	if f == nil {
		a, f = s.integrate(x)
	}
	if f != nil {
		x.note("Execution failed: %s", f.text)
		a = x.refusal(*f)
	}
	x.note("Method response body after transformations: %s", a.Body)
	x.note("Method response headers: %s", headersText(a.Header))
	if f == nil {
		x.note("Successfully completed execution")
	}
	x.note("Method completed with status: %d", a.Status)
	return Tried{a, "Execution log for request " + x.id + "\n" + x.trial.text.String(), time.Since(x.trial.begun)}, nil
}

// try puts what is tried in the place of a request that came in.
func (x *exchange) try(ctx context.Context, t Trial) error {
	r, err := x.def.Resource(t.Resource)
	if err != nil {
		return err
	}
	m, ok := r.ResourceMethods[t.Method]
	if !ok {
		if m, ok = r.ResourceMethods["ANY"]; !ok {
			return notFound("Invalid Method identifier specified")
		}
	}
	if m.MethodIntegration == nil {
		return invalid("No integration defined for method")
	}
	if t.Path == "" {
		t.Path = *r.Path
	}
	request, err := http.NewRequestWithContext(ctx, t.Method, "https://"+trialHost+"/"+strings.TrimPrefix(t.Path, "/"), http.NoBody)
	if err != nil {
		return invalid("Invalid path: %s", t.Path)
	}
	request.Header, request.RemoteAddr = t.Header, trialSource
	x.Request.Request, x.Path, x.path, x.Host = request, httpevent.Path(request), httpevent.Path(request), trialHost
	x.stage = apigatewayapi.Stage{StageName: new(trialStage), Variables: t.Variables}
	x.match = match{resource: *r, method: m}
	x.match.params, _, _ = matches(*r.Path, strings.Split(strings.Trim(x.path, "/"), "/"))
	x.body, x.who = t.Body, new(caller.From(ctx))
	return nil
}

func (x *exchange) noteRequest() {
	x.note("Starting execution for request: %s", x.id)
	x.note("HTTP Method: %s, Resource Path: %s", x.Method, *x.match.resource.Path)
	x.note("Method request path: %s", pairs(x.match.params))
	x.note("Method request query string: %s", pairs(flat(x.query())))
	x.note("Method request headers: %s", headersText(x.Header))
	x.note("Method request body before transformations: %s", x.body)
}

// pairs are values by name as the record shows them: {a=1, b=2}.
func pairs(values map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func headersText(h http.Header) string { return pairs(flat(h)) }

// triedEvent changes an event to what API Gateway hands a function in a trial: there are no
// headers but those that were given, and the identity is the caller's with an API key that is none.
func (x *exchange) triedEvent(e httpevent.V1) httpevent.V1 {
	e.Headers, e.MultiHeaders = nil, nil
	if len(x.Header) > 0 {
		e.Headers, e.MultiHeaders = flat(x.Header), x.Header
	}
	return e
}

func (x *exchange) triedContext(c httpevent.V1Context) httpevent.V1Context {
	c.DomainPrefix, c.Path = "testPrefix", unescape(x.path)
	c.Identity.APIKey, c.Identity.APIKeyID = new("test-invoke-api-key"), new("test-invoke-api-key-id")
	c.Identity.UserAgent = model.Optional(x.who.UserAgent)
	return c
}

// jsonText is a value as JSON; what cannot be written is empty.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
