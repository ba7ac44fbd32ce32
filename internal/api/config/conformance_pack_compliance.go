package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type packCompliances struct{ Options }

func (c packCompliances) register(s *configapi.Service) {
	s.DescribeConformancePackCompliance(c.DescribeConformancePackCompliance)
	s.GetConformancePackComplianceDetails(c.GetConformancePackComplianceDetails)
	s.GetConformancePackComplianceSummary(c.GetConformancePackComplianceSummary)
	s.ListConformancePackComplianceScores(c.ListConformancePackComplianceScores)
}

// packFilter is what the reads of one pack have in common: which of its rules, and
// which compliance.
type packFilter struct {
	pack  string
	rules []string
	kind  config.Compliance
}

func newPackFilter(pack string, rules []string, kind configapi.ConformancePackComplianceType) (packFilter, error) {
	if kind == configapi.ConformancePackComplianceTypeInsufficientData {
		return packFilter{}, configapi.InvalidParameterValueException(
			"The ComplianceType INSUFFICIENT_DATA is not allowed as a filter. Only COMPLIANT and NON_COMPLIANT are.")
	}
	return packFilter{pack, rules, config.Compliance(kind)}, nil
}

// named returns the pack's rules that the filter names, or all.
func (f packFilter) named(ctx context.Context, tx *db.Tx) ([]config.PackRule, error) {
	pack, err := conformance.Named(ctx, tx, caller.Place(ctx), f.pack)
	if err != nil {
		return nil, err
	}
	all, err := store.PackRules(ctx, tx, pack.ID)
	if err != nil || len(f.rules) == 0 {
		return all, err
	}
	for _, name := range f.rules {
		if !slices.ContainsFunc(all, func(r config.PackRule) bool { return r.Name == name }) {
			return nil, configapi.NoSuchConfigRuleInConformancePackException(
				"The ConfigRule '%s' provided in the request is not a rule of the conformance pack '%s'. Please check the configRule name.", name, f.pack)
		}
	}
	return slices.DeleteFunc(all, func(r config.PackRule) bool { return !slices.Contains(f.rules, r.Name) }), nil
}

// text returns the filter as a paging token is bound to it.
func (f packFilter) text() []string { return []string{f.pack, fmt.Sprint(f.rules), string(f.kind)} }

// DescribeConformancePackCompliance tells the compliance of a pack's rules, by
// their names.
func (c packCompliances) DescribeConformancePackCompliance(
	ctx context.Context, in *configapi.DescribeConformancePackComplianceInput,
) (*configapi.DescribeConformancePackComplianceOutput, error) {
	of := in.Filters
	if of == nil {
		of = &configapi.ConformancePackComplianceFilters{}
	}
	f, err := newPackFilter(*in.ConformancePackName, of.ConfigRuleNames, of.ComplianceType)
	if err != nil {
		return nil, err
	}
	filters := append(f.text(), caller.Place(ctx).String())
	after, ok := c.Tokens.Decode("DescribeConformancePackCompliance", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	const most = 1000
	n := limit(in.Limit, most)
	out := &configapi.DescribeConformancePackComplianceOutput{
		ConformancePackName: in.ConformancePackName, ConformancePackRuleComplianceList: []configapi.ConformancePackRuleCompliance{},
	}
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		rules, err := f.named(ctx, tx)
		if err != nil {
			return err
		}
		tallies, err := store.TallyRules(ctx, tx, packRuleIDs(rules))
		for _, r := range rules {
			t := tallies[r.ID]
			if r.Name <= after || f.kind != "" && f.kind != t.Compliance() {
				continue
			}
			list := out.ConformancePackRuleComplianceList
			if len(list) == n {
				out.NextToken = new(c.Tokens.Encode("DescribeConformancePackCompliance", *list[n-1].ConfigRuleName, filters...))
				break
			}
			out.ConformancePackRuleComplianceList = append(list, configapi.ConformancePackRuleCompliance{
				ConfigRuleName: &r.Name, ComplianceType: configapi.ConformancePackComplianceType(t.Compliance()), Controls: controls(r),
			})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe compliance of conformance pack: %w", err)
	}
	return out, nil
}

func packRuleIDs(rules []config.PackRule) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = r.ID
	}
	return out
}

// controls returns a rule's controls; without any, an empty list.
func controls(r config.PackRule) []string {
	if r.Controls == nil {
		return []string{}
	}
	return r.Controls
}

