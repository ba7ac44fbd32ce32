package restapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/usage"
	"plumb/internal/velocity"
)

// A Service keeps REST APIs and answers the requests for them.
type Service struct {
	log     *slog.Logger
	db      *db.DB
	invoker apigateway.Invoker
	now     func() time.Time
	client  *http.Client

	deployed  *apigateway.Cache[*Definition] // by API and deployment: they never change
	verdicts  *apigateway.Cache[verdict]     // of authorizers
	templates templates

	// Plans are the API keys and usage plans of the APIs.
	Plans *usage.Plans

	// Admit refuses a signature that holds for no body, Identify says who signed a
	// request, and Authorize refuses who may not call an API; nil refuses none.
	Admit     func(r *http.Request) error
	Identify  func(r *http.Request, body []byte) (caller.Caller, error)
	Authorize func(ctx context.Context, resource string) error
	// Note is told of requests that were refused; nil is told nothing.
	Note apigateway.Note
}

// New returns the service. client makes the calls of HTTP integrations.
func New(log *slog.Logger, d *db.DB, invoker apigateway.Invoker, client *http.Client, now func() time.Time) *Service {
	longer := *client
	longer.Timeout = 0 // each call has its own
	return &Service{log: log, db: d, invoker: invoker, client: &longer, now: now, Plans: usage.New(d, now),
		deployed: apigateway.NewCache[*Definition](256), verdicts: apigateway.NewCache[verdict](10_000),
		templates: templates{apigateway.NewCache[*velocity.Template](1024)}}
}
