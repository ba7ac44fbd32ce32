package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

const (
	changesPage    = 40
	maxChangesLook = 5000
	maxStreams     = 64 // browsers that wait for what happens
	lookEvery      = time.Second
)

type changesView struct {
	listPage
	Windows []choice
	Noise   choice
	Hidden  string
	Looked  string
}

// isOwn reports whether a type is AWS Config's own bookkeeping, which is noise to most.
func isOwn(resourceType string) bool { return strings.HasPrefix(resourceType, "AWS::Config::") }

func showChanges(v *visit) (*page, error) {
	q, hidden, err := v.changeQuery()
	if err != nil {
		return nil, err
	}
	t := &table{
		Caption: "Changes, the newest first", Empty: "Nothing changed in this time, as far as it is recorded.",
		Columns: []col{{Name: "when"}, {Name: "resource"}, {Name: "what"}, {Name: "verdicts that turned"}, {Name: "type"}, {Name: "account"}, {Name: "region"}},
	}
	d := changesView{listPage: listPage{Table: t}}
	err = v.read(func(ctx context.Context, tx *db.Tx) error {
		found, err := store.ListChanges(ctx, tx, q)
		if err != nil {
			return err
		}
		types := map[string]int64{}
		accounts := map[string]int64{}
		for _, c := range found.Found {
			types[c.Type]++
			accounts[c.Account]++
			r, err := changeRow(ctx, tx, v, c)
			if err != nil {
				return err
			}
			t.Rows = append(t.Rows, r)
		}
		d.Facets = []facet{v.countedFacet("type", types), v.countedFacet("account", accounts)}
		if found.More {
			text, _ := json.Marshal(found.Last) // numbers cannot fail
			t.More = v.with("after", string(text))
			d.Looked = "Looked at until " + shortTime(time.UnixMilli(found.Last.StateID)) + "."
		}
		if found.Unlisted {
			t.Note = "Months that an older version recorded are not listed by time yet; that is made up for during the night."
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.addChoices(v, *hidden)
	p := &page{Title: "Changes", Template: "changes", Data: d, Table: t, AtNote: "The list ends then.", Calls: []call{
		sql("SELECT resourceType, resourceId, configurationItemCaptureTime FROM history ORDER BY configurationItemCaptureTime DESC"),
		v.cli(v.c.Settings.Account, v.c.Settings.Region, "configservice get-resource-config-history --resource-type TYPE --resource-id ID"),
	}}
	if !v.past() && v.q.Get("after") == "" {
		p.Live = Root + "events"
	}
	return p, nil
}

// changeQuery is what the address asks for, and counts what it leaves out as noise.
func (v *visit) changeQuery() (q store.ChangeQuery, hidden *int64, err error) {
	q = store.ChangeQuery{To: v.then(), Limit: changesPage, Look: maxChangesLook}
	if !v.past() {
		q.To = endOfTime
	}
	if text := v.q.Get("within"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return q, nil, wrong("within is a duration such as 30m or 24h.")
		}
		q.From = v.then().Add(-d)
	}
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &q.Before) != nil {
		return q, nil, wrong("No page ends there.")
	}
	hidden = new(int64)
	noisy := v.q.Get("noise") == "show"
	q.Keep = func(c store.Change) bool {
		if !v.allowed(c.Account) || !v.filters.leave("account", c.Account) || !v.filters.leave("region", c.Region) || !v.filters.leave("type", c.Type) {
			return false
		}
		if isOwn(c.Type) && !noisy && len(v.filters.is["type"]) == 0 {
			*hidden++
			return false
		}
		return true
	}
	return q, hidden, nil
}

func (d *changesView) addChoices(v *visit, hidden int64) {
	for _, w := range []string{"", "30m", "1h", "24h", "168h"} {
		text := "all"
		if length, err := time.ParseDuration(w); err == nil {
			text = "the last " + span(length)
		}
		d.Windows = append(d.Windows, choice{text, v.with("within", w), v.q.Get("within") == w})
	}
	d.Noise = choice{"show AWS Config's own items", v.with("noise", "show"), false}
	if v.q.Get("noise") == "show" {
		d.Noise = choice{"hide AWS Config's own items", v.with("noise", ""), true}
	} else if hidden > 0 {
		d.Hidden = counted(hidden, "item of AWS Config's own is", "items of AWS Config's own are") + " not shown."
	}
}

// changeRow tells one change: what differs, and which verdicts turned with it.
func changeRow(ctx context.Context, tx *db.Tx, v *visit, c store.Change) (row, error) {
	name := c.ID
	if c.Name != "" {
		name = c.Name
	}
	what, err := changeText(ctx, tx, c)
	if err != nil {
		return row{}, err
	}
	turned, bad, err := turnedWith(ctx, tx, c)
	if err != nil {
		return row{}, err
	}
	r := row{Cells: []cell{
		moment(c.At(), v.now), linked(name, v.resource(c.ResourceKey, "rev", fmt.Sprint(c.StateID))), {Text: what}, turned, {Text: c.Type, Kind: "short"}, {Text: c.Account, Kind: "short"}, {Text: c.Region, Kind: "short"},
	}}
	if bad {
		r.Mark = "bad"
	}
	return r, nil
}

func changeText(ctx context.Context, tx *db.Tx, c store.Change) (string, error) {
	it, err := store.ItemVersion(ctx, tx, c.VersionKey)
	if isNotFound(err) {
		return "deleted by retention meanwhile", nil
	}
	if err != nil {
		return "", err
	}
	var before *config.Item
	if c.Previous != 0 {
		was, err := store.ItemVersion(ctx, tx, config.VersionKey{ResourceKey: c.ResourceKey, StateID: c.Previous})
		if err == nil {
			before = &was
		} else if !isNotFound(err) {
			return "", err
		}
	}
	if before == nil || before.Status.Gone() || it.Status.Gone() || it.Status == config.StatusNotRecorded {
		return beginning(it, before), nil
	}
	return sentence(linesOf(config.NewDiff(before, it))), nil
}

// turnsWithin is how long after a change a verdict that turned is told beside it.
const turnsWithin = 2 * time.Minute

func turnedWith(ctx context.Context, tx *db.Tx, c store.Change) (out cell, bad bool, err error) {
	if isOwn(c.Type) {
		return cell{}, false, nil
	}
	all, err := store.JudgmentsOn(ctx, tx, c.ResourceKey, maxVerdicts)
	if err != nil {
		return cell{}, false, err
	}
	var turned []string
	for _, j := range all {
		if after := j.Turned.Sub(c.At()); after < 0 || after > turnsWithin || j.Compliance == config.NotApplicable {
			continue
		}
		bad = bad || j.Compliance == config.NonCompliant
		turned = append(turned, j.Rule+" "+verdictWord(string(j.Compliance)))
	}
	return cell{Text: strings.Join(turned, ", ")}, bad, nil
}

// events tells a browser that something happened, until it goes away or the server stops.
// Only what the visitor may see counts.
func (c *Console) events(w http.ResponseWriter, v *visit) error {
	if c.streams.Add(1) > maxStreams {
		c.streams.Add(-1)
		return &refusal{http.StatusServiceUnavailable, "Too many pages are live. Load this one again."}
	}
	defer c.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	var last int64
	look := c.newest
	if v.q.Get("of") == "requests" && c.development() {
		look = func(_ *visit, last int64) (int64, bool, error) { n := c.requests.count(); return n, n != last, nil }
	}
	for first := true; ; first = false {
		newest, fresh, err := look(v, last)
		if err != nil {
			return nil //nolint:nilerr // the browser asks again; a reset closes the store
		}
		if newest != last && fresh && !first {
			if _, err := io.WriteString(w, "event: changed\ndata: "+fmt.Sprint(newest)+"\n\n"); err != nil || flush.Flush() != nil {
				return nil //nolint:nilerr // it went away
			}
		}
		if last = newest; first {
			io.WriteString(w, "retry: 3000\n: what comes from now on is told\n\n")
			flush.Flush()
		}
		select {
		case <-v.ctx.Done():
			return nil
		case <-c.stopping:
			return nil
		case <-time.After(lookEvery):
		}
	}
}

// newest returns the newest change, and whether something that the visitor may see came
// after the last one.
func (c *Console) newest(v *visit, last int64) (newest int64, fresh bool, err error) {
	v.Machine = c.Machine()
	err = v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if newest, err = store.NewestChange(ctx, tx); err != nil || newest == last || v.key == nil {
			fresh = true
			return err
		}
		found, err := store.ListChanges(ctx, tx, store.ChangeQuery{
			From: time.UnixMilli(last + 1), To: endOfTime, Limit: 1, Look: 1000, Keep: func(x store.Change) bool { return v.allowed(x.Account) }})
		fresh = len(found.Found) > 0
		return err
	})
	return newest, fresh, err
}
