package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// The lanes of a timeline.
const (
	laneConfiguration = "configuration"
	laneVerdicts      = "verdicts"
	laneRelationships = "relationships"
	laneGap           = "gap"
)

// addTimeline tells a page of a resource's history, the newest first. items has one more
// than are told, which is what the last one changed from.
func (r *resourcePage) addTimeline(ctx context.Context, tx *db.Tx, v *visit, items []config.Item, judgments []store.Judgment) error {
	var all []entry
	for i, it := range items[:min(len(items), timelinePage)] {
		var before *config.Item
		if i+1 < len(items) {
			before = &items[i+1]
		}
		all = append(all, r.told(v, it, before)...)
	}
	from, to := r.window(v, items)
	verdicts, err := r.verdictEntries(ctx, tx, v, from, to, judgments, items)
	if err != nil {
		return err
	}
	gaps, err := recorderEntries(ctx, tx, r.Key.Place, from, to)
	if err != nil {
		return err
	}
	all = append(append(all, verdicts...), gaps...)
	slices.SortStableFunc(all, func(a, b entry) int { return b.At.Compare(a.At) })
	r.Timeline = all
	if len(items) > timelinePage {
		r.Older = v.with("before", fmt.Sprint(items[timelinePage-1].StateID))
	}
	if v.state("before") != 0 {
		r.Newer = v.with("before", "")
	}
	return nil
}

// window is the time that the page of the timeline is about.
func (r *resourcePage) window(v *visit, items []config.Item) (from, to time.Time) {
	to = v.then()
	if before := v.state("before"); before != 0 {
		to = time.UnixMilli(before).UTC()
	}
	switch {
	case len(items) > timelinePage:
		from = items[timelinePage-1].CaptureTime
	case len(items) > 0:
		from = items[len(items)-1].CaptureTime
	}
	return from, to
}

// told returns the entries of one item: of its configuration, and of its relationships.
func (r *resourcePage) told(v *visit, it config.Item, before *config.Item) []entry {
	here := r.Item != nil && r.Item.StateID == it.StateID
	e := entry{
		At: it.CaptureTime, Lane: laneConfiguration, Here: here, State: it.StateID,
		Href: v.with("rev", fmt.Sprint(it.StateID), "from", "", "blame", ""),
	}
	if before == nil || before.Status.Gone() || it.Status.Gone() || it.Status == config.StatusNotRecorded {
		e.Text = beginning(it, before)
		return []entry{e}
	}
	paths, relations := split(config.NewDiff(before, it))
	var out []entry
	if len(paths) > 0 || len(relations) == 0 {
		e.Text = sentence(paths)
		out = append(out, e)
	}
	if len(relations) > 0 {
		e.Lane, e.Text, e.Here = laneRelationships, sentence(relations), here && len(paths) == 0
		out = append(out, e)
	}
	return out
}

func beginning(it config.Item, before *config.Item) string {
	switch {
	case it.Status == config.StatusNotRecorded:
		return "its type is not recorded any more"
	case it.Status.Gone():
		return "deleted"
	case before != nil:
		return "made again"
	case it.Status == config.StatusDiscovered:
		return "discovered"
	}
	return "the oldest revision that is kept"
}

// split parts the changes of relationships from the others.
func split(d config.Diff) (paths, relations []diffLine) {
	for _, l := range linesOf(d) {
		if strings.HasPrefix(l.Path, "Relationships.") {
			relations = append(relations, l)
		} else {
			paths = append(paths, l)
		}
	}
	return paths, relations
}

// sentence tells changes in a line.
func sentence(lines []diffLine) string {
	if len(lines) == 0 {
		return "recorded again, with nothing that differs"
	}
	l := lines[0]
	name := l.Path
	if parts := strings.Split(l.Path, "."); len(parts) > 2 {
		name = strings.Join(parts[len(parts)-2:], ".")
	}
	if strings.HasPrefix(l.Path, "Relationships.") {
		name = "to"
	}
	var text string
	switch l.Type {
	case config.ChangeCreate:
		text = "+ " + name + " " + short(l.Is, 60)
	case config.ChangeDelete:
		text = "− " + name + " " + short(l.Was, 60)
	default:
		text = name + " " + short(l.Was, 40) + " → " + short(l.Is, 40)
	}
	if n := len(lines) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// noise are the last members of paths that change by themselves with each change.
var noise = []string{"LastModified", "LastModifiedDate", "LastUpdated", "UpdatedAt", "RevisionId", "ETag", "VersionId", "LastUpdateStatus", "LastUsedDate", "RoleLastUsed"}

func isNoise(path string) bool {
	return slices.Contains(noise, path[strings.LastIndexByte(path, '.')+1:]) || strings.Contains(path, ".RoleLastUsed.")
}

// linesOf returns the changes of a diff, noise last, then by path.
func linesOf(d config.Diff) []diffLine {
	var out []diffLine
	for path, c := range d.Changed {
		l := diffLine{Path: path, Type: c.Type}
		if c.Previous != nil {
			l.Was = valueText(c.Previous)
		}
		if c.Updated != nil {
			l.Is = valueText(c.Updated)
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b diffLine) int {
		if x, y := isNoise(a.Path), isNoise(b.Path); x != y {
			return map[bool]int{true: 1, false: -1}[x]
		}
		return strings.Compare(a.Path, b.Path)
	})
	return out
}

// valueText writes a value, and a relationship in words.
func valueText(v any) string {
	m, ok := v.(map[string]any)
	if kind, is := m["resourceType"].(string); ok && is {
		name, _ := m["name"].(string)
		to, _ := m["resourceId"].(string)
		if to == "" {
			to, _ = m["resourceName"].(string)
		}
		return strings.TrimSpace(name) + " " + kind + " " + to
	}
	return leaf(v)
}

// differenceOf compares two revisions.
func differenceOf(a, b config.Item) difference {
	d := difference{Old: shortTime(a.CaptureTime), New: shortTime(b.CaptureTime), Empty: "The two revisions say the same."}
	if a.Status.Gone() && !b.Status.Gone() {
		d.Empty = "The resource was deleted before this revision: all of it is new."
	}
	for _, l := range linesOf(config.NewDiff(&a, b)) {
		if isNoise(l.Path) {
			d.Noise = append(d.Noise, l)
		} else {
			d.Lines = append(d.Lines, l)
		}
	}
	if n := leaves(b.Form()["configuration"]) - len(d.Lines) - len(d.Noise); n > 0 && !b.Status.Gone() {
		d.Same = counted(int64(n), "other value is", "other values are") + " the same."
	}
	return d
}

func leaves(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += leaves(e)
		}
	case []any:
		for _, e := range v {
			n += leaves(e)
		}
	default:
		return 1
	}
	return n
}

