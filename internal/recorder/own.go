package recorder

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// AWS Config records two types about itself: its recorders, always and free of
// charge, and the compliance of resources, where the recorder records that type.
// Such items are made in the transaction that changes what they describe. Those of
// the compliance of conformance packs are made by a job soon after (pack.go).

// RecordRecorder records a recorder that was put, started, stopped or deleted.
func (r *Recorder) RecordRecorder(ctx context.Context, tx *db.Tx, e config.RecorderChanged) error {
	rec := e.Recorder
	it := config.Item{
		ResourceKey: config.ResourceKey{Place: rec.Place, Type: config.TypeRecorder, ID: rec.Name},
		Name:        rec.Name, ARN: rec.ARN, AZ: "Not Applicable", Status: config.StatusOK,
	}
	if event := r.cause(ctx); event != "" {
		it.RelatedEvents = []string{event}
	}
	if e.Deleted {
		it.Status = config.StatusDeleted
		return r.recordOwn(ctx, tx, rec.Place, []config.Item{it})
	}
	it.Configuration = map[string]any{
		"name": rec.Name, "roleARN": rec.RoleARN, "recording": e.Status.Recording,
		"recordingGroup": map[string]any{
			"allSupported": rec.Group.AllSupported, "includeGlobalResourceTypes": rec.Group.IncludeGlobal,
			"resourceTypes":            list(rec.Group.Types),
			"exclusionByResourceTypes": map[string]any{"resourceTypes": list(rec.Group.Excluded)},
			"recordingStrategy":        map[string]any{"useOnly": rec.Group.Strategy},
		},
	}
	return r.recordOwn(ctx, tx, rec.Place, []config.Item{it})
}

func list(s []string) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

// RecordCompliance records the compliance of resources after one of their
// verdicts changed, where a recorder runs that records the type.
func (r *Recorder) RecordCompliance(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) error {
	if recorded, err := recordsNow(ctx, tx, p, config.TypeResourceCompliance); err != nil || !recorded {
		return err
	}
	keys = evaluatedOnce(keys)
	for len(keys) > 0 {
		n := min(len(keys), maxBatch)
		items, err := complianceItems(ctx, tx, p, keys[:n])
		if err != nil {
			return err
		}
		if err := r.recordOwn(ctx, tx, p, items); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// evaluatedOnce returns the resources whose compliance makes an item, each once:
// several rules may have new verdicts on one in the same transaction.
func evaluatedOnce(keys []config.ResourceKey) []config.ResourceKey {
	seen := make(map[config.ResourceKey]bool, len(keys))
	return slices.DeleteFunc(slices.Clone(keys), func(k config.ResourceKey) bool {
		again := seen[k] || k.Type == config.TypeResourceCompliance
		seen[k] = true
		return again
	})
}

func complianceItems(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) ([]config.Item, error) {
	verdicts, err := store.Compliances(ctx, tx, p, keys)
	if err != nil {
		return nil, err
	}
	rules, err := store.Rules(ctx, tx, p, "", 0)
	if err != nil {
		return nil, err
	}
	items := make([]config.Item, 0, len(keys))
	for i, k := range keys {
		items = append(items, complianceItem(k, rules, verdicts[i]))
	}
	return items, nil
}

// complianceItem returns the compliance of a resource; its verdicts are given by
// the ids of their rules.
func complianceItem(k config.ResourceKey, rules []config.Rule, verdicts map[string]config.Compliance) config.Item {
	var tally store.Tally
	results := []any{}
	for _, rule := range rules {
		c, ok := verdicts[rule.ID]
		if !ok || c == config.NotApplicable {
			continue
		}
		if c == config.NonCompliant {
			tally.NonCompliant++
		} else {
			tally.Compliant++
		}
		results = append(results, map[string]any{
			"configRuleArn": rule.ARN, "configRuleId": rule.ID, "configRuleName": rule.Name, "complianceType": string(c),
		})
	}
	id := k.Type + "/" + k.ID
	it := config.Item{ResourceKey: config.ResourceKey{Place: k.Place, Type: config.TypeResourceCompliance, ID: id}, Status: config.StatusOK}
	if len(results) == 0 {
		it.Status = config.StatusDeleted
		return it
	}
	it.Relationships = []config.Relationship{{Type: k.Type, ID: k.ID, Name: "Is associated with "}}
	it.Configuration = map[string]any{
		"complianceType": string(tally.Compliance()), "targetResourceId": k.ID, "targetResourceType": k.Type, "configRuleList": results,
	}
	return it
}

// recordOwn appends the items that differ from the newest ones.
func (r *Recorder) recordOwn(ctx context.Context, tx *db.Tx, p config.Place, items []config.Item) error {
	keys := make([]config.ResourceKey, len(items))
	for i, it := range items {
		keys[i] = it.ResourceKey
	}
	if err := store.Hold(ctx, tx, p, keys); err != nil {
		return err
	}
	heads, err := store.Heads(ctx, tx, p, keys)
	if err != nil {
		return err
	}
	now := r.capture()
	var added []store.NewItem
	for _, it := range items {
		head, known := heads[it.ResourceKey]
		alive := known && !head.Status.Gone()
		if it.Status.Gone() && !alive {
			continue
		}
		if !alive {
			it.Status = config.StatusDiscovered
		}
		n, err := newItem(it, nil, head, now)
		if err != nil {
			return fmt.Errorf("%s: %w", it.ResourceKey, err)
		}
		if alive && !it.Status.Gone() && slices.Equal(n.Digest, head.Digest) {
			continue
		}
		n.Pushed = true // no collector finds it
		added = append(added, n)
	}
	if len(added) == 0 {
		return nil
	}
	if err := store.AppendItems(ctx, tx, added); err != nil {
		return err
	}
	plain := make([]config.Item, len(added))
	for i, n := range added {
		plain[i] = n.Item
	}
	return r.Publish(ctx, tx, config.ItemsRecorded{Place: p, Items: plain})
}
