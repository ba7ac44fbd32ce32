package crashtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// newestItem returns the newest item of a subject.
func (c *check) newestItem(s *subject) (it configtypes.ConfigurationItem, ok bool) {
	for v, i := range c.items {
		if v.resourceType == s.resourceType && v.id == s.id && (!ok || i.ConfigurationItemCaptureTime.After(*it.ConfigurationItemCaptureTime)) {
			it, ok = i, true
		}
	}
	return it, ok
}

// results returns a rule's verdicts by resource.
func (c *check) results(rule string) map[[2]string]configtypes.EvaluationResult {
	out := map[[2]string]configtypes.EvaluationResult{}
	p := configservice.NewGetComplianceDetailsByConfigRulePaginator(c.config, &configservice.GetComplianceDetailsByConfigRuleInput{
		ConfigRuleName: &rule, Limit: 100,
		ComplianceTypes: []configtypes.ComplianceType{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"},
	})
	for p.HasMorePages() {
		page, err := p.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, r := range page.EvaluationResults {
			q := r.EvaluationResultIdentifier.EvaluationResultQualifier
			out[[2]string{*q.ResourceType, *q.ResourceId}] = r
		}
	}
	return out
}

// expected is the verdict of a rule on an item, "" for none or not applicable.
func expected(rule string, it configtypes.ConfigurationItem) string {
	n, has := serialOf(it)
	switch {
	case isGone(it):
		return ""
	case rule == ruleVolumes && string(it.ResourceType) == typeVolume:
		return string(even(n))
	case rule == ruleTags && string(it.ResourceType) == typeBucket && has:
		return string(even(n))
	case rule == ruleTags && slices.Contains([]string{typeBucket, typeVolume}, string(it.ResourceType)):
		return "NON_COMPLIANT" // without tags
	case rule == ruleJudge && has:
		return string(even(n))
	}
	return ""
}

// verdicts: every rule's verdict on every resource is that on its newest item.
func (c *check) verdicts() {
	for _, rule := range []string{ruleVolumes, ruleTags, ruleJudge} {
		results := c.results(rule)
		for _, s := range c.subjects {
			it, ok := c.newestItem(s)
			if !ok {
				continue
			}
			r, has := results[[2]string{s.resourceType, s.id}]
			got := string(r.ComplianceType)
			if got == "NOT_APPLICABLE" {
				got = ""
			}
			c.count["verdicts"]++
			if want := expected(rule, it); got != want {
				c.failf("verdict", "%s on %s %s is %q, its newest item says %q", rule, s.resourceType, s.id, got, want)
			}
			if rule == ruleJudge {
				c.current(s, it, r, has)
			}
		}
	}
}

// current checks that the function's verdict was made from the newest item.
func (c *check) current(s *subject, it configtypes.ConfigurationItem, r configtypes.EvaluationResult, has bool) {
	n, ok := serialOf(it)
	if isGone(it) || !ok {
		if has {
			c.failf("old verdict", "%s on %s %s was made from serial %s, its newest item has none", ruleJudge, s.resourceType, s.id, aws.ToString(r.Annotation))
		}
		return // NOT_APPLICABLE is not shown
	}
	if !has {
		c.failf("verdict", "%s has none on %s %s", ruleJudge, s.resourceType, s.id)
		return
	}
	want := strconv.Itoa(n)
	if got := aws.ToString(r.Annotation); got != want {
		c.failf("old verdict", "%s on %s %s was made from serial %s, its newest item is %s", ruleJudge, s.resourceType, s.id, got, want)
	}
	if made, captured := r.EvaluationResultIdentifier.OrderingTimestamp.Unix(), it.ConfigurationItemCaptureTime.Unix(); made < captured {
		c.failf("old verdict", "%s on %s %s is of %d, its newest item of %d", ruleJudge, s.resourceType, s.id, made, captured)
	}
}

// transitionsOfVerdicts: the topic told of every change of a compliance. For
// in-process rules the items say which those are; for the function's the
// messages must form a chain up to the present verdict.
func (c *check) transitionsOfVerdicts() {
	byKey := map[[3]string][]transition{}
	for tr := range c.transitions {
		k := [3]string{tr.rule, tr.resourceType, tr.id}
		byKey[k] = append(byKey[k], tr)
	}
	for _, rule := range []string{ruleVolumes, ruleTags, ruleJudge} {
		results := c.results(rule)
		for _, s := range c.subjects {
			chain := byKey[[3]string{rule, s.resourceType, s.id}]
			slices.SortFunc(chain, func(a, b transition) int { return strings.Compare(a.newAt+a.oldAt, b.newAt+b.oldAt) })
			c.count["transitions"] += len(chain)
			c.chain(rule, s, chain, string(results[[2]string{s.resourceType, s.id}].ComplianceType))
			if rule != ruleJudge {
				c.changes(rule, s, chain)
			}
		}
	}
}

// chain checks that each message goes on where the one before it ended.
func (c *check) chain(rule string, s *subject, chain []transition, now string) {
	at := ""
	for _, tr := range chain {
		if plain(tr.old) != plain(at) {
			c.failf("compliance message", "%s on %s %s: one is missing between %q and %q: %v", rule, s.resourceType, s.id, at, tr.old, chain)
			return
		}
		at = tr.new
	}
	if plain(at) != plain(now) {
		c.failf("compliance message", "%s on %s %s: the last one says %q, and the verdict is %q", rule, s.resourceType, s.id, at, now)
	}
}

func plain(compliance string) string {
	if compliance == "NOT_APPLICABLE" {
		return ""
	}
	return compliance
}

// changes checks that the messages are as many as the items' verdicts changed.
func (c *check) changes(rule string, s *subject, chain []transition) {
	var items []configtypes.ConfigurationItem
	for v, it := range c.items {
		if v.resourceType == s.resourceType && v.id == s.id {
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b configtypes.ConfigurationItem) int {
		return a.ConfigurationItemCaptureTime.Compare(*b.ConfigurationItemCaptureTime)
	})
	at, want := "", 0
	for _, it := range items {
		if next := expected(rule, it); next != at {
			at = next
			want++
		}
	}
	if len(chain) != want {
		c.failf("compliance message", "%s on %s %s: %d messages for %d changes", rule, s.resourceType, s.id, len(chain), want)
	}
}
