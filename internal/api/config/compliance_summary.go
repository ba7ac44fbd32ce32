package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type complianceSummaries struct{ Options }

func (c complianceSummaries) register(s *configapi.Service) {
	s.GetComplianceSummaryByConfigRule(c.GetComplianceSummaryByConfigRule)
	s.GetComplianceSummaryByResourceType(c.GetComplianceSummaryByResourceType)
}

// GetComplianceSummaryByConfigRule counts the rules that comply and those that do
// not, each up to 25. Rules without a verdict are in neither count.
func (c complianceSummaries) GetComplianceSummaryByConfigRule(
	ctx context.Context, _ *configapi.GetComplianceSummaryByConfigRuleInput,
) (*configapi.GetComplianceSummaryByConfigRuleOutput, error) {
	var n store.Tally
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := store.Rules(ctx, tx, caller.Place(ctx), "", 0)
		if err != nil {
			return err
		}
		tallies, err := store.TallyRules(ctx, tx, ids(rules))
		for _, t := range tallies {
			n.Count(t.Compliance())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("summarize compliance by rule: %w", err)
	}
	return &configapi.GetComplianceSummaryByConfigRuleOutput{ComplianceSummary: c.summary(n, ruleCap)}, nil
}

func (c complianceSummaries) summary(n store.Tally, most int64) *configapi.ComplianceSummary {
	return &configapi.ComplianceSummary{
		CompliantResourceCount: capped(n.Compliant, most), NonCompliantResourceCount: capped(n.NonCompliant, most),
		ComplianceSummaryTimestamp: new(c.Now()),
	}
}

// GetComplianceSummaryByResourceType counts the resources that comply and those
// that do not, each up to 100: of each type that is named, or of all together.
func (c complianceSummaries) GetComplianceSummaryByResourceType(
	ctx context.Context, in *configapi.GetComplianceSummaryByResourceTypeInput,
) (*configapi.GetComplianceSummaryByResourceTypeOutput, error) {
	out := &configapi.GetComplianceSummaryByResourceTypeOutput{
		ComplianceSummariesByResourceType: []configapi.ComplianceSummaryByResourceType{},
	}
	types := in.ResourceTypes
	if len(types) == 0 {
		types = []string{""}
	}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		for _, t := range types {
			n, err := store.TallyType(ctx, tx, caller.Place(ctx), t)
			if err != nil {
				return err
			}
			out.ComplianceSummariesByResourceType = append(out.ComplianceSummariesByResourceType,
				configapi.ComplianceSummaryByResourceType{ResourceType: optional(t), ComplianceSummary: c.summary(n, resourceCap)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("summarize compliance by type: %w", err)
	}
	return out, nil
}
