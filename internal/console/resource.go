package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Bounds of what one page of a resource reads.
const (
	timelinePage = 20
	maxVerdicts  = 500
	maxBlame     = 1000 // items that are looked through for the last change of a path
	blamePage    = 50
)

// A resourcePage is one resource: how it came to be what it is, one revision of it, what
// rules say of it, and what is next to it.
type resourcePage struct {
	Key      config.ResourceKey
	Item     *config.Item // the chosen revision; nil if there is none
	Gone     bool
	Facts    []fact
	Tags     []fact
	Warnings []string

	Timeline     []entry
	Older        string // addresses
	Newer        string
	Prev, Next   string // revisions
	DiffHref     string
	Diff         difference
	DiffTitle    string
	Compared     []entry // what the revision can be compared with
	Blame        *blame
	Tree         []branch
	Verdicts     []judged
	Neighbors    *table
	Graph        *graph
	Evaluate     string // the action; empty if there is none
	CSRF, Back   string
	RelationNote string
	Bench        string // the address of the rule bench, with this resource; empty if there is none
}

type fact struct{ Name, Value, Href, Class string }

// resourceKey is the resource that the address names.
func (v *visit) resourceKey() (config.ResourceKey, error) {
	p, err := v.place()
	k := config.ResourceKey{Place: p, Type: v.q.Get("type"), ID: v.q.Get("id")}
	if err == nil && (k.Type == "" || k.ID == "") {
		err = wrong("The address names no resource: want account, region, type and id.")
	}
	return k, err
}

func showResource(v *visit) (*page, error) {
	key, err := v.resourceKey()
	if err != nil {
		return nil, err
	}
	r := &resourcePage{Key: key, CSRF: v.csrf(), Back: v.with()}
	if v.c.development() {
		r.Bench = v.link("bench", "account", key.Account, "region", key.Region, "type", key.Type, "id", key.ID)
	}
	err = v.read(func(ctx context.Context, tx *db.Tx) error { return r.read(ctx, tx, v) })
	if err != nil {
		return nil, err
	}
	if err := r.addReasons(v); err != nil {
		return nil, err
	}
	name := key.ID
	if r.Item != nil && r.Item.Name != "" {
		name = r.Item.Name
	}
	t := &table{Columns: []col{{Name: "at"}, {Name: "lane"}, {Name: "what"}, {Name: "verdict"}, {Name: "note"}}}
	for _, e := range r.Timeline {
		t.Rows = append(t.Rows, row{Cells: []cell{{Kind: "time", At: e.At, Text: shortTime(e.At)}, plain(e.Lane), plain(e.Text), plain(e.Verdict), plain(e.Note)}})
	}
	p := &page{Title: name, Template: "resource", Data: r, Table: t, Calls: resourceCalls(v, key)}
	if r.Item != nil {
		p.JSON = *r.Item
	}
	p.AtNote = "The timeline ends then, and the revision is the one of that moment. Verdicts with their reasons are those of now."
	return p, nil
}

func resourceCalls(v *visit, k config.ResourceKey) []call {
	at := ""
	if v.past() {
		at = v.at.Format(time.RFC3339)
	}
	return []call{
		v.cli(k.Account, k.Region, "configservice get-resource-config-history", "resource-type", k.Type, "resource-id", k.ID, "later-time", at),
		v.cli(k.Account, k.Region, "configservice get-compliance-details-by-resource", "resource-type", k.Type, "resource-id", k.ID),
		sql("SELECT * WHERE accountId = " + sqlText(k.Account) + " AND resourceType = " + sqlText(k.Type) + " AND resourceId = " + sqlText(k.ID)),
	}
}

func (r *resourcePage) read(ctx context.Context, tx *db.Tx, v *visit) error {
	judgments, err := store.JudgmentsOn(ctx, tx, r.Key, maxVerdicts)
	if err != nil {
		return err
	}
	items, err := r.history(ctx, tx, v)
	if err != nil {
		return err
	}
	if len(items) == 0 && len(judgments) == 0 {
		return missing("Nothing was recorded of " + r.Key.Type + " " + r.Key.ID + " in " + r.Key.Place.String() + until(v) + ".")
	}
	for _, j := range judgments {
		r.Verdicts = append(r.Verdicts, judgedBy(v, j))
	}
	if err := r.choose(ctx, tx, v, items); err != nil {
		return err
	}
	if err := r.addTimeline(ctx, tx, v, items, judgments); err != nil {
		return err
	}
	if err := r.addWho(ctx, tx, items); err != nil {
		return err
	}
	if err := r.addFacts(ctx, tx, v); err != nil {
		return err
	}
	if err := r.addNeighbors(ctx, tx, v); err != nil {
		return err
	}
	return r.addBlame(ctx, tx, v)
}

func until(v *visit) string {
	if v.past() {
		return " until " + shortTime(v.at)
	}
	return ""
}