// verdictEntries tells when verdicts turned. Where the compliance of resources is
// recorded, all turns of the window are known; else the last one of each rule.
func (r *resourcePage) verdictEntries(
	ctx context.Context, tx *db.Tx, v *visit, from, to time.Time, judgments []store.Judgment, items []config.Item,
) ([]entry, error) {
	key := config.ResourceKey{Place: r.Key.Place, Type: config.TypeResourceCompliance, ID: r.Key.Type + "/" + r.Key.ID}
	kept, err := store.History(ctx, tx, store.HistoryQuery{Key: key, From: from, To: to.Add(time.Minute), Limit: 3 * timelinePage})
	if err != nil {
		return nil, err
	}
	var out []entry
	if len(kept) > 0 {
		for i := range kept {
			after, err := verdictsIn(kept[i])
			if err != nil {
				return nil, err
			}
			before := map[string]string{}
			if i+1 < len(kept) {
				if before, err = verdictsIn(kept[i+1]); err != nil {
					return nil, err
				}
			}
			for _, rule := range sortedTags(after) {
				if before[rule] != after[rule] {
					out = append(out, r.turn(v, rule, after[rule], kept[i].CaptureTime, items))
				}
			}
		}
		return out, nil
	}
	for _, j := range judgments {
		if j.Compliance != config.NotApplicable && !j.Turned.Before(from) && !j.Turned.After(to.Add(time.Minute)) {
			out = append(out, r.turn(v, j.Rule, string(j.Compliance), j.Turned, items))
		}
	}
	return out, nil
}

// verdictsIn returns the verdicts of rules about a resource by an item of its compliance.
func verdictsIn(it config.Item) (map[string]string, error) {
	it, err := decoded(it)
	out := map[string]string{}
	form, _ := it.Configuration.(map[string]any)
	rules, _ := form["configRuleList"].([]any)
	for _, one := range rules {
		m, _ := one.(map[string]any)
		name, _ := m["configRuleName"].(string)
		verdict, _ := m["complianceType"].(string)
		out[name] = verdict
	}
	return out, err
}

func (r *resourcePage) turn(v *visit, rule, verdict string, at time.Time, items []config.Item) entry {
	e := entry{At: at, Lane: laneVerdicts, Text: rule, Verdict: verdict, Href: v.rule(r.Key.Place, rule)}
	for _, it := range items {
		if after := at.Sub(it.CaptureTime); after >= 0 {
			if after < 10*time.Minute {
				e.Note = span(after) + " after the change"
			}
			break
		}
	}
	return e
}

// recorderEntries tells when the recorder of a place was stopped and started: between
// the two nothing was noticed.
func recorderEntries(ctx context.Context, tx *db.Tx, p config.Place, from, to time.Time) ([]entry, error) {
	rec, _, err := store.Recorder(ctx, tx, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key := config.ResourceKey{Place: p, Type: config.TypeRecorder, ID: rec.Name}
	items, err := store.History(ctx, tx, store.HistoryQuery{Key: key, From: from, To: to, Limit: 50, Forward: true})
	if err != nil {
		return nil, err
	}
	var out []entry
	was := true // it ran when the first item of the window was made
	for _, it := range items {
		if it, err = decoded(it); err != nil {
			return nil, err
		}
		form, _ := it.Configuration.(map[string]any)
		runs, _ := form["recording"].(bool)
		if runs != was {
			e := entry{At: it.CaptureTime, Lane: laneGap, Text: "the recorder was stopped: nothing was noticed from here on"}
			if runs {
				e.Text = "the recorder was started again"
			}
			out = append(out, e)
		}
		was = runs
	}
	return out, nil
}
