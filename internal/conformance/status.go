package conformance

import (
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/store"
)

// Reason returns what there is to say about a pack: why it failed, or what its
// rules do not do although they were made.
func (p *Packs) Reason(pack store.PackWithStatus, rules []config.PackRule) string {
	parts := []string{}
	if pack.Status.Reason != "" {
		parts = append(parts, pack.Status.Reason)
	}
	if missing := p.withoutEvaluator(rules); pack.Status.State == config.PackCreated && len(missing) > 0 {
		parts = append(parts, "There is no evaluator for these rules, so they give no verdict: "+listed(missing, maxReason/2)+".")
	}
	return cut(strings.Join(parts, " "))
}

func (p *Packs) withoutEvaluator(rules []config.PackRule) (names []string) {
	for _, r := range rules {
		if !p.Rules.Evaluates(r.Rule) {
			names = append(names, r.Name)
		}
	}
	return names
}

// listed names as many as there is room for, and counts the others.
func listed(names []string, room int) string {
	var b strings.Builder
	for i, n := range names {
		if b.Len()+len(n) > room {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n)
	}
	return b.String()
}