// history returns the items of a page of the timeline, and the one before them.
func (r *resourcePage) history(ctx context.Context, tx *db.Tx, v *visit) ([]config.Item, error) {
	q := store.HistoryQuery{Key: r.Key, To: v.then(), Limit: timelinePage + 1, After: v.state("before")}
	if !v.past() {
		q.To = endOfTime
	}
	items, err := store.History(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i], err = decoded(items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// endOfTime is later than any item.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// state reads a state id of the address; 0 if there is none.
func (v *visit) state(name string) int64 {
	n, err := strconv.ParseInt(v.q.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// decoded returns an item whose configuration can be looked into.
func decoded(it config.Item) (config.Item, error) {
	text, ok := it.Configuration.(json.RawMessage)
	if !ok {
		return it, nil
	}
	value, err := config.Decode(text)
	it.Configuration = value
	return it, err
}

// choose takes the revision that the address names, or the newest, and compares it.
func (r *resourcePage) choose(ctx context.Context, tx *db.Tx, v *visit, items []config.Item) error {
	switch id := v.state("rev"); {
	case id != 0:
		it, err := store.ItemVersion(ctx, tx, config.VersionKey{ResourceKey: r.Key, StateID: id})
		if err != nil {
			return err
		}
		r.Item = &it
	case len(items) > 0:
		r.Item = &items[0]
		if v.state("before") != 0 {
			r.Item = nil
			if it, err := store.AsOfOne(ctx, tx, r.Key, v.then()); err == nil {
				r.Item = &it
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	if r.Item == nil {
		return nil
	}
	r.Gone = r.Item.Status.Gone()
	form := r.Item.Form()
	shown := map[string]any{"configuration": form["configuration"], "supplementaryConfiguration": form["supplementaryConfiguration"], "tags": form["tags"]}
	r.Tree = treeOf(shown, func(path string) string { return v.with("blame", path) + "#blame" })
	return r.compare(ctx, tx, v)
}

// compare finds what differs between the revision and the one before it, or the one
// that the address names.
func (r *resourcePage) compare(ctx context.Context, tx *db.Tx, v *visit) error {
	this := r.Item.Version()
	before, err := store.ItemBefore(ctx, tx, this)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	} else if err == nil {
		r.Prev = v.with("rev", fmt.Sprint(before.StateID), "from", "", "blame", "")
	}
	if err != nil {
		return err
	}
	next, err := store.History(ctx, tx, store.HistoryQuery{Key: r.Key, To: endOfTime, After: this.StateID, Forward: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(next) > 0 {
		r.Next = v.with("rev", fmt.Sprint(next[0].StateID), "from", "", "blame", "", "at", "")
	}
	base, title := before, "What changed with this revision"
	if from := v.state("from"); from != 0 && from != this.StateID {
		if base, err = store.ItemVersion(ctx, tx, config.VersionKey{ResourceKey: r.Key, StateID: from}); err != nil {
			return err
		}
		title = "From " + shortTime(base.CaptureTime) + " to " + shortTime(r.Item.CaptureTime)
	}
	r.DiffTitle, r.DiffHref = title, v.with("from", cmp.Or(nonZero(before.StateID), ""), "rev", fmt.Sprint(this.StateID))
	if base.StateID == 0 {
		r.Diff = difference{Empty: "This is the first revision that is kept: there is nothing before it."}
		return nil
	}
	r.Diff = differenceOf(base, *r.Item)
	return nil
}

func nonZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// addFacts says what is known beside the configuration, and what is not.
func (r *resourcePage) addFacts(ctx context.Context, tx *db.Tx, v *visit) error {
	r.Facts = []fact{{Name: "type", Value: r.Key.Type}, {Name: "account", Value: r.Key.Account}, {Name: "region", Value: r.Key.Region}}
	var good, bad int64
	for _, j := range r.Verdicts {
		switch j.Compliance {
		case config.NonCompliant:
			bad++
		case config.Compliant:
			good++
		}
	}
	switch {
	case bad > 0:
		r.Facts = append(r.Facts, fact{Name: "verdicts", Value: fmt.Sprintf("%d non-compliant, %d compliant", bad, good), Class: "bad"})
	case good > 0:
		r.Facts = append(r.Facts, fact{Name: "verdicts", Value: counted(good, "rule says compliant", "rules say compliant"), Class: "good"})
	default:
		r.Facts = append(r.Facts, fact{Name: "verdicts", Value: "no rule says anything"})
	}
	reading, err := store.ReadingOf(ctx, tx, r.Key.Place, r.Key.Type)
	if err != nil {
		return err
	}
	r.addReading(v, reading)
	if err := r.addRecorder(ctx, tx); err != nil {
		return err
	}
	if r.Item == nil {
		r.Warnings = append(r.Warnings, "A rule speaks of this resource, and no configuration of it is recorded.")
		return nil
	}
	if r.Item.ARN != "" {
		r.Facts = append(r.Facts, fact{Name: "ARN", Value: r.Item.ARN})
	}
	for _, k := range sortedTags(r.Item.Tags) {
		r.Tags = append(r.Tags, fact{Name: k, Value: r.Item.Tags[k]})
	}
	return nil
}

func sortedTags(tags map[string]string) []string {
	keys := make([]string, 0, len(tags))
	for k := range tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// addReading says how old what is known is.
func (r *resourcePage) addReading(v *visit, reading store.Reading) {
	switch {
	case !reading.Failing.IsZero():
		r.Warnings = append(r.Warnings, "Reading "+r.Key.Type+" fails since "+shortTime(reading.Failing)+": "+reading.Code+" "+reading.Message)
	case !reading.Completed.IsZero():
		r.Facts = append(r.Facts, fact{Name: "last read", Value: age(v.now.Sub(reading.Completed))})
	case r.Item != nil:
		r.Facts = append(r.Facts, fact{Name: "recorded", Value: age(v.now.Sub(r.Item.CaptureTime))})
	}
}

// addRecorder says whether changes would be noticed.
func (r *resourcePage) addRecorder(ctx context.Context, tx *db.Tx) error {
	rec, status, err := store.Recorder(ctx, tx, r.Key.Place)
	switch {
	case errors.Is(err, store.ErrNotFound):
		r.Warnings = append(r.Warnings, "No recorder is in this account and region: changes are not noticed.")
	case err != nil:
		return err
	case !status.Recording:
		r.Warnings = append(r.Warnings, "The recorder is stopped: changes are not noticed.")
	case !rec.Records(r.Key.Type):
		r.Warnings = append(r.Warnings, "The recorder does not record "+r.Key.Type+".")
	}
	return nil
}
