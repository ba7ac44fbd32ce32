package core

import (
	"context"

	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/outside"
	"plumb/internal/source/firehose"
)

// addFirehose makes the delivery streams, which write and invoke as their role.
func (m *Machine) addFirehose() {
	buckets := outside.NewBuckets(m.Outside, m.Buckets)
	m.Firehose = firehose.New(m.log, m.DB, m.Jobs, m.Functions, m.Clock.Now, firehose.Options{
		May: outside.May, Log: m.Logs.Append,
		Write: func(ctx context.Context, o firehose.Object) error {
			meta := bucket.Meta{ContentType: o.Type, KMSKey: o.KMSKey}
			if o.KMSKey != "" {
				meta.Encryption = "aws:kms"
			}
			from := caller.Sender{Account: o.Account, Region: o.Region, Role: o.Role}
			return buckets.Put(ctx, from, o.Bucket, o.Key, o.File, o.Size, meta)
		},
	})
}
