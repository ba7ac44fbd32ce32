package aggregation

import (
	"context"
	"errors"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Of the conformance packs of an account elsewhere their names and which rules are
// theirs are kept. What a pack says follows from the verdicts of its rules, as it does
// for the packs here.

// withoutPacks are the codes that say that packs may not be read, or that what is there
// does not know them.
var withoutPacks = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "UnknownOperationException": true, "UnknownOperation": true, "InvalidAction": true,
}

// readPacks keeps the packs that are there, after their rules: none where they may not be
// read, which is no failure of the rest.
func (o *outside) readPacks(ctx context.Context, p config.Place) error {
	there, err := o.packsThere(ctx, p)
	if withoutPacks[awsclient.Code(err)] {
		if _, said := o.packless.LoadOrStore(p, true); !said {
			o.log.Warn("the conformance packs of an account elsewhere may not be read, and are left out", "account", p.Account, "region", p.Region, "err", err)
		}
		there, err = nil, nil
	}
	if err != nil {
		return err
	}
	return o.forgetPacks(ctx, p, there)
}

// packsThere keeps the packs that are there, and returns their names.
func (o *outside) packsThere(ctx context.Context, p config.Place) (map[string]bool, error) {
	there := map[string]bool{}
	err := o.pages(ctx, p, "DescribeConformancePacks", "NextToken", map[string]any{}, func(out map[string]any) error {
		for _, shape := range objects(out["ConformancePackDetails"]) {
			pack := outsidePack(p, shape)
			if pack.Name == "" {
				continue
			}
			there[pack.Name] = true
			if err := o.readPack(ctx, pack); err != nil {
				return err
			}
		}
		return nil
	})
	return there, err
}

// forgetPacks forgets the packs that are not there any more.
func (o *outside) forgetPacks(ctx context.Context, p config.Place, there map[string]bool) error {
	var kept []store.PackWithStatus
	err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
		kept, err = store.ConformancePacks(ctx, tx, p, "", 0)
		return err
	})
	if err != nil {
		return err
	}
	for _, pack := range kept {
		if there[pack.Name] || !pack.Outside() {
			continue
		}
		err := o.DB.Write(ctx, func(tx *db.Tx) error { return store.DeleteConformancePack(ctx, tx, pack.ID) })
		if err != nil {
			return err
		}
	}
	return nil
}

func outsidePack(p config.Place, shape map[string]any) config.ConformancePack {
	return config.ConformancePack{
		Place: p, Name: textOf(shape["ConformancePackName"]), ARN: textOf(shape["ConformancePackArn"]),
		ID: config.OutsideIDs + p.Account + "/" + p.Region + "/" + textOf(shape["ConformancePackId"]),
	}
}

// readPack keeps a pack and which rules are its own.
func (o *outside) readPack(ctx context.Context, pack config.ConformancePack) error {
	rules := map[string][]string{} // the controls of each
	in := map[string]any{"ConformancePackName": pack.Name, "Limit": int64(keysAtOnce)}
	err := o.pages(ctx, pack.Place, "DescribeConformancePackCompliance", "NextToken", in, func(out map[string]any) error {
		for _, shape := range objects(out["ConformancePackRuleComplianceList"]) {
			rules[textOf(shape["ConfigRuleName"])] = texts(shape["Controls"])
		}
		return nil
	})
	if awsclient.Code(err) == "NoSuchConformancePackException" {
		return nil // it went meanwhile, and the next reading finds it gone
	}
	if err != nil {
		return err
	}
	return o.DB.Write(ctx, func(tx *db.Tx) error { return o.keepPack(ctx, tx, pack, rules) })
}

// keepPack keeps a pack with these rules, unless one was put here under its name.
func (o *outside) keepPack(ctx context.Context, tx *db.Tx, pack config.ConformancePack, rules map[string][]string) error {
	if err := store.LockConformancePacks(ctx, tx, pack.Place); err != nil {
		return err
	}
	kept, err := store.ConformancePack(ctx, tx, pack.Place, pack.Name)
	switch {
	case err == nil && !kept.Outside():
		return nil
	case err == nil && kept.ID != pack.ID: // deleted there and made again
		err = store.DeleteConformancePack(ctx, tx, kept.ID)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if kept.ID != pack.ID {
		status := config.PackStatus{State: config.PackCreated, Requested: o.now(), Completed: o.now()}
		if err := store.PutConformancePack(ctx, tx, pack, "", status); err != nil {
			return err
		}
	}
	return keepPackRules(ctx, tx, pack, rules)
}

func keepPackRules(ctx context.Context, tx *db.Tx, pack config.ConformancePack, rules map[string][]string) error {
	before, err := store.PackRules(ctx, tx, pack.ID)
	if err != nil {
		return err
	}
	for _, r := range before {
		if _, ok := rules[r.Name]; !ok {
			if err := store.DeletePackRule(ctx, tx, r.ID); err != nil {
				return err
			}
		}
	}
	for name, controls := range rules {
		r, err := store.Rule(ctx, tx, pack.Place, name)
		if errors.Is(err, store.ErrNotFound) || err == nil && !isOutside(r) {
			continue // it came since the rules were read: the next reading has it
		}
		if err != nil {
			return err
		}
		if err := store.PutPackRule(ctx, tx, pack.ID, config.PackRule{Rule: r, Controls: controls}); err != nil {
			return err
		}
	}
	return nil
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, e := range list {
		out = append(out, textOf(e))
	}
	return out
}
