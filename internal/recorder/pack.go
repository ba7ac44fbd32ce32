package recorder

import (
	"context"
	"errors"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// The compliance of conformance packs is recorded by jobs, not in the transactions
// that change verdicts: many of these change one pack at once, and each would have
// to wait for the others to know what the pack's rules say together.

// packs records the compliance of conformance packs.
type packs struct {
	Place config.Place `json:"place"`
	Packs []string     `json:"packs"` // their ids
}

// Kind names the job.
func (packs) Kind() string { return "recorder.packs" }

// Owner is the place's account.
func (j packs) Owner() string { return j.Place.Account }

// OnComplianceChanged records the compliance of the resources, and has that of the
// conformance packs recorded whose rules have the new verdicts.
func (r *Recorder) OnComplianceChanged(ctx context.Context, tx *db.Tx, e config.ComplianceChanged) error {
	var keys []config.ResourceKey
	var rules []string
	for _, c := range e.Changes {
		keys = append(keys, config.ResourceKey{Place: e.Place, Type: c.New.ResourceType, ID: c.New.ResourceID})
		if config.MayBeOfPack(c.New.Rule) && !slices.Contains(rules, c.RuleID) {
			rules = append(rules, c.RuleID)
		}
	}
	if err := r.RecordCompliance(ctx, tx, e.Place, keys); err != nil {
		return err
	}
	return r.packsOfRules(ctx, tx, e.Place, rules)
}

// OnComplianceForgotten does so for results that were deleted.
func (r *Recorder) OnComplianceForgotten(ctx context.Context, tx *db.Tx, e config.ComplianceForgotten) error {
	if err := r.RecordCompliance(ctx, tx, e.Place, e.Resources); err != nil {
		return err
	}
	var rules []string
	if config.MayBeOfPack(e.Rule.Name) {
		rules = []string{e.Rule.ID}
	}
	return r.packsOfRules(ctx, tx, e.Place, rules)
}

func (r *Recorder) packsOfRules(ctx context.Context, tx *db.Tx, p config.Place, rules []string) error {
	if len(rules) == 0 {
		return nil
	}
	if recorded, err := recordsNow(ctx, tx, p, config.TypePackCompliance); err != nil || !recorded {
		return err
	}
	ids, err := store.PacksOfRules(ctx, tx, rules)
	if err != nil || len(ids) == 0 {
		return err
	}
	return r.Jobs.Insert(ctx, tx, packs{p, ids}, job.Options{})
}

// OnPackEnded has the compliance of a conformance pack recorded that was deployed,
// and records that one is gone.
func (r *Recorder) OnPackEnded(ctx context.Context, tx *db.Tx, e config.PackEnded) error {
	recorded, err := recordsNow(ctx, tx, e.Pack.Place, config.TypePackCompliance)
	if err != nil || !recorded {
		return err
	}
	if !e.Gone {
		return r.Jobs.Insert(ctx, tx, packs{e.Pack.Place, []string{e.Pack.ID}}, job.Options{})
	}
	it := packItem(e.Pack)
	it.Status = config.StatusDeleted
	return r.recordOwn(ctx, tx, e.Pack.Place, []config.Item{it})
}

// RecordPacks has the compliance of all conformance packs of a place recorded when its
// recorder was put or started: they may have changed while it did not record them.
func (r *Recorder) RecordPacks(ctx context.Context, tx *db.Tx, e config.RecorderChanged) error {
	p := e.Recorder.Place
	if e.Deleted || !e.Status.Recording || !e.Recorder.Records(config.TypePackCompliance) {
		return nil
	}
	all, err := store.ConformancePacks(ctx, tx, p, "", 0)
	if err != nil {
		return err
	}
	var ids []string
	for _, pack := range all {
		if !pack.Outside() { // what is read elsewhere has its items from there
			ids = append(ids, pack.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return r.Jobs.Insert(ctx, tx, packs{p, ids}, job.Options{})
}

// recordsNow reports whether a place's recorder runs and records a type.
func recordsNow(ctx context.Context, tx *db.Tx, p config.Place, resourceType string) (bool, error) {
	rec, status, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && status.Recording && rec.Records(resourceType), err
}

// doPacks records the compliance of packs as it is now.
func (r *Recorder) doPacks(ctx context.Context, tx *db.Tx, j job.Job[packs]) error {
	p := j.Args.Place
	if recorded, err := recordsNow(ctx, tx, p, config.TypePackCompliance); err != nil || !recorded {
		return err
	}
	var keys []config.ResourceKey
	for _, id := range j.Args.Packs {
		keys = append(keys, packKey(p, id))
	}
	// While a pack is held no other job records it.
	if err := store.Hold(ctx, tx, p, keys); err != nil {
		return err
	}
	var items []config.Item
	for _, id := range j.Args.Packs {
		it, ok, err := packCompliance(ctx, tx, id)
		if err != nil {
			return err
		}
		if ok {
			items = append(items, it)
		}
	}
	return r.recordOwn(ctx, tx, p, items)
}

// packCompliance returns the compliance of a pack; not of one that is gone, and not
// while its rules are being made or deleted: the end of that is recorded.
func packCompliance(ctx context.Context, tx *db.Tx, id string) (it config.Item, ok bool, err error) {
	pack, err := store.ConformancePackByID(ctx, tx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && pack.Status.State.InProgress() {
		return it, false, nil
	}
	if err != nil {
		return it, false, err
	}
	rules, err := store.PackRules(ctx, tx, id)
	if err != nil || len(rules) == 0 {
		return it, false, err
	}
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	tallies, err := store.TallyRules(ctx, tx, ids)
	it = packItem(pack.ConformancePack)
	it.Configuration = packConfiguration(rules, tallies)
	return it, true, err
}

func packKey(p config.Place, id string) config.ResourceKey {
	return config.ResourceKey{Place: p, Type: config.TypePackCompliance, ID: id}
}

func packItem(p config.ConformancePack) config.Item {
	return config.Item{ResourceKey: packKey(p.Place, p.ID), Name: p.Name, ARN: p.ARN, Status: config.StatusOK}
}

func packConfiguration(rules []config.PackRule, tallies map[string]store.Tally) map[string]any {
	var all, tally store.Tally
	results := []any{}
	for _, rule := range rules {
		t := tallies[rule.ID]
		all.Compliant += t.Compliant
		all.NonCompliant += t.NonCompliant
		switch t.Compliance() {
		case config.Compliant:
			tally.Compliant++
		case config.NonCompliant:
			tally.NonCompliant++
		}
		results = append(results, map[string]any{
			"configRuleName": rule.Name, "configRuleArn": rule.ARN, "complianceType": string(t.Compliance()), "controls": list(rule.Controls),
		})
	}
	return map[string]any{
		"complianceType": string(all.Compliance()), "compliantRuleCount": tally.Compliant, "nonCompliantRuleCount": tally.NonCompliant,
		"totalRuleCount": int64(len(rules)), "configRuleList": results,
	}
}
