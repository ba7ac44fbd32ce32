package app

import (
	"io"
	"log/slog"
	"net/http"
	"strings"

	"plumb/internal/api/config"
	"plumb/internal/api/lambda"
	"plumb/internal/api/s3"
	"plumb/internal/api/sns"
	"plumb/internal/api/sqs"
	"plumb/internal/api/sts"
	"plumb/internal/model"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// faces are the services on our endpoint, each with the operations that are built.
func (a *App) faces(m *machine) []*model.Registry {
	return []*model.Registry{
		config.Register(config.Options{
			DB: m.db, Recorder: m.recorder, Rules: m.rules, Managed: m.known.managed, Delivery: m.delivery, Tokens: m.keys.pages,
			KnownType: m.known.types.Known, KnownTypes: m.known.names, MayInvoke: m.mayInvoke,
			Development: a.settings.Mode == settings.Development, Now: m.clock.Now,
		}).Registry(),
		lambda.New(m.functions),
		sns.New(a.log, m.topics, m.keys.pages),
		sqs.New(a.log, m.queues, m.keys.pages),
		sts.New(a.log, m.credentials, sts.Options{Development: a.settings.Mode == settings.Development, Keys: a.keyring(m)}),
	}
}

// WriteCoverage writes docs/coverage.md: which operations of each service are
// built. It binds the faces to nothing, and calls none of them.
func WriteCoverage(w io.Writer) error {
	a := &App{log: slog.New(slog.DiscardHandler)}
	return model.Coverage(w, a.faces(&machine{})...)
}

// wire joins the faces to one endpoint, with the few pages of theirs that need
// no signature.
func (a *App) wire(m *machine) http.Handler {
	signed := a.signed(m)
	code, pages := lambda.Code(m.functions), sns.Pages(a.log, m.topics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, lambda.CodePath):
			code.ServeHTTP(w, r)
		case sns.IsPage(r):
			pages.ServeHTTP(w, r)
		default:
			signed.ServeHTTP(w, r)
		}
	})
}

func (a *App) signed(m *machine) http.Handler {
	return wire.New(a.log, wire.Options{
		Services:       a.faces(m),
		S3:             s3.New(a.log, m.buckets),
		Fallback:       outside.NewForwarder(a.log, m.outside).Serve,
		Verify:         a.settings.Mode == settings.Server,
		Secrets:        a.keyring(m),
		DefaultAccount: a.settings.Account,
		DefaultRegion:  a.settings.Region,
		Observe:        a.metrics.observe,
		MaxBody:        a.settings.MaxBody,
		Now:            m.clock.Now,
	})
}
