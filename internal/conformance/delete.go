package conformance

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// Delete has a pack vanish, with its rules and their results; it is in progress
// until they have. by is the service that asks, empty for a user.
func (p *Packs) Delete(ctx context.Context, place config.Place, name, by string) error {
	return p.DB.Write(ctx, func(tx *db.Tx) error { return p.Remove(ctx, tx, place, name, by) })
}

// Remove is Delete in a transaction.
func (p *Packs) Remove(ctx context.Context, tx *db.Tx, place config.Place, name, by string) error {
	if err := store.LockConformancePacks(ctx, tx, place); err != nil {
		return err
	}
	pack, err := Named(ctx, tx, place, name)
	if err != nil {
		return err
	}
	if err := changeable(pack, by); err != nil {
		return err
	}
	s := config.PackStatus{State: config.PackDeleting, Requested: p.Now()}
	if err := store.SetConformancePackStatus(ctx, tx, pack.ID, s); err != nil {
		return err
	}
	return p.Jobs.Insert(ctx, tx, remove{request{pack.ID, db.Micros(s.Requested)}}, job.Options{})
}

// remove deletes the rules of a pack.
type remove struct{ request }

// Kind names the job.
func (remove) Kind() string { return "conformance.remove" }

func (p *Packs) doRemove(ctx context.Context, j job.Job[remove]) error {
	err := p.DB.Write(ctx, func(tx *db.Tx) error { return p.remove(ctx, tx, j.Args) })
	if reason, final := failure(err); final {
		return p.end(ctx, j.Args.request, config.PackDeleting, config.PackStatus{State: config.PackDeleteFailed, Reason: reason})
	}
	return err
}

func (p *Packs) remove(ctx context.Context, tx *db.Tx, r remove) error {
	pack, ok, err := r.asked(ctx, tx, config.PackDeleting)
	if err != nil || !ok {
		return err
	}
	if err := store.LockRules(ctx, tx, pack.Place); err != nil {
		return err
	}
	rules, err := store.PackRules(ctx, tx, pack.ID)
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return p.forget(ctx, tx, pack)
	}
	if _, err := p.remediate(ctx, tx, pack.Place, rules, nil, nil); err != nil {
		return err
	}
	for _, r := range rules {
		if err := p.deleteRule(ctx, tx, r.Rule); err != nil {
			return err
		}
	}
	return nil
}

func (p *Packs) forget(ctx context.Context, tx *db.Tx, pack store.PackWithStatus) error {
	if err := store.DeleteTags(ctx, tx, pack.Place, pack.ARN, nil); err != nil {
		return err
	}
	if err := store.DeleteConformancePack(ctx, tx, pack.ID); err != nil {
		return err
	}
	return p.publish(ctx, tx, config.PackEnded{Pack: pack.ConformancePack, Status: pack.Status, Gone: true})
}

// OnRuleDeleted ends what waits for the last rule that leaves a pack: its
// deployment, or its deletion.
func (p *Packs) OnRuleDeleted(ctx context.Context, tx *db.Tx, e config.RuleDeleted) error {
	if e.Rule.CreatedBy != config.ConformancePackPrincipal {
		return nil
	}
	// Two rules that go at once each wait for the other here, or both would find
	// that one is left.
	if err := store.LockRules(ctx, tx, e.Rule.Place); err != nil {
		return err
	}
	id, err := store.PackOfRule(ctx, tx, e.Rule.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := store.DeletePackRule(ctx, tx, e.Rule.ID); err != nil {
		return err
	}
	all, leaving, err := store.CountPackRules(ctx, tx, id)
	if err != nil {
		return err
	}
	pack, err := store.ConformancePackByID(ctx, tx, id)
	if err != nil {
		return err
	}
	switch s := pack.Status; {
	case s.State == config.PackDeleting && all == 0:
		return p.forget(ctx, tx, pack)
	case s.State == config.PackCreating && s.Leaving && leaving == 0:
		s.State, s.Completed, s.Leaving = config.PackCreated, p.Now(), false
		return p.settle(ctx, tx, pack.ConformancePack, s)
	default:
		return nil
	}
}