// GetConformancePackComplianceDetails returns what each rule of a pack says of each
// resource: rule by rule, as GetComplianceDetailsByConfigRule does.
func (c packCompliances) GetConformancePackComplianceDetails(
	ctx context.Context, in *configapi.GetConformancePackComplianceDetailsInput,
) (*configapi.GetConformancePackComplianceDetailsOutput, error) {
	of := in.Filters
	if of == nil {
		of = &configapi.ConformancePackEvaluationFilters{}
	}
	f, err := newPackFilter(*in.ConformancePackName, of.ConfigRuleNames, of.ComplianceType)
	if err != nil {
		return nil, err
	}
	if len(of.ResourceIds) > 0 && of.ResourceType == nil {
		return nil, configapi.InvalidParameterValueException("The ResourceType must be specified when the ResourceIds are.")
	}
	filters := append(f.text(), caller.Place(ctx).String(), text(of.ResourceType), fmt.Sprint(of.ResourceIds))
	position, ok := c.Tokens.Decode("GetConformancePackComplianceDetails", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	const most = 100
	d := &packDetails{packFilter: f, kindOf: text(of.ResourceType), ids: of.ResourceIds, most: limit(in.Limit, most) + 1}
	if position != "" {
		parts := strings.SplitN(position, "\x00", 3)
		d.afterRule, d.after.Type, d.after.ID = parts[0], parts[1], parts[2]
	}
	err = c.DB.Read(ctx, func(tx *db.Tx) error { return d.read(ctx, tx) })
	if err != nil {
		return nil, fmt.Errorf("get compliance details of conformance pack: %w", err)
	}
	out := &configapi.GetConformancePackComplianceDetailsOutput{ConformancePackName: in.ConformancePackName}
	if last := d.most - 1; len(d.found) > last {
		v := d.found[last-1]
		d.found = d.found[:last]
		out.NextToken = new(c.Tokens.Encode("GetConformancePackComplianceDetails", v.Rule+"\x00"+v.ResourceType+"\x00"+v.ResourceID, filters...))
	}
	out.ConformancePackRuleEvaluationResults = packResultShapes(d.found)
	return out, nil
}

// packDetails collects a page of verdicts, rule by rule.
type packDetails struct {
	packFilter
	kindOf    string   // of resources; empty for all
	ids       []string // of resources; none for all
	afterRule string   // the page begins in this rule, after that resource
	after     config.ResourceKey
	most      int
	found     []config.Verdict
}

func (d *packDetails) read(ctx context.Context, tx *db.Tx) error {
	rules, err := d.named(ctx, tx)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.Name < d.afterRule {
			continue
		}
		page := store.VerdictPage{Type: d.kindOf, Limit: d.most - len(d.found)}
		if d.kind != "" {
			page.Compliance = []config.Compliance{d.kind}
		}
		if r.Name == d.afterRule {
			page.AfterType, page.AfterID = d.after.Type, d.after.ID
		}
		some, err := d.ofRule(ctx, tx, r.Rule, page)
		if errors.Is(err, store.ErrNotFound) {
			return invalidNextToken() // the resource that it names is gone
		}
		if err != nil {
			return err
		}
		if d.found = append(d.found, some...); len(d.found) >= d.most {
			return nil
		}
	}
	return nil
}

// ofRule returns verdicts of one rule: a page of them, or those on the resources
// that are named, which are few.
func (d *packDetails) ofRule(ctx context.Context, tx *db.Tx, r config.Rule, page store.VerdictPage) ([]config.Verdict, error) {
	if len(d.ids) == 0 {
		return store.VerdictsByRule(ctx, tx, r, page)
	}
	var keys []config.ResourceKey
	for _, id := range slices.Compact(slices.Sorted(slices.Values(d.ids))) {
		if id > page.AfterID {
			keys = append(keys, config.ResourceKey{Place: r.Place, Type: d.kindOf, ID: id})
		}
	}
	all, err := store.RuleVerdicts(ctx, tx, r, keys)
	if err != nil {
		return nil, err
	}
	var out []config.Verdict
	for _, k := range keys {
		v, ok := all[k]
		if ok && v.Compliance != config.NotApplicable && (d.kind == "" || v.Compliance == d.kind) && len(out) < page.Limit {
			out = append(out, v)
		}
	}
	return out, nil
}

func packResultShapes(verdicts []config.Verdict) []configapi.ConformancePackEvaluationResult {
	out := make([]configapi.ConformancePackEvaluationResult, 0, len(verdicts))
	for _, r := range resultShapes(verdicts) {
		if r.ConfigRuleInvokedTime == nil { // required here
			r.ConfigRuleInvokedTime = r.ResultRecordedTime
		}
		out = append(out, configapi.ConformancePackEvaluationResult{
			ComplianceType: configapi.ConformancePackComplianceType(r.ComplianceType), EvaluationResultIdentifier: r.EvaluationResultIdentifier,
			ConfigRuleInvokedTime: r.ConfigRuleInvokedTime, ResultRecordedTime: r.ResultRecordedTime, Annotation: r.Annotation,
		})
	}
	return out
}

