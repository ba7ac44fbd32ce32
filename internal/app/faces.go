package app

import (
	"net/http"

	"plumb/internal/api/config"
	"plumb/internal/api/s3"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/model/stsapi"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// faces are the services on our endpoint, each with the operations that are built.
func (a *App) faces(m *machine) []*model.Registry {
	return []*model.Registry{
		config.Register(config.Options{
			DB: m.db, Recorder: m.recorder, Rules: m.rules, Managed: m.managed, Delivery: m.delivery, Tokens: m.keys.pages,
			KnownType: m.source.catalogue.Known, KnownTypes: m.source.names, MayInvoke: absent{}.mayInvoke,
			Development: a.settings.Mode == settings.Development, Now: m.clock.Now,
		}).Registry(),
		lambdaapi.NewService().Registry(),
		snsapi.NewService().Registry(),
		sqsapi.NewService().Registry(),
		stsapi.NewService().Registry(),
	}
}

// wire joins the faces to one endpoint.
func (a *App) wire(m *machine) http.Handler {
	return wire.New(a.log, wire.Options{
		Services:       a.faces(m),
		S3:             s3.New(a.log, m.buckets),
		Fallback:       newForwarder(a.log, m.outside).serve,
		Verify:         a.settings.Mode == settings.Server,
		Secrets:        keyring(a.settings, m.own, m.given),
		DefaultAccount: a.settings.Account,
		DefaultRegion:  a.settings.Region,
		Observe:        a.metrics.observe,
		MaxBody:        a.settings.MaxBody,
		Now:            m.clock.Now,
	})
}
