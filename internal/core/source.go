package core

import (
	"plumb/internal/source/logs"
	"plumb/internal/source/mapping"
	"plumb/internal/source/s3"
	"plumb/internal/source/sqs"
)

// addSources makes what hands events to functions by itself.
func (m *Machine) addSources() {
	m.Mappings = mapping.New(m.DB, m.Jobs, m.Functions, m.Clock.Now)
	m.polled = sqs.New(m.log, m.DB, m.Jobs, m.Queues, m.Functions, m.Clock.Now)
	m.Mappings.Poll("sqs", m.polled)
	m.Notifications = s3.New(m.log, m.DB, m.Jobs, m.Clock.Now, s3.Options{Targets: m.targets, Functions: m.Functions})
	m.Buckets.Happened = m.Notifications.Happened
	m.Subscriptions = logs.New(m.log, m.DB, m.Jobs, m.Functions, m.Clock.Now)
	m.Logs.Written, m.Logs.Deleted = m.Subscriptions.Written, m.Subscriptions.Deleted
}
