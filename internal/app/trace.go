package app

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"plumb/internal/trace"
	"plumb/internal/wire"
)

// traced begins a trace with every request, or goes on with that of the client.
func (a *App) traced(next http.Handler) http.Handler {
	if a.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := trace.FromRequest(r)
		if own := trace.ParentOf(r.Context()); own != "" {
			from = own // the recorder, at an embedded service
		}
		ctx, span := a.tracer.Begin(r.Context(), r.Method, trace.Server, from, "http.request.method", r.Method, "server.address", r.Host)
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// nameSpan tells the span of a request what it was.
func nameSpan(ctx context.Context, r wire.Answered) {
	span := trace.Of(ctx)
	if !span.On() {
		return
	}
	service := r.Service
	switch {
	case r.Unserved != "":
		service = r.Unserved // a client could invent any number of names: none for the span
	case r.Operation != "":
		span.Name(service + " " + r.Operation)
	}
	span.Set("rpc.system", "aws-api", "rpc.service", service, "rpc.method", r.Operation, "aws.request_id", r.Caller.RequestID,
		"cloud.account.id", r.Caller.Account, "cloud.region", r.Caller.Region, "error.type", r.Code)
	span.SetInt("http.response.status_code", r.Status)
	if r.Status >= http.StatusInternalServerError {
		span.Fail(errors.New(strconv.Itoa(r.Status) + " " + r.Code))
	}
}

// traceTimeout is how long a stop waits for a collector.
const traceTimeout = 5 * time.Second

func (a *App) closeTracer() {
	ctx, cancel := context.WithTimeout(context.Background(), traceTimeout)
	defer cancel()
	if err := a.tracer.Close(ctx); err != nil {
		a.log.Warn("the last traces were not sent", "err", err)
	}
}
