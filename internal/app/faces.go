package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"plumb/internal/api/cloudformation"
	"plumb/internal/api/config"
	"plumb/internal/api/events"
	"plumb/internal/api/iam"
	"plumb/internal/api/lambda"
	"plumb/internal/api/logs"
	"plumb/internal/api/organizations"
	"plumb/internal/api/s3"
	"plumb/internal/api/scheduler"
	"plumb/internal/api/sns"
	"plumb/internal/api/sqs"
	"plumb/internal/api/ssm"
	"plumb/internal/api/sts"
	"plumb/internal/authorization"
	"plumb/internal/caller"
	"plumb/internal/core"
	"plumb/internal/model"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/internal/source/functionurl"
	"plumb/internal/wire"
)

// faces are the services on our endpoint, each with the operations that are built.
func (a *App) faces(m *core.Machine) []*model.Registry {
	return []*model.Registry{
		config.Register(config.Options{
			DB: m.DB, Recorder: m.Recorder, Rules: m.Rules, Delivery: m.Delivery, Packs: m.Packs, Aggregation: m.Aggregation, Remediation: m.Remediation, Tokens: m.Keys.Pages,
			Deployment: m.Deployment,
			KnownType:  m.Known.Types.Known, KnownTypes: m.Known.Names,
			Development: a.settings.Mode == settings.Development, Extended: a.settings.Queries == "extended", Now: m.Clock.Now,
			MaxStoredQueries: a.settings.Quotas.StoredQueries,
		}).Registry(),
		cloudformation.New(m.Stacks, m.Keys.Pages),
		iam.New(m.DB, m.Identities, m.Keys.Pages),
		lambda.New(m.Functions, m.Mappings),
		logs.New(m.Logs, m.Subscriptions, m.Keys.Pages),
		events.New(m.Events, outside.May, m.Keys.Pages),
		scheduler.New(m.Scheduler, m.Keys.Pages),
		organizations.New(m.DB, m.Organizations, m.Keys.Pages),
		sns.New(a.log, m.Topics, m.Keys.Pages),
		sqs.New(a.log, m.Queues, m.Keys.Pages),
		ssm.New(m.DB, m.Automation, m.Keys.Pages),
		sts.New(a.log, m.Credentials, sts.Options{
			Development: a.settings.Mode == settings.Development, Keys: a.keyring(m), Roles: m.Authorizer, Enforce: a.settings.Enforces(),
		}),
	}
}

// WriteCoverage writes docs/coverage.md: which operations of each service are
// built. It binds the faces to nothing, and calls none of them.
func WriteCoverage(w io.Writer) error {
	a := &App{log: slog.New(slog.DiscardHandler)}
	return model.Coverage(w, a.faces(&core.Machine{})...)
}

// wire joins the faces to one endpoint, with the few pages of theirs that need
// no signature.
func (a *App) wire(m *core.Machine) http.Handler {
	services := a.signed(m)
	signed := a.pending.count(services)
	answers := cloudformation.Answers(a.log, m.Stacks)
	code, pages := lambda.Code(m.Functions), sns.Pages(a.log, m.Topics)
	byURL := functionurl.New(a.log, m.Functions, m.Clock.Now, func(r *http.Request, body []byte) (caller.Caller, error) {
		return services.Identify(r, body, "lambda")
	})
	if a.settings.Enforces() {
		byURL.Authorize = func(ctx context.Context, functionARN string) error {
			_, err := m.Authorizer.May(ctx, authorization.Ask{Action: "lambda:InvokeFunctionUrl", Resource: functionARN})
			return err
		}
	}
	urls := a.pending.count(byURL)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case functionurl.IsHost(r.Host):
			urls.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, lambda.CodePath):
			code.ServeHTTP(w, r)
		case cloudformation.IsAnswer(r):
			answers.ServeHTTP(w, r)
		case sns.IsPage(r):
			pages.ServeHTTP(w, r)
		default:
			signed.ServeHTTP(w, r)
		}
	})
}

func (a *App) signed(m *core.Machine) *wire.Handler {
	forward := a.pending.pause(outside.NewForwarder(a.log, m.Outside).Serve)
	router := outside.NewRouter(m.Outside, outside.Held{
		DB: m.DB, Buckets: m.Buckets, Queues: m.Queues, Functions: m.Functions, Logs: m.Logs, Stacks: m.Stacks,
	}, forward)
	buckets := s3.New(a.log, m.Buckets, m.Notifications)
	o := wire.Options{
		Services:       a.faces(m),
		S3:             routeS3(router, buckets),
		Route:          router.Route,
		Fallback:       forward,
		Verify:         a.settings.Mode == settings.Server,
		Secrets:        a.keyring(m),
		DefaultAccount: a.settings.Account,
		DefaultRegion:  a.settings.Region,
		Observe:        a.answered,
		Throttle:       wire.Throttle{Service: "config", Rate: a.settings.Throttle, Burst: a.settings.ThrottleBurst},
		MaxBody:        a.settings.MaxBody,
		Now:            m.Clock.Now,
	}
	if a.settings.Enforces() {
		enforce(&o, router, buckets, m.Authorizer)
	}
	return wire.New(a.log, o)
}

// enforce has the policies of identities asked wherever a request is answered.
func enforce(o *wire.Options, router *outside.Router, buckets *s3.Handler, by *authorization.Authorizer) {
	o.Authorize = by.Operation
	buckets.Authorize = by.Bucket
	router.AuthorizeS3 = func(ctx context.Context, operation, bucket, key string) error {
		_, err := by.Bucket(ctx, authorization.BucketAsk{Operation: operation, Bucket: bucket, Key: key})
		return err
	}
	forward := o.Fallback
	o.Fallback = func(w http.ResponseWriter, r *http.Request, service string) {
		if err := by.Unserved(r.Context(), service, wire.Unserved(r)); err != nil {
			named, _ := model.Named(err)
			wire.WriteError(w, r, named)
			return
		}
		forward(w, r, service)
	}
}

// routeS3 has requests for S3 answered by who holds the bucket.
func routeS3(router *outside.Router, h *s3.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation, bucket, key := h.Asks(r)
		if err := router.S3(w, r, operation, bucket, key, h); err != nil {
			h.Fail(w, r, err)
		}
	})
}
