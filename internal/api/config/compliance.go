package config

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

type compliances struct{ Options }

func (c compliances) register(s *configapi.Service) {
	s.DescribeComplianceByConfigRule(c.DescribeComplianceByConfigRule)
	s.DescribeComplianceByResource(c.DescribeComplianceByResource)
	s.GetComplianceDetailsByConfigRule(c.GetComplianceDetailsByConfigRule)
	s.GetComplianceDetailsByResource(c.GetComplianceDetailsByResource)
}

// The caps of contributor counts.
const (
	ruleCap     = 25
	resourceCap = 100
)

// DescribeComplianceByConfigRule tells the compliance of the named rules, or of
// all of them in pages.
func (c compliances) DescribeComplianceByConfigRule(
	ctx context.Context, in *configapi.DescribeComplianceByConfigRuleInput,
) (*configapi.DescribeComplianceByConfigRuleOutput, error) {
	wanted, err := wantedCompliances(in.ComplianceTypes, config.NotApplicable)
	if err != nil {
		return nil, err
	}
	p := caller.Place(ctx)
	filters := []string{p.String(), fmt.Sprint(wanted)}
	after, ok := c.Tokens.Decode("DescribeComplianceByConfigRule", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	out := &configapi.DescribeComplianceByConfigRuleOutput{ComplianceByConfigRules: []configapi.ComplianceByConfigRule{}}
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := namedRules(ctx, tx, p, in.ConfigRuleNames, after, rulePage)
		if err != nil {
			return err
		}
		if len(in.ConfigRuleNames) == 0 && len(rules) > rulePage {
			rules = rules[:rulePage]
			out.NextToken = new(c.Tokens.Encode("DescribeComplianceByConfigRule", rules[rulePage-1].Name, filters...))
		}
		tallies, err := store.TallyRules(ctx, tx, ids(rules))
		if err != nil {
			return err
		}
		for _, r := range rules {
			if t := tallies[r.ID]; len(wanted) == 0 || slices.Contains(wanted, t.Compliance()) {
				out.ComplianceByConfigRules = append(out.ComplianceByConfigRules,
					configapi.ComplianceByConfigRule{ConfigRuleName: &r.Name, Compliance: complianceShape(t, resourceCap)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe compliance by rule: %w", err)
	}
	return out, nil
}

func ids(rules []config.Rule) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = r.ID
	}
	return out
}

// wantedCompliances returns the filter of a read, in which some values have no
// place.
func wantedCompliances(in []configapi.ComplianceType, not ...config.Compliance) ([]config.Compliance, error) {
	out := typed[config.Compliance](plain(in))
	for _, c := range out {
		if slices.Contains(not, c) {
			return nil, configapi.InvalidParameterValueException("The ComplianceType %s is not allowed in the ComplianceTypes of this request.", c)
		}
	}
	return out, nil
}

// complianceShape rolls a tally up. Only what does not comply is counted.
func complianceShape(t store.Tally, most int64) *configapi.Compliance {
	out := &configapi.Compliance{ComplianceType: configapi.ComplianceType(t.Compliance())}
	if t.NonCompliant > 0 {
		out.ComplianceContributorCount = capped(t.NonCompliant, most)
	}
	return out
}

func capped(n, most int64) *configapi.ComplianceContributorCount {
	return &configapi.ComplianceContributorCount{CappedCount: new(int32(min(n, most))), CapExceeded: new(n > most)}
}

// DescribeComplianceByResource tells the compliance of resources in the order of
// type and id. One that is asked for by its id is told even without results.
func (c compliances) DescribeComplianceByResource(
	ctx context.Context, in *configapi.DescribeComplianceByResourceInput,
) (*configapi.DescribeComplianceByResourceOutput, error) {
	wanted, err := wantedCompliances(in.ComplianceTypes, config.NotApplicable)
	if err != nil {
		return nil, err
	}
	if in.ResourceId != nil && in.ResourceType == nil {
		return nil, configapi.InvalidParameterValueException("The ResourceType must be specified when the ResourceId is.")
	}
	p, n := caller.Place(ctx), limit(in.Limit, 10)
	q := store.TallyQuery{Type: text(in.ResourceType), ID: text(in.ResourceId), Compliance: wanted, Limit: n + 1}
	filters := []string{p.String(), q.Type, q.ID, fmt.Sprint(wanted)}
	position, ok := c.Tokens.Decode("DescribeComplianceByResource", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	q.AfterType, q.AfterID, _ = strings.Cut(position, "\x00")
	var found []store.ResourceTally
	err = c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.TallyResources(ctx, tx, p, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe compliance by resource: %w", err)
	}
	if len(found) == 0 && q.ID != "" && position == "" && (len(wanted) == 0 || slices.Contains(wanted, config.InsufficientData)) {
		found = []store.ResourceTally{{Type: q.Type, ID: q.ID}}
	}
	out := &configapi.DescribeComplianceByResourceOutput{ComplianceByResources: []configapi.ComplianceByResource{}}
	if len(found) > n {
		found = found[:n]
		out.NextToken = new(c.Tokens.Encode("DescribeComplianceByResource", found[n-1].Type+"\x00"+found[n-1].ID, filters...))
	}
	for _, t := range found {
		out.ComplianceByResources = append(out.ComplianceByResources,
			configapi.ComplianceByResource{ResourceType: &t.Type, ResourceId: &t.ID, Compliance: complianceShape(t.Tally, ruleCap)})
	}
	return out, nil
}

// GetComplianceDetailsByConfigRule returns what a rule says of each resource.
func (c compliances) GetComplianceDetailsByConfigRule(
	ctx context.Context, in *configapi.GetComplianceDetailsByConfigRuleInput,
) (*configapi.GetComplianceDetailsByConfigRuleOutput, error) {
	wanted, err := wantedCompliances(in.ComplianceTypes, config.InsufficientData)
	if err != nil {
		return nil, err
	}
	p, n := caller.Place(ctx), limit(in.Limit, 10)
	filters := []string{p.String(), *in.ConfigRuleName, fmt.Sprint(wanted)}
	position, ok := c.Tokens.Decode("GetComplianceDetailsByConfigRule", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	page := store.VerdictPage{Compliance: wanted, Limit: n + 1}
	page.AfterType, page.AfterID, _ = strings.Cut(position, "\x00")
	var verdicts []config.Verdict
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := rule.Named(ctx, tx, p, *in.ConfigRuleName)
		if err != nil {
			return err
		}
		verdicts, err = store.VerdictsByRule(ctx, tx, r, page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get details by rule: %w", err)
	}
	out := &configapi.GetComplianceDetailsByConfigRuleOutput{}
	if len(verdicts) > n {
		verdicts = verdicts[:n]
		out.NextToken = new(c.Tokens.Encode("GetComplianceDetailsByConfigRule", verdicts[n-1].ResourceType+"\x00"+verdicts[n-1].ResourceID, filters...))
	}
	out.EvaluationResults = resultShapes(verdicts)
	return out, nil
}

// detailPage is the page size of GetComplianceDetailsByResource, which has no
// limit.
const detailPage = 100

// GetComplianceDetailsByResource returns what each rule says of a resource.
func (c compliances) GetComplianceDetailsByResource(
	ctx context.Context, in *configapi.GetComplianceDetailsByResourceInput,
) (*configapi.GetComplianceDetailsByResourceOutput, error) {
	wanted, err := wantedCompliances(in.ComplianceTypes, config.InsufficientData)
	if err != nil {
		return nil, err
	}
	if in.ResourceEvaluationId != nil {
		if in.ResourceType != nil || in.ResourceId != nil {
			return nil, configapi.InvalidParameterValueException("Either ResourceType and ResourceId must be specified, or ResourceEvaluationId.")
		}
		return c.proactiveDetails(ctx, in, wanted)
	}
	if in.ResourceType == nil || in.ResourceId == nil {
		return nil, configapi.InvalidParameterValueException("Both ResourceType and ResourceId must be specified, or ResourceEvaluationId.")
	}
	key := config.ResourceKey{Place: caller.Place(ctx), Type: *in.ResourceType, ID: *in.ResourceId}
	filters := []string{key.String(), fmt.Sprint(wanted)}
	after, ok := c.Tokens.Decode("GetComplianceDetailsByResource", text(in.NextToken), filters...)
	if !ok { // this operation has no error for tokens
		return nil, configapi.InvalidParameterValueException("The nextToken provided is invalid")
	}
	var verdicts []config.Verdict
	err = c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		verdicts, err = store.VerdictsByResource(ctx, tx, key, store.VerdictPage{Compliance: wanted, AfterRule: after, Limit: detailPage + 1})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get details by resource: %w", err)
	}
	out := &configapi.GetComplianceDetailsByResourceOutput{}
	if len(verdicts) > detailPage {
		verdicts = verdicts[:detailPage]
		out.NextToken = new(c.Tokens.Encode("GetComplianceDetailsByResource", verdicts[detailPage-1].Rule, filters...))
	}
	out.EvaluationResults = resultShapes(verdicts)
	return out, nil
}

func resultShapes(verdicts []config.Verdict) []configapi.EvaluationResult {
	out := make([]configapi.EvaluationResult, 0, len(verdicts))
	for _, v := range verdicts {
		out = append(out, configapi.EvaluationResult{
			EvaluationResultIdentifier: &configapi.EvaluationResultIdentifier{
				EvaluationResultQualifier: &configapi.EvaluationResultQualifier{
					ConfigRuleName: &v.Rule, ResourceType: &v.ResourceType, ResourceId: &v.ResourceID,
					EvaluationMode: configapi.EvaluationModeDetective,
				},
				OrderingTimestamp: &v.Ordering,
			},
			ComplianceType: configapi.ComplianceType(v.Compliance), Annotation: optional(v.Annotation),
			ResultRecordedTime: &v.Recorded, ConfigRuleInvokedTime: model.Moment(v.Invoked),
		})
	}
	return out
}
