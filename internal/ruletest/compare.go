package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/rulebench"
)

// Compare says what of an answer is not as the test expects; empty if all is.
func (t Test) Compare(a rulebench.Answer) string {
	if t.Error != "" {
		if !strings.Contains(a.Error, t.Error) {
			return fmt.Sprintf("the error is %q, where %q is expected", a.Error, t.Error)
		}
		if t.Compliance == "" && t.Verdicts == nil {
			return ""
		}
	} else if a.Error != "" && !(t.Compliance == config.InsufficientData && t.Verdicts == nil) {
		return "the function failed: " + a.Error
	}
	if t.Verdicts != nil {
		return t.compareAll(a.Verdicts)
	}
	return t.compareOne(a)
}

// compareAll compares all that was reported.
func (t Test) compareAll(all []rulebench.Verdict) string {
	got := map[string]config.Compliance{}
	for _, v := range all {
		got[v.Type+" "+v.ID] = v.Compliance
	}
	var wrong []string
	for _, resource := range slices.Sorted(maps.Keys(t.Verdicts)) {
		want := t.Verdicts[resource]
		switch c, ok := got[resource]; {
		case !ok && want != None:
			wrong = append(wrong, fmt.Sprintf("nothing was reported on %s, where %s is expected", resource, want))
		case ok && c != want:
			wrong = append(wrong, fmt.Sprintf("%s is %s, where %s is expected", resource, c, want))
		}
	}
	for _, resource := range slices.Sorted(maps.Keys(got)) {
		if _, ok := t.Verdicts[resource]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s is %s, and nothing is expected of it", resource, got[resource]))
		}
	}
	return strings.Join(wrong, "; ")
}

// compareOne compares what was reported on the item; without an item, the only
// thing that was reported.
func (t Test) compareOne(a rulebench.Answer) string {
	mine := a.Verdicts
	if t.Item != nil {
		mine = slices.DeleteFunc(slices.Clone(mine), func(v rulebench.Verdict) bool { return v.Type != t.Item.Type || v.ID != t.Item.ID })
	}
	switch {
	case t.Compliance == None && len(a.Verdicts) > 0:
		return "nothing should be reported, and " + describe(a.Verdicts)
	case t.Compliance == None, t.Compliance == config.InsufficientData && len(mine) == 0:
		return ""
	case len(mine) == 0:
		return fmt.Sprintf("%s, where %s is expected", describe(a.Verdicts), t.Compliance)
	case len(mine) > 1:
		return fmt.Sprintf("%s: give verdicts in the place of compliance", describe(mine))
	}
	v := mine[0]
	if v.Compliance != t.Compliance {
		text := fmt.Sprintf("%s, where %s is expected", v.Compliance, t.Compliance)
		if v.Annotation != "" {
			text += fmt.Sprintf("; it says %q", v.Annotation)
		}
		return text
	}
	if t.Annotation != nil && v.Annotation != *t.Annotation {
		return fmt.Sprintf("the annotation is %q, where %q is expected", v.Annotation, *t.Annotation)
	}
	return ""
}
