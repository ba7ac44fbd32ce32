package core

import (
	"bytes"
	"context"

	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/outside"
	"plumb/internal/source/iot"
)

// addIoT makes what asks topic rules. Their actions act as the roles that they name.
func (m *Machine) addIoT() {
	buckets := outside.NewBuckets(m.Outside, m.Buckets)
	m.IoT = iot.New(m.log, m.DB, m.Jobs, m.Clock.Now, iot.Options{
		Functions: m.Functions, Deliver: m.options.Deliver, Changed: m.options.Listeners,
		Send: func(ctx context.Context, tx *db.Tx, from caller.Sender, targetARN, body string) error {
			ok, err := m.targets.Exists(ctx, tx, from, targetARN)
			if err != nil {
				return err
			}
			if !ok {
				return outside.ErrMayNot
			}
			return m.targets.Send(ctx, tx, from, lambda.Message{Target: targetARN, Body: body})
		},
		Put: func(ctx context.Context, from caller.Sender, name, key string, body []byte) error {
			return buckets.Put(ctx, from, name, key, bytes.NewReader(body), int64(len(body)), bucket.Meta{ContentType: "application/octet-stream"})
		},
	})
}
