package console

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

func wrongByType(v *visit, w *wrongView) error {
	return w.tallied(v, "type", func(k store.TypeAt) (string, string) {
		return k.Type, v.with("by", "resource", "is", "type:"+k.Type)
	})
}

func wrongByAccount(v *visit, w *wrongView) error {
	return w.tallied(v, "account", func(k store.TypeAt) (string, string) {
		return k.Account, v.with("by", "rule", "is", "account:"+k.Account)
	})
}

// tallied groups the kept tallies of types in places.
func (w *wrongView) tallied(v *visit, name string, group func(store.TypeAt) (text, href string)) error {
	t := &table{Caption: "Resources that fail any rule", Empty: "Nothing that is judged fails.", Columns: []col{{Name: name}, {"failing", true}, {"judged", true}, {"recorded", true}, {Name: "complies"}}}
	w.Table = t
	var all map[store.TypeAt]store.PlaceTally
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		all, err = store.TallyTypesOf(ctx, tx, v.account())
		return err
	})
	sums, hrefs := map[string]store.PlaceTally{}, map[string]string{}
	for k, n := range all {
		if !v.filters.leave("account", k.Account) || !v.filters.leave("region", k.Region) || !v.filters.leave("type", k.Type) {
			continue
		}
		text, href := group(k)
		s := sums[text]
		s.Live, s.Compliant, s.NonCompliant = s.Live+n.Live, s.Compliant+n.Compliant, s.NonCompliant+n.NonCompliant
		sums[text], hrefs[text] = s, href
	}
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b].NonCompliant, sums[a].NonCompliant), strings.Compare(a, b))
	})
	for _, text := range names {
		if s := sums[text]; s.NonCompliant > 0 {
			t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{
				linked(text, hrefs[text]), number(s.NonCompliant), number(s.Compliant + s.NonCompliant), number(s.Live), share(s.Compliant, s.NonCompliant)}})
		}
	}
	return err
}

func wrongByTag(v *visit, w *wrongView) error {
	key := cmp.Or(v.q.Get("tag"), "owner")
	t := &table{Caption: "Failing resources by the tag " + key, Empty: "Nothing that is judged fails.", Columns: []col{{Name: key}, {"failing", true}}}
	w.Table, w.Intro = t, "Whose are they? Another tag: put tag=NAME into the address."
	var counts map[string]int64
	more := false
	err := v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err == nil {
			counts, more, err = store.FailingByTag(ctx, tx, places, key, maxTagLook)
		}
		return err
	})
	for _, value := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) }) {
		c := plain(value)
		if value == "" {
			c = faint("without the tag")
		}
		t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{c, number(counts[value])}})
	}
	if more {
		t.Note = "At least so many: of each type in each place, " + grouped(maxTagLook) + " failing resources were looked at."
	}
	return err
}

func wrongByPack(v *visit, w *wrongView) error {
	t := &table{Caption: "Conformance packs with rules that fail", Empty: "No pack has a rule that fails.",
		Columns: []col{{Name: "pack"}, {Name: "account"}, {Name: "region"}, {"rules failing", true}, {"rules", true}}}
	w.Table = t
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range places {
			packs, err := store.PackResults(ctx, tx, p)
			if err != nil {
				return err
			}
			for _, r := range packs {
				if r.NonCompliant > 0 {
					t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{
						linked(r.Name, v.link("pack", "account", p.Account, "region", p.Region, "name", r.Name)), {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"},
						number(r.NonCompliant), number(r.Rules)}})
				}
			}
		}
		return nil
	})
}

func wrongByResource(v *visit, w *wrongView) error {
	t := &table{Caption: "Resources that fail any rule", Empty: "Nothing that is judged fails.",
		Columns: []col{{Name: "resource"}, {Name: "type"}, {Name: "account"}, {Name: "region"}, {"rules failing", true}, {"rules", true}}}
	w.Table = t
	after, err := v.keyAfter()
	if err != nil {
		return err
	}
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		places, err := v.places(ctx, tx)
		if err != nil {
			return err
		}
		types := []string{""}
		if some := v.filters.is["type"]; len(some) > 0 {
			types = slices.Sorted(slices.Values(some))
		}
		for _, p := range places {
			for _, kind := range types {
				if p.Compare(after.Place) < 0 || p == after.Place && kind != "" && kind < after.Type {
					continue
				}
				q := store.TallyQuery{Type: kind, Compliance: []config.Compliance{config.NonCompliant}, Limit: wrongPage - len(t.Rows)}
				if p == after.Place {
					q.AfterType, q.AfterID = after.Type, after.ID
				}
				some, err := store.TallyResources(ctx, tx, p, q)
				if err != nil {
					return err
				}
				for _, r := range some {
					k := config.ResourceKey{Place: p, Type: r.Type, ID: r.ID}
					t.Rows = append(t.Rows, row{Mark: "bad", Cells: []cell{linked(r.ID, v.resource(k)), {Text: r.Type, Kind: "short"}, {Text: p.Account, Kind: "short"}, {Text: p.Region, Kind: "short"},
						number(r.NonCompliant), number(r.NonCompliant + r.Compliant)}})
					if len(t.Rows) == wrongPage {
						t.More = v.afterKey(k)
						return nil
					}
				}
			}
		}
		return nil
	})
}

// keyAfter reads the resource that a page begins after.
func (v *visit) keyAfter() (k config.ResourceKey, err error) {
	if text := v.q.Get("after"); text != "" && json.Unmarshal([]byte(text), &k) != nil {
		return k, wrong("No page ends there.")
	}
	return k, nil
}

func (v *visit) afterKey(k config.ResourceKey) string {
	text, _ := json.Marshal(k) // texts cannot fail
	return v.with("after", string(text))
}
