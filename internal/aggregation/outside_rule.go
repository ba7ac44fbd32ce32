package aggregation

import (
	"context"
	"errors"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Of the rules of an account elsewhere their names and their verdicts are kept, and
// nothing that would have them evaluated here.

// readRules keeps the rules that are there, with what they say of resources.
func (o *outside) readRules(ctx context.Context, p config.Place) error {
	there := map[string]bool{}
	err := o.pages(ctx, p, "DescribeConfigRules", "NextToken", map[string]any{}, func(out map[string]any) error {
		for _, shape := range objects(out["ConfigRules"]) {
			r := outsideRule(p, shape)
			if r.Name == "" {
				continue
			}
			there[r.Name] = true
			if err := o.readRule(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for after, more := "", true; more; {
		var kept []config.Rule
		err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
			kept, err = store.Rules(ctx, tx, p, after, keysAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range kept {
			if after = r.Name; !there[r.Name] && isOutside(r) {
				if err := o.forgetRule(ctx, r); err != nil {
					return err
				}
			}
		}
		more = len(kept) == keysAtOnce
	}
	return nil
}

// isOutside reports whether a rule was read elsewhere, and not put here.
func isOutside(r config.Rule) bool { return strings.HasPrefix(r.ID, config.OutsideIDs) }

// outsideRule returns what is kept of a rule. Ids are another server's: here they are
// told apart by where they are from.
func outsideRule(p config.Place, shape map[string]any) config.Rule {
	return config.Rule{
		Place: p, Name: textOf(shape["ConfigRuleName"]), ARN: textOf(shape["ConfigRuleArn"]), State: config.RuleActive,
		ID:     config.OutsideIDs + p.Account + "/" + p.Region + "/" + textOf(shape["ConfigRuleId"]),
		Source: config.Source{Owner: config.OwnerLambda, Identifier: "elsewhere"},
	}
}

// readRule keeps a rule and its verdicts.
func (o *outside) readRule(ctx context.Context, r config.Rule) error {
	if mine, err := o.keepRule(ctx, r); err != nil || !mine {
		return err
	}
	said := map[config.ResourceKey]bool{}
	in := map[string]any{"ConfigRuleName": r.Name, "Limit": int64(keysAtOnce)}
	err := o.pages(ctx, r.Place, "GetComplianceDetailsByConfigRule", "NextToken", in, func(out map[string]any) error {
		var verdicts []config.Verdict
		for _, shape := range objects(out["EvaluationResults"]) {
			v := outsideVerdict(r, shape)
			if v.ResourceType == "" || v.ResourceID == "" || v.Compliance != config.Compliant && v.Compliance != config.NonCompliant {
				continue
			}
			said[keyOf(r.Place, v)] = true
			verdicts = append(verdicts, v)
		}
		return o.keepVerdicts(ctx, r, verdicts)
	})
	if err != nil {
		return err
	}
	return o.forgetVerdicts(ctx, r, said)
}

// keepRule keeps a rule that is new, and reports whether it is kept: not where one
// was put here under its name. One that was deleted there and made again begins
// without verdicts.
func (o *outside) keepRule(ctx context.Context, r config.Rule) (bool, error) {
	var kept config.Rule
	err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
		kept, err = store.Rule(ctx, tx, r.Place, r.Name)
		return err
	})
	switch {
	case err == nil && kept.ID == r.ID:
		return true, nil
	case err == nil && !isOutside(kept):
		return false, nil
	case err == nil:
		err = o.forgetRule(ctx, kept)
	case errors.Is(err, store.ErrNotFound):
		err = nil
	}
	if err != nil {
		return false, err
	}
	return true, o.DB.Write(ctx, func(tx *db.Tx) error { return store.PutRule(ctx, tx, r) })
}

func (o *outside) forgetRule(ctx context.Context, r config.Rule) error {
	for more := true; more; {
		err := o.DB.Write(ctx, func(tx *db.Tx) error {
			gone, err := store.DeleteVerdicts(ctx, tx, r, keysAtOnce)
			if more = len(gone) > 0; more || err != nil {
				return err
			}
			if err := store.DeletePackRule(ctx, tx, r.ID); err != nil {
				return err
			}
			return store.DeleteRule(ctx, tx, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// outsideVerdict returns a verdict of a rule as the API has it.
func outsideVerdict(r config.Rule, shape map[string]any) config.Verdict {
	id, _ := shape["EvaluationResultIdentifier"].(map[string]any)
	of, _ := id["EvaluationResultQualifier"].(map[string]any)
	return config.Verdict{
		Rule: r.Name, Invoked: timeOf(shape["ConfigRuleInvokedTime"]), Recorded: timeOf(shape["ResultRecordedTime"]),
		Evaluation: config.Evaluation{
			ResourceType: textOf(of["ResourceType"]), ResourceID: textOf(of["ResourceId"]), Compliance: config.Compliance(textOf(shape["ComplianceType"])),
			Annotation: textOf(shape["Annotation"]), Ordering: timeOf(id["OrderingTimestamp"]),
		},
	}
}

func timeOf(v any) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, textOf(v))
	return t
}

func keyOf(p config.Place, v config.Verdict) config.ResourceKey {
	return config.ResourceKey{Place: p, Type: v.ResourceType, ID: v.ResourceID}
}

// keepVerdicts keeps those verdicts that are not as they were.
func (o *outside) keepVerdicts(ctx context.Context, r config.Rule, verdicts []config.Verdict) error {
	if len(verdicts) == 0 {
		return nil
	}
	return o.DB.Write(ctx, func(tx *db.Tx) error {
		var keys []config.ResourceKey
		for _, v := range verdicts {
			keys = append(keys, keyOf(r.Place, v))
		}
		if err := store.HoldAll(ctx, tx, r.Place, keys); err != nil {
			return err
		}
		before, err := store.RuleVerdicts(ctx, tx, r, keys)
		if err != nil {
			return err
		}
		var turned []store.NewVerdict
		for i, v := range verdicts {
			old := before[keys[i]]
			if old.Compliance != v.Compliance || old.Annotation != v.Annotation || !old.Ordering.Equal(v.Ordering) {
				turned = append(turned, store.NewVerdict{RuleID: r.ID, Old: old.Compliance, Verdict: v})
			}
		}
		if len(turned) == 0 {
			return nil
		}
		return store.PutVerdicts(ctx, tx, r.Place, turned)
	})
}

// forgetVerdicts has a rule say nothing of resources that it says nothing of there.
func (o *outside) forgetVerdicts(ctx context.Context, r config.Rule, said map[config.ResourceKey]bool) error {
	page := store.VerdictPage{Limit: keysAtOnce}
	for {
		var kept []config.Verdict
		err := o.DB.Read(ctx, func(tx *db.Tx) (err error) {
			kept, err = store.VerdictsByRule(ctx, tx, r, page)
			return err
		})
		if err != nil {
			return err
		}
		var gone []config.Verdict
		for _, v := range kept {
			page.AfterType, page.AfterID = v.ResourceType, v.ResourceID
			if !said[keyOf(r.Place, v)] {
				v.Compliance, v.Annotation = config.NotApplicable, ""
				gone = append(gone, v)
			}
		}
		if err := o.keepVerdicts(ctx, r, gone); err != nil || len(kept) < page.Limit {
			return err
		}
	}
}
