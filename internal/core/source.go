package core

import (
	"context"

	"plumb/internal/awsclient"
	"plumb/internal/cognito"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/settings"
	"plumb/internal/source/alexa"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/cognitosync"
	"plumb/internal/source/lex"
	"plumb/internal/source/logs"
	"plumb/internal/source/mapping"
	"plumb/internal/source/s3"
	"plumb/internal/source/sqs"
	"plumb/internal/source/stream"
)

// addSources makes what hands events to functions by itself.
func (m *Machine) addSources() {
	m.Mappings = mapping.New(m.DB, m.Jobs, m.Functions, m.Clock.Now)
	m.polled = sqs.New(m.log, m.DB, m.Jobs, m.Queues, m.Functions, m.Clock.Now)
	m.Mappings.Poll("sqs", m.polled)
	streams := stream.New(m.log, m.DB, m.Jobs, m.Functions, m.targets, m.streamClient, m.Clock.Now, m.stopping)
	m.Mappings.Poll("kinesis", streams)
	m.Mappings.Poll("dynamodb", streams)
	m.Notifications = s3.New(m.log, m.DB, m.Jobs, m.Clock.Now, s3.Options{
		Targets: m.targets, Functions: m.Functions,
		Bus: func(ctx context.Context, tx *db.Tx, p config.Place, e s3.BusEvent) error {
			return m.Events.Put(ctx, tx, p, eventbus.Default, []eventbus.Event{
				{Source: "aws.s3", DetailType: e.DetailType, Detail: e.Detail, Resources: []string{e.Bucket}},
			})
		},
	})
	m.Buckets.Happened = m.Notifications.Happened
	m.Subscriptions = logs.New(m.log, m.DB, m.Jobs, m.Functions, m.Clock.Now)
	m.Logs.Written, m.Logs.Deleted = m.Subscriptions.Written, m.Subscriptions.Deleted
	m.addFirehose()
	m.Cognito, m.Sync = cognito.New(m.DB, m.Clock.Now), cognitosync.New(m.log, m.DB, m.Functions, m.Clock.Now)
	m.Cognito.Forget = m.Sync.Forget
	m.Repositories = codecommit.New(m.log, m.DB, m.Jobs, m.Clock.Now, codecommit.Options{Targets: m.targets, Functions: m.Functions})
	m.addMail()
	m.addIoT()
	m.Bots = lex.New(m.log, m.DB, m.Functions, m.Clock.Now)
	m.Skills = alexa.New(m.log, m.DB, m.Functions, alexa.Options{
		Now: m.Clock.Now, Verify: m.options.Settings.Mode == settings.Server, Certificates: m.options.Settings.AlexaCertificates,
	})
}

// streamClient returns who calls a service that has streams for a place: an outside
// service, else the target.
func (m *Machine) streamClient(ctx context.Context, p config.Place, service string) (*awsclient.Client, error) {
	c, err := m.Outside.Service(ctx, p, service)
	if err != nil || c != nil {
		return c, err
	}
	return m.Outside.Target(ctx, p)
}
