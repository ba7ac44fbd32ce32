package app

import (
	"context"
	"log/slog"
	"math"
	"time"

	"plumb/internal/outside"
	"plumb/internal/wire"
)

// answered counts and logs a request. What the recorder asks of the embedded
// services is no client's request, and is logged for debugging only.
func (a *App) answered(ctx context.Context, r wire.Answered) {
	a.metrics.observe(r)
	level := slog.LevelInfo
	if outside.IsOwn(ctx) {
		level = slog.LevelDebug
	}
	if !a.log.Enabled(ctx, level) {
		return
	}
	text, service := "request", r.Service
	if r.Unserved != "" {
		text, service = "request for a service that is not served here", r.Unserved
	}
	a.log.Log(ctx, level, text, "service", service, "operation", r.Operation, "status", r.Status, "ms", milliseconds(r.Took),
		"account", r.Caller.Account, "region", r.Caller.Region, "caller", r.Caller.PrincipalARN, "request", r.Caller.RequestID)
}

// milliseconds has two digits after the point.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}
