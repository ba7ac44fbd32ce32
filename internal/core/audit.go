package core

import (
	"context"
	"io"
	"path"
	"time"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/outside"
)

// addAudit makes what keeps who called what. Its files go to a bucket of the default
// account, whoever's calls they are about.
func (m *Machine) addAudit() {
	s := m.options.Settings
	o := audit.Options{DB: m.DB, Jobs: m.Jobs, Now: m.Clock.Now, Level: s.Audit, Keep: s.AuditKeep}
	if s.AuditBucket != "" {
		to, at := outside.NewDestination(m.DB, m.Outside, m.Buckets, m.Topics, nil), config.Place{Account: s.Account, Region: s.Region}
		o.Put = func(ctx context.Context, key string, body io.ReadSeeker, size int64) error {
			return to.PutObject(ctx, at, s.AuditBucket, path.Join(s.AuditPrefix, key), body, size, "")
		}
	}
	m.Audit = audit.New(m.log, o)
}

// cause is the event of the audit log that the request of ctx will be.
func (m *Machine) cause(ctx context.Context) string { return m.Audit.IDOf(caller.From(ctx).RequestID) }

// flushTimeout bounds how long a stop waits for the audit log.
const flushTimeout = 5 * time.Second

func (m *Machine) flushAudit() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := m.Audit.Flush(ctx); err != nil {
		m.log.Error("calls of the last moment are not in the audit log", "err", err)
	}
}
