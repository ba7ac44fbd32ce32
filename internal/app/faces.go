package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	restgateway "plumb/internal/api/apigateway"
	"plumb/internal/api/apigatewayv2"
	"plumb/internal/api/cloudformation"
	"plumb/internal/api/cloudfront"
	"plumb/internal/api/codecommit"
	"plumb/internal/api/cognitoidentity"
	"plumb/internal/api/cognitosync"
	"plumb/internal/api/config"
	"plumb/internal/api/events"
	"plumb/internal/api/firehose"
	"plumb/internal/api/iam"
	"plumb/internal/api/iot"
	"plumb/internal/api/iotdata"
	"plumb/internal/api/lambda"
	"plumb/internal/api/lexmodels"
	"plumb/internal/api/lexruntime"
	"plumb/internal/api/lexv2models"
	"plumb/internal/api/lexv2runtime"
	"plumb/internal/api/logs"
	"plumb/internal/api/organizations"
	"plumb/internal/api/s3"
	"plumb/internal/api/scheduler"
	"plumb/internal/api/ses"
	"plumb/internal/api/sns"
	"plumb/internal/api/sqs"
	"plumb/internal/api/ssm"
	"plumb/internal/api/sts"
	"plumb/internal/authorization"
	"plumb/internal/caller"
	"plumb/internal/core"
	functions "plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/internal/source/apigateway"
	repositories "plumb/internal/source/codecommit"
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
		restgateway.New(m.RESTAPIs, m.Keys.Pages),
		apigatewayv2.New(m.HTTPAPIs, m.Keys.Pages),
		cloudformation.New(m.Stacks, m.Keys.Pages),
		codecommit.New(m.Repositories, m.Keys.Pages),
		cognitoidentity.New(m.Cognito, cognitoidentity.Options{
			Credentials: m.Credentials, Tokens: m.Keys.Pages, Logins: a.settings.Mode == settings.Development,
		}),
		cognitosync.New(m.Sync, m.Keys.Pages, m.Clock.Now),
		iam.New(m.DB, m.Identities, m.Keys.Pages),
		lambda.New(m.Functions, m.Mappings),
		logs.New(m.Logs, m.Subscriptions, m.Keys.Pages),
		events.New(m.Events, outside.May, m.Keys.Pages),
		scheduler.New(m.Scheduler, m.Keys.Pages),
		firehose.New(m.Firehose),
		ses.New(m.Mail, m.Keys.Pages),
		iot.New(m.IoT, m.Keys.Pages, a.endpointOfDevices),
		iotdata.New(m.IoT, m.Keys.Pages),
		lexmodels.New(m.Bots, m.Keys.Pages),
		lexruntime.New(m.Bots),
		lexv2models.New(m.Bots, m.Keys.Pages),
		lexv2runtime.New(m.Bots),
		cloudfront.New(m.Distributions),
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
	answers := cloudformation.Answers(a.log, m.Stacks, a.note)
	code, pages := lambda.Code(m.Functions, a.note), sns.Pages(a.log, m.Topics, a.note)
	byURL := functionurl.New(a.log, m.Functions, m.Clock.Now, func(r *http.Request, body []byte) (caller.Caller, error) {
		return services.Identify(r, body, "lambda")
	})
	byURL.Note = a.note
	byURL.Admit = func(r *http.Request) error { return services.Admit(r, "lambda") }
	if a.settings.Enforces() {
		byURL.Authorize = func(ctx context.Context, functionARN string) error {
			_, err := m.Authorizer.May(ctx, authorization.Ask{Action: "lambda:InvokeFunctionUrl", Resource: functionARN})
			return err
		}
	}
	urls := a.leave(isRefusal, a.pending.count(boundBodies(a.unsigned, byURL)))
	apis := a.leave(isRefusal, a.pending.count(boundBodies(a.unsigned, a.gateway(m, services))))
	edge := a.leave(isRefusal, a.pending.count(m.Edge))
	git := a.leave(isError, a.pending.count(a.git(m, services)))
	code, answers, pages = a.leave(isError, code), a.leave(isError, answers), a.leave(isError, pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case functionurl.IsHost(r.Host):
			urls.ServeHTTP(w, r)
		case apigateway.Takes(r):
			apis.ServeHTTP(w, r)
		case m.Edge.Serves(r):
			edge.ServeHTTP(w, r)
		case repositories.IsGit(r):
			git.ServeHTTP(w, r)
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

// gateway answers the requests for API Gateway's APIs.
func (a *App) gateway(m *core.Machine, services *wire.Handler) http.Handler {
	identify := func(r *http.Request, body []byte) (caller.Caller, error) {
		return services.Identify(r, body, "execute-api")
	}
	admit := func(r *http.Request) error { return services.Admit(r, "execute-api") }
	m.HTTPAPIs.Identify, m.RESTAPIs.Identify, m.HTTPAPIs.Admit, m.RESTAPIs.Admit = identify, identify, admit, admit
	m.HTTPAPIs.Note, m.RESTAPIs.Note = a.note, a.note
	if a.settings.Enforces() {
		may := func(ctx context.Context, resource string) error {
			_, err := m.Authorizer.May(ctx, authorization.Ask{Action: "execute-api:Invoke", Resource: resource})
			return err
		}
		m.HTTPAPIs.Authorize, m.RESTAPIs.Authorize = may, may
	}
	return apigateway.New(a.log, m.DB, map[string]apigateway.Server{apigateway.HTTP: m.HTTPAPIs, apigateway.REST: m.RESTAPIs})
}

// git answers git's requests for the repositories of CodeCommit.
func (a *App) git(m *core.Machine, services *wire.Handler) http.Handler {
	o := repositories.ServerOptions{Identify: services.IdentifyGit, Note: a.note, Region: a.settings.Region, MaxPush: a.settings.MaxBody}
	if a.settings.Enforces() {
		o.Authorize = func(ctx context.Context, action, repositoryARN string) error {
			_, err := m.Authorizer.May(ctx, authorization.Ask{Action: action, Resource: repositoryARN})
			return err
		}
	}
	return repositories.NewServer(a.log, m.Repositories, o)
}

// partly are the services, by their names in credential scopes, of whose operations only some have a model here. What they
// are asked beyond is the target's, where there is one.
var partly = []string{"apigateway", "cloudformation", "cloudfront", "codecommit", "cognito-identity", "iot", "iotdata", "lex", "ses", "ssm"}

func (a *App) signed(m *core.Machine) *wire.Handler {
	services := a.faces(m)
	forwarder := outside.NewForwarder(a.log, m.Outside)
	for _, s := range services {
		forwarder.Served = append(forwarder.Served, s.Info.Signing)
	}
	forward := a.pending.pause(forwarder.Serve)
	router := outside.NewRouter(m.Outside, outside.Held{
		DB: m.DB, Buckets: m.Buckets, Queues: m.Queues, Functions: m.Functions, Logs: m.Logs, Stacks: m.Stacks,
		Firehose: m.Firehose, Distributions: m.Distributions, Documents: m.Automation,
	}, forward)
	buckets := s3.New(a.log, m.Buckets, m.Notifications)
	o := wire.Options{
		Services:       services,
		S3:             routeS3(router, buckets),
		Route:          router.Route,
		Fallback:       forward,
		SentOn:         partly,
		Unsigned:       map[string][]string{"cognito-identity": cognitoidentity.Unsigned},
		Verify:         a.settings.Mode == settings.Server,
		Secrets:        a.keyring(m),
		DefaultAccount: a.settings.Account,
		DefaultRegion:  a.settings.Region,
		Observe:        func(ctx context.Context, r wire.Answered) { a.answered(ctx, r, buckets.Asks) },
		Throttle:       wire.Throttle{Service: "config", Rate: a.settings.Throttle, Burst: a.settings.ThrottleBurst},
		MaxBody:        a.settings.MaxBody,
		Now:            m.Clock.Now,
	}
	if a.settings.Enforces() {
		enforce(&o, router, buckets, m.Authorizer)
	} else {
		o.Authorize = letInvoke(m.Authorizer)
	}
	return wire.New(a.log, o)
}

// letInvoke has a function's policy asked where another account invokes it. Lambda refuses callers that the policy does not
// allow. Nothing else is asked.
func letInvoke(by *authorization.Authorizer) func(context.Context, model.Info, string, any) (context.Context, error) {
	return func(ctx context.Context, info model.Info, operation string, in any) (context.Context, error) {
		invoke, ok := in.(*lambdaapi.InvokeInput)
		if !ok || invoke.FunctionName == nil {
			return ctx, nil
		}
		ref, _ := functions.Parse(caller.Place(ctx), *invoke.FunctionName, "") // of another account it says the name, and an error
		if ref.Account == "" || ref.Account == caller.From(ctx).Account {
			return ctx, nil
		}
		granted, err := by.Operation(ctx, info, operation, in)
		if err != nil {
			if _, named := model.Named(err); named {
				return ctx, nil
			}
			return ctx, err
		}
		return granted, nil
	}
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

// routeS3 sends requests for S3 to the server or the endpoint that holds the bucket.
func routeS3(router *outside.Router, h *s3.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation, bucket, key := h.Asks(r)
		if err := router.S3(w, r, operation, bucket, key, h); err != nil {
			h.Fail(w, r, err)
		}
	})
}
