package core

import (
	"context"
	"net"

	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/outside"
	"plumb/internal/settings"
	"plumb/internal/source/ses"
)

// addMail makes what receives mail. Senders' domains are asked for their records in
// server mode: a developer's mail is from nowhere.
func (m *Machine) addMail() {
	o := ses.Options{
		Functions: m.Functions, HasTopic: m.targets.Exists, Changed: m.options.Listeners,
		Publish: func(ctx context.Context, tx *db.Tx, from caller.Sender, topicARN, subject, body string) error {
			ok, err := m.targets.Exists(ctx, tx, from, topicARN)
			if err != nil {
				return err
			}
			if !ok {
				return outside.ErrMayNot
			}
			return m.targets.Send(ctx, tx, from, lambda.Message{Target: topicARN, Subject: subject, Body: body})
		},
		PutObject: func(ctx context.Context, from caller.Sender, name, key string, body []byte, kmsKey string) error {
			meta := bucket.Meta{KMSKey: kmsKey}
			if kmsKey != "" {
				meta.Encryption = "aws:kms"
			}
			return outside.PutAsService(ctx, m.Buckets, from, name, key, body, meta)
		},
	}
	if m.options.Settings.Mode == settings.Server {
		o.Resolver = net.DefaultResolver
	}
	m.Mail = ses.New(m.log, m.DB, m.Jobs, m.Clock.Now, o)
}
