package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumb/internal/db"
)

// What a large place is held against: how long a page of a list and a summary may
// take, how much longer the first evaluation may take for each resource than in a
// place of a tenth, and how much of its JSON an item may take in the store.
const (
	maxPage     = 5 * time.Millisecond
	maxSummary  = 5 * time.Millisecond
	maxSteeper  = 1.2
	maxPacked   = 0.25
	scaledRules = 20
	// scaledPages is how many pages of a list are read at most: its first ones, and
	// all of a list that has fewer.
	scaledPages = 2000
)

// scale measures a place with many resources and 20 rules: what the first evaluation
// takes, how large the store is, and what each page and each summary takes.
func scale(ctx context.Context, b *bench) error {
	tenth, err := b.scaleOnce(ctx, b.resources/10, nil)
	if err != nil {
		return err
	}
	_, err = b.scaleOnce(ctx, b.resources, &tenth)
	return err
}

// scaleOnce fills a server with n resources and measures it. It returns the
// processor time that the first evaluation took for each verdict. Without that of a tenth, nothing else is
// measured.
func (b *bench) scaleOnce(ctx context.Context, n int, tenth *time.Duration) (each time.Duration, err error) {
	s, err := b.newServer(ctx)
	if err != nil {
		return 0, err
	}
	d, err := db.Open(ctx, s.store, b.log())
	if err != nil {
		return 0, err
	}
	b.atEnd(d.Close)
	if err := s.startRecorder(ctx, queriedTypes...); err != nil {
		return 0, err
	}
	empty, err := d.Size(ctx)
	if err != nil {
		return 0, err
	}
	if err := populate(ctx, d, benchPlace, n); err != nil {
		return 0, err
	}
	if err := analyze(ctx, d); err != nil {
		return 0, err
	}
	full, err := d.Size(ctx)
	if err != nil {
		return 0, err
	}
	if each, err = b.firstEvaluation(ctx, s, n); err != nil || tenth == nil {
		return each, err
	}
	b.table.limit(fmt.Sprintf("first evaluation of %d resources by %d rules, processor time of a verdict", n, scaledRules), "µs", float64(each.Microseconds()),
		maxSteeper*float64(tenth.Microseconds()))
	if err := b.sizes(ctx, d, n, full-empty); err != nil {
		return 0, err
	}
	return each, b.scaledReads(ctx, s, n)
}

// firstEvaluation puts the rules, five of each type, and returns the processor time of each first verdict.
func (b *bench) firstEvaluation(ctx context.Context, s *server, n int) (each time.Duration, err error) {
	before := processorTime()
	for i := range scaledRules {
		err := s.call(ctx, "PutConfigRule", map[string]any{"ConfigRule": map[string]any{
			"ConfigRuleName": fmt.Sprintf("rule-%02d", i), "Source": map[string]any{"Owner": "AWS", "SourceIdentifier": "REQUIRED_TAGS"},
			"InputParameters": fmt.Sprintf(`{"tag1Key": "owner", "tag1Value": "team-%d"}`, i),
			"Scope":           map[string]any{"ComplianceResourceTypes": []string{queriedTypes[i%len(queriedTypes)]}},
		}}, nil)
		if err != nil {
			return 0, err
		}
	}
	if err := s.app.Drain(ctx); err != nil {
		return 0, err
	}
	return (processorTime() - before) / time.Duration(n*scaledRules/len(queriedTypes)), nil
}

// sizes says what an item and its verdicts take.
func (b *bench) sizes(ctx context.Context, d *db.DB, n int, items int64) error {
	body, err := json.Marshal(queriedItem(benchPlace, n/2))
	if err != nil {
		return err
	}
	whole, err := d.Size(ctx)
	if err != nil {
		return err
	}
	b.table.limit(fmt.Sprintf("first version of each of %d items of %d bytes of JSON, current and queryable, an item", n, len(body)), "bytes", float64(items)/float64(n), 0)
	b.table.limit("the same with verdicts of 5 rules, an item", "bytes", float64(whole)/float64(n), 0)
	return nil
}

// scaledReads reads every page of every list, and every summary many times.
func (b *bench) scaledReads(ctx context.Context, s *server, n int) error {
	for _, list := range []struct {
		operation string
		in        map[string]any
		token     string
	}{
		{"ListDiscoveredResources", map[string]any{"resourceType": queriedTypes[0], "limit": 100}, "nextToken"},
		{"DescribeComplianceByResource", map[string]any{"Limit": 100}, "NextToken"},
		{"DescribeComplianceByResource", map[string]any{"ComplianceTypes": []string{"COMPLIANT"}, "Limit": 100}, "NextToken"},
		{"GetComplianceDetailsByConfigRule", map[string]any{"ConfigRuleName": "rule-00", "Limit": 100}, "NextToken"},
		{"GetComplianceDetailsByConfigRule", map[string]any{"ConfigRuleName": "rule-00", "ComplianceTypes": []string{"COMPLIANT"}, "Limit": 100}, "NextToken"},
		{"SelectResourceConfig", map[string]any{"Expression": "SELECT resourceId, configuration.size WHERE resourceType = '" + queriedTypes[1] + "'", "Limit": 100}, "NextToken"},
	} {
		took, whole, err := s.pages(ctx, list.operation, list.in, list.token)
		if err != nil {
			return fmt.Errorf("%s: %w", list.operation, err)
		}
		what := "all pages"
		if !whole {
			what = fmt.Sprintf("the first %d pages", len(took))
		}
		if _, filtered := list.in["ComplianceTypes"]; filtered {
			what += ", of one compliance type"
		}
		b.table.latencies(fmt.Sprintf("%s of %d resources, %s", list.operation, n, what), took, maxPage)
	}
	for _, summary := range []struct {
		operation string
		in        map[string]any
	}{
		{"GetDiscoveredResourceCounts", map[string]any{}},
		{"GetComplianceSummaryByConfigRule", map[string]any{}},
		{"GetComplianceSummaryByResourceType", map[string]any{"ResourceTypes": queriedTypes}},
		{"DescribeComplianceByConfigRule", map[string]any{}},
	} {
		var took []time.Duration
		for range 200 {
			began := time.Now()
			if err := s.call(ctx, summary.operation, summary.in, nil); err != nil {
				return fmt.Errorf("%s: %w", summary.operation, err)
			}
			took = append(took, time.Since(began))
		}
		b.table.latencies(fmt.Sprintf("%s of %d resources", summary.operation, n), took, maxSummary)
	}
	return nil
}

// pages reads a list page by page. whole reports whether it came to the end.
func (s *server) pages(ctx context.Context, operation string, in map[string]any, token string) (took []time.Duration, whole bool, err error) {
	for len(took) < scaledPages {
		var out map[string]json.RawMessage
		began := time.Now()
		if err := s.call(ctx, operation, in, &out); err != nil {
			return nil, false, err
		}
		took = append(took, time.Since(began))
		next, more := out[token]
		if !more {
			return took, true, nil
		}
		in[token] = next
	}
	return took, false, nil
}
