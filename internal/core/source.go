package core

import (
	"plumb/internal/source/mapping"
	"plumb/internal/source/sqs"
)

// addSources makes what hands events to functions by itself.
func (m *Machine) addSources() {
	m.Mappings = mapping.New(m.DB, m.Jobs, m.Functions, m.Clock.Now)
	m.polled = sqs.New(m.log, m.DB, m.Jobs, m.Queues, m.Functions, m.Clock.Now)
	m.Mappings.Poll("sqs", m.polled)
}
