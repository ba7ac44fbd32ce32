package core

import (
	"context"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/trail"
)

// serviceOf returns how calls of a type's service are signed, which is how CloudTrail
// names it, and whether the type belongs to no region.
func (m *Machine) serviceOf(resourceType string) (service string, global bool) {
	info, ok := m.Known.Types.Info(resourceType)
	if !ok {
		return "", false
	}
	api, err := m.Known.APIs.API(info.Service)
	if err != nil {
		return "", false
	}
	return api.Metadata.Signing(), info.Global
}

// callsOf looks for records of CloudTrail among events that an account put on its own bus.
// A record speaks of that account only.
func (m *Machine) callsOf(ctx context.Context, tx *db.Tx, p config.Place, events []eventbus.Event) error {
	var calls []audit.Event
	for _, e := range events {
		if e.DetailType != config.CallDetailType {
			continue
		}
		call, err := audit.ParseRecord(e.Detail, forwarder(ctx))
		if err == nil && call.Place.Account == p.Account {
			calls = append(calls, call)
		}
	}
	return m.OnRecords(ctx, tx, calls)
}

func forwarder(ctx context.Context) string {
	if who := caller.From(ctx).PrincipalARN; who != "" {
		return "events:PutEvents by " + who
	}
	return "events:PutEvents"
}

// OnRecords takes records of CloudTrail: what they say was changed is read again, and who
// did it is kept in the audit log. Records of global services name us-east-1, wherever the
// account has its target.
func (m *Machine) OnRecords(ctx context.Context, tx *db.Tx, records []audit.Event) error {
	var calls []config.Call
	for _, e := range records {
		if e.Code != "" || e.ReadOnly || !m.options.Settings.HasTarget(e.Place.Account) {
			continue
		}
		calls = append(calls, e.Call())
		if err := m.Audit.KeepForwarded(ctx, tx, e); err != nil {
			return err
		}
	}
	if len(calls) == 0 {
		return nil
	}
	return m.Recorder.OnCalls(ctx, tx, calls)
}

// addTrail makes what reads the queues and buckets with records that the settings name. An
// account's own entry speaks of that account; the server's own setting of any.
func (m *Machine) addTrail() {
	s := m.options.Settings
	var sources []trail.Source
	add := func(account, region, address string, others bool) {
		if region == "" {
			region = s.Region
		}
		if address != "" {
			sources = append(sources, trail.Source{Place: config.Place{Account: account, Region: region}, Address: address, Others: others})
		}
	}
	add(s.Account, s.Region, s.CloudTrail, true)
	for _, a := range s.Accounts {
		add(a.Account, a.Region, a.CloudTrail, false)
	}
	m.Trail = trail.New(m.log, trail.Options{
		DB: m.DB, Jobs: m.Jobs, Sources: sources, Client: m.Outside.Target, Take: m.OnRecords, Now: m.Clock.Now,
	})
}
