package core

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// publish is the one list of events and their reactions. Reactions run in the
// transaction that made the event true: they read, record what follows at once,
// and insert jobs. An error of one undoes what it reacts to.
func (m *Machine) publish(ctx context.Context, tx *db.Tx, event any) error {
	m.count(tx, event)
	ctx, span := traced(ctx, event)
	defer span.End()
	err := m.react(ctx, tx, event)
	span.Fail(err)
	return err
}

func (m *Machine) react(ctx context.Context, tx *db.Tx, event any) error {
	switch e := event.(type) {
	case config.ItemsRecorded:
		return inOrder(
			func() error { return m.Rules.OnItemsRecorded(ctx, tx, e) },
			func() error { return m.Delivery.OnItemsRecorded(ctx, tx, e) },
			func() error { return m.announcer.OnItemsRecorded(ctx, tx, e) },
		)
	case config.ComplianceChanged:
		return inOrder(
			func() error { return m.Recorder.OnComplianceChanged(ctx, tx, e) },
			func() error { return m.Delivery.OnComplianceChanged(ctx, tx, e) },
			func() error { return m.announcer.OnComplianceChanged(ctx, tx, e) },
			func() error { return m.Remediation.OnComplianceChanged(ctx, tx, e) },
		)
	case config.ComplianceForgotten:
		return m.Recorder.OnComplianceForgotten(ctx, tx, e)
	case config.RecorderChanged:
		return inOrder(
			func() error { return m.Recorder.RecordRecorder(ctx, tx, e) },
			func() error { return m.Recorder.RecordPacks(ctx, tx, e) },
			func() error { return m.Deployment.OnRecorderChanged(ctx, tx, e) },
		)
	case config.RulesEvaluationStarted:
		return m.Delivery.OnRulesEvaluationStarted(ctx, tx, e)
	case config.TypeRead:
		return m.Rules.OnTypeRead(ctx, tx, e)
	case config.SnapshotDelivered:
		return m.Rules.OnSnapshotDelivered(ctx, tx, e)
	case config.MembershipChanged:
		return m.Deployment.OnMembershipChanged(ctx, tx, e)
	case config.RuleDeleted:
		return inOrder(
			func() error { return m.Packs.OnRuleDeleted(ctx, tx, e) },
			func() error { return m.Stacks.Wake(ctx, tx, e.Rule.Place, "AWS::Config::ConfigRule", e.Rule.Name) },
		)
	case config.PackEnded:
		return inOrder(
			func() error { return m.Recorder.OnPackEnded(ctx, tx, e) },
			func() error { return m.Deployment.OnPackEnded(ctx, tx, e) },
			func() error { return m.Stacks.Wake(ctx, tx, e.Pack.Place, "AWS::Config::ConformancePack", e.Pack.Name) },
		)
	case config.RuleChanged:
		return nil // the engine itself asks for the first evaluation
	}
	return fmt.Errorf("nobody knows the event %T", event)
}

// changed is told by every embedded service that a resource is not what it was.
func (m *Machine) changed(ctx context.Context, tx *db.Tx, key config.ResourceKey) error {
	return m.Recorder.Announce(ctx, tx, key)
}

// changedEverywhere tells the recorders of all regions of an account, where a resource
// belongs to none.
func (m *Machine) changedEverywhere(ctx context.Context, tx *db.Tx, key config.ResourceKey) error {
	places, err := store.PlacesOf(ctx, tx, key.Account)
	if err != nil {
		return err
	}
	for _, p := range places {
		key.Place = p
		if m.Recorder.Source == nil || m.Recorder.Source.Announces(p, key.Type) {
			if err := m.changed(ctx, tx, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func inOrder(reactions ...func() error) error {
	for _, react := range reactions {
		if err := react(); err != nil {
			return err
		}
	}
	return nil
}
