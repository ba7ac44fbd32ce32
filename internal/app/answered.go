package app

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/outside"
	"plumb/internal/wire"
)

// answered counts and logs a request. What the recorder asks of the embedded
// services is no client's request, and is logged for debugging only.
func (a *App) answered(ctx context.Context, r wire.Answered, asks bucketAsks) {
	a.metrics.observe(r)
	nameSpan(ctx, r)
	a.keyUsed(ctx, r)
	a.audited(ctx, r, asks)
	a.console.note(ctx, r)
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

// useEvery is how often the use of an access key is noted at most.
const useEvery = 15 * time.Minute

// keyUsed notes where and when a user's access key signed.
func (a *App) keyUsed(ctx context.Context, r wire.Answered) {
	who := r.Caller
	if !who.Verified || who.Root || !strings.HasPrefix(who.AccessKeyID, identity.KeyPrefix) {
		return
	}
	m := a.machine.Load()
	now := m.Clock.Now()
	if last, ok := a.used.Load(who.AccessKeyID); ok && now.Sub(last.(time.Time)) < useEvery {
		return
	}
	a.used.Store(who.AccessKeyID, now)
	ctx = context.WithoutCancel(ctx)
	err := m.DB.Write(ctx, func(tx *db.Tx) error {
		return identity.Used(ctx, tx, who.AccessKeyID, who.Region, r.Service, now)
	})
	if err != nil {
		a.log.Warn("the use of an access key was not noted", "account", who.Account, "err", err)
	}
}

// milliseconds has two digits after the point.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}