// GetConformancePackComplianceSummary rolls packs up: one rule that does not comply
// is enough, and rules without results are left out as long as others have some.
func (c packCompliances) GetConformancePackComplianceSummary(
	ctx context.Context, in *configapi.GetConformancePackComplianceSummaryInput,
) (*configapi.GetConformancePackComplianceSummaryOutput, error) {
	filters := append([]string{caller.Place(ctx).String()}, in.ConformancePackNames...)
	after, ok := c.Tokens.Decode("GetConformancePackComplianceSummary", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	out := &configapi.GetConformancePackComplianceSummaryOutput{}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		page, next, err := packs(ctx, tx, in.ConformancePackNames, after, limit(in.Limit, packPage), refused)
		if err != nil {
			return err
		}
		tallies, err := store.TallyConformancePacks(ctx, tx, caller.Place(ctx))
		for _, p := range page {
			out.ConformancePackComplianceSummaryList = append(out.ConformancePackComplianceSummaryList, configapi.ConformancePackComplianceSummary{
				ConformancePackName:             &p.Name,
				ConformancePackComplianceStatus: configapi.ConformancePackComplianceType(tallies[p.ID].Compliance()),
			})
		}
		if next != "" {
			out.NextToken = new(c.Tokens.Encode("GetConformancePackComplianceSummary", next, filters...))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("summarize compliance of conformance packs: %w", err)
	}
	return out, nil
}

// A score is the share of a pack's verdicts that comply, in percent; below 0 if
// there are none.
type score struct {
	pack  string
	value float64
}

func scoreOf(pack string, t store.Tally) score {
	all := t.Compliant + t.NonCompliant
	if all == 0 {
		return score{pack, -1}
	}
	return score{pack, float64(t.Compliant) * 100 / float64(all)}
}

// String prints a score as the API does.
func (s score) String() string {
	if s.value < 0 {
		return string(config.InsufficientData)
	}
	return strconv.FormatFloat(s.value, 'f', 2, 64)
}

// byName and byScore are the orders of scores; packs without a score come last.
func byName(a, b score) int { return cmp.Compare(a.pack, b.pack) }

func byScore(a, b score) int {
	if (a.value < 0) != (b.value < 0) {
		return cmp.Compare(b.value, a.value)
	}
	return cmp.Or(cmp.Compare(a.value, b.value), byName(a, b))
}

// position prints where a page ended, and parsePosition reads it again: a page goes
// on after the same score, whatever became of that pack meanwhile.
func (s score) position() string {
	return strconv.FormatFloat(s.value, 'g', -1, 64) + " " + s.pack
}

func parsePosition(text string) (s score, err error) {
	value, pack, _ := strings.Cut(text, " ")
	s.pack = pack
	s.value, err = strconv.ParseFloat(value, 64)
	return s, err
}

// ListConformancePackComplianceScores lists the scores of packs by their names, or
// by their values. They are computed from the verdicts that there are now.
func (c packCompliances) ListConformancePackComplianceScores(
	ctx context.Context, in *configapi.ListConformancePackComplianceScoresInput,
) (*configapi.ListConformancePackComplianceScoresOutput, error) {
	var names []string
	if in.Filters != nil {
		names = in.Filters.ConformancePackNames
	}
	filters := append([]string{caller.Place(ctx).String(), string(in.SortBy), string(in.SortOrder)}, names...)
	position, ok := c.Tokens.Decode("ListConformancePackComplianceScores", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	order := byName
	if in.SortBy == configapi.SortByScore {
		order = byScore
	}
	if up := order; in.SortOrder == configapi.SortOrderDescending {
		order = func(a, b score) int { return up(b, a) }
	}
	all, err := c.scores(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("list scores of conformance packs: %w", err)
	}
	slices.SortFunc(all, order)
	if position != "" {
		after, err := parsePosition(position)
		if err != nil {
			return nil, invalidNextToken()
		}
		all = slices.DeleteFunc(all, func(s score) bool { return order(s, after) <= 0 })
	}
	out := &configapi.ListConformancePackComplianceScoresOutput{ConformancePackComplianceScores: []configapi.ConformancePackComplianceScore{}}
	if n := limit(in.Limit, packPage); len(all) > n {
		all = all[:n]
		out.NextToken = new(c.Tokens.Encode("ListConformancePackComplianceScores", all[n-1].position(), filters...))
	}
	now := c.Now()
	for _, s := range all {
		out.ConformancePackComplianceScores = append(out.ConformancePackComplianceScores, configapi.ConformancePackComplianceScore{
			ConformancePackName: &s.pack, Score: new(s.String()), LastUpdatedTime: &now,
		})
	}
	return out, nil
}

// scores returns those of the named packs that there are, or of all.
func (c packCompliances) scores(ctx context.Context, names []string) (out []score, err error) {
	err = c.DB.Read(ctx, func(tx *db.Tx) error {
		all, err := store.ConformancePacks(ctx, tx, caller.Place(ctx), "", 0)
		if err != nil {
			return err
		}
		tallies, err := store.TallyConformancePacks(ctx, tx, caller.Place(ctx))
		for _, p := range all {
			if len(names) == 0 || slices.Contains(names, p.Name) {
				out = append(out, scoreOf(p.Name, tallies[p.ID]))
			}
		}
		return err
	})
	return out, err
}
